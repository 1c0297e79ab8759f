"""A viewer at the live edge without a screen: parts as they are published, a receipt about every second."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx

from benchmarks.costs.window import Got
from streamrp2p import api
from streamrp2p.http_api import PLAIN
from streamrp2p.playlist import MediaObject, MediaPlaylist, matches, merge
from streamrp2p.viewer.session import ReceiptSession
from tests.node.servers import PLAIN as PLAIN_TLS

RENDITION = "source"
RECEIPT_SECONDS = 1.0
"""The protocol's: about one a second."""
TIMEOUT_SECONDS = 30.0

Verify = Callable[[bytes], MediaPlaylist]


@dataclass(slots=True)
class Reader:
    """Reads one rendition until it is cancelled; counts in `got`, which others may share.

    `url` is the stream's at a relay, or at a server that wants no session.
    """

    url: str
    session: ReceiptSession | None
    verify: Verify
    got: Got
    _taken: set[str] = field(default_factory=set)
    _paid_at: float = 0.0

    async def run(self) -> None:
        """Read and pay."""
        headers = dict(PLAIN)
        if self.session is not None:
            headers[api.SESSION_HEADER] = "0x" + self.session.session_id.hex()
        async with httpx.AsyncClient(
            headers=headers, timeout=TIMEOUT_SECONDS, verify=PLAIN_TLS
        ) as client:
            playlist = await self._playlist(client, {})
            while True:
                for media_sequence, wanted in _at_the_edge(playlist):
                    await self._take(client, wanted, media_sequence)
                update = await self._playlist(
                    client,
                    {
                        "_HLS_msn": str(playlist.next_sequence),
                        "_HLS_part": str(len(playlist.parts)),
                        "_HLS_skip": "YES",
                    },
                )
                playlist = merge(playlist, update)

    async def _playlist(self, client: httpx.AsyncClient, query: dict[str, str]) -> MediaPlaylist:
        data = await self._get(client, f"{RENDITION}.m3u8", query)
        self.got.playlist_bytes += len(data)
        return self.verify(data)

    async def _take(
        self, client: httpx.AsyncClient, wanted: MediaObject, media_sequence: int
    ) -> None:
        if wanted.name in self._taken:
            return
        self._taken.add(wanted.name)
        data = await self._get(client, wanted.name, {})
        assert await asyncio.to_thread(matches, wanted, data), wanted.name
        self.got.object_bytes += len(data)
        if self.session is not None:
            self.session.count(len(data), media_sequence, is_on_time=True)
            if time.monotonic() - self._paid_at >= RECEIPT_SECONDS:
                await self._pay(client, self.session)

    async def _pay(self, client: httpx.AsyncClient, session: ReceiptSession) -> None:
        receipt, signature = session.sign(int(time.time()))
        self._paid_at = time.monotonic()
        signed = api.SignedReceipt.of(receipt, signature)
        url = httpx.URL(self.url).copy_with(path="/v1/receipts")
        answer = await client.post(url, json=signed.model_dump(mode="json", by_alias=True))
        answer.raise_for_status()

    async def _get(self, client: httpx.AsyncClient, name: str, query: dict[str, str]) -> bytes:
        answer = await client.get(f"{self.url}/{name}", params=query)
        answer.raise_for_status()
        self.got.requests += 1
        return answer.content


def _at_the_edge(playlist: MediaPlaylist) -> Iterator[tuple[int, MediaObject]]:
    """Return the map and the parts of the last segment and of the one in progress, with their segment's number."""
    for segment in playlist.segments[-1:]:
        if segment.map is not None:
            yield segment.media_sequence, segment.map
        for part in segment.parts:
            yield segment.media_sequence, part.object
    for part in playlist.parts:
        yield playlist.next_sequence, part.object
