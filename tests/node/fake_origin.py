"""A made-up live stream that an origin serves: renditions of segments in parts, with blocking reload and deltas."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256, shake_128
from urllib.parse import parse_qs

import httpx

from streamrp2p.numbers import Hash
from streamrp2p.playlist import MediaObject, sign_playlist
from streamrp2p.typed_data import Domain
from tests.node.fakes import DOMAIN, GENESIS, ORIGIN_KEY, POOL

PARTS = 4
"""Of each segment."""
SKIP_SEGMENTS = 3
"""A delta update leaves out what is older than so many segments."""


@dataclass(slots=True)
class FakeOrigin:
    """A live stream of segments of 1 s and `length` bytes, each in four parts. `publish` goes on by one part."""

    length: int = 1000
    first: int = 0
    """The oldest segment that is listed."""
    count: int = 4
    parts: int = 0
    """Of the segment in progress."""
    pool_id: int = POOL
    renditions: tuple[str, ...] = ("source",)
    key: bytes = ORIGIN_KEY
    domain: Domain = DOMAIN
    published_at: int = GENESIS
    can_block: bool = True
    holds: bool = True
    """Without, a request for what is not there yet gets 503, as one that was held in vain."""
    has_parts: bool = True
    requests: list[str] = field(default_factory=list)
    """Names, with their queries."""
    corrupt: set[str] = field(default_factory=set)
    is_down: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def publish(self, parts: int = 1) -> None:
        """Go on by some parts, and wake who waits for them."""
        count, self.parts = divmod(self.parts + parts, PARTS)
        self.count += count
        self.published_at += 1
        self.changed.set()
        self.changed = asyncio.Event()

    def segment(self, index: int, rendition: str = "source") -> bytes:
        seed = f"{self.pool_id} {rendition} {index}".encode()
        return shake_128(seed).digest(self.length)

    def part(self, index: int, part: int, rendition: str = "source") -> bytes:
        size = self.length // PARTS
        end = self.length if part == PARTS - 1 else (part + 1) * size
        return self.segment(index, rendition)[part * size : end]

    def files(self, rendition: str = "source") -> dict[str, bytes]:
        """Return every object of a rendition that ever was, by name."""
        found = {f"{rendition}-0.init.mp4": f"map of {rendition}".encode()}
        for index in range(self.count + 1):
            made = PARTS if index < self.count else self.parts
            for part in range(made):
                found[f"{rendition}-{index}.{part}.m4s"] = self.part(index, part, rendition)
            if index < self.count:
                found[f"{rendition}-{index}.m4s"] = self.segment(index, rendition)
        return found

    def multivariant(self) -> bytes:
        lines = ["#EXTM3U", "#EXT-X-STREAMRP2P-MULTIVARIANT"]
        for index, rendition in enumerate(self.renditions):
            bandwidth = 3_000_000 // (index + 1)
            lines += [f"#EXT-X-STREAM-INF:BANDWIDTH={bandwidth}", f"{rendition}.m3u8"]
        return self._signed(lines, [])

    def playlist(self, rendition: str = "source", *, is_delta: bool = False) -> bytes:
        skipped = max(self.count - SKIP_SEGMENTS - self.first, 0) if is_delta else 0
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:9",
            "#EXT-X-TARGETDURATION:1",
            f"#EXT-X-MEDIA-SEQUENCE:{self.first}",
            f"#EXT-X-STREAMRP2P-RENDITION:{rendition}",
        ]
        if self.can_block:
            lines.append(
                "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=6.0,PART-HOLD-BACK=0.75,HOLD-BACK=3.0"
            )
        lines += ["#EXT-X-PART-INF:PART-TARGET=0.25"] if self.has_parts else []
        lines += [f"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}"] if skipped else []
        lines += self._listed(rendition, skipped)
        objects = [
            MediaObject(name, len(data), Hash(sha256(data).digest()))
            for name, data in self.files(rendition).items()
        ]
        return self._signed(lines, objects)

    def respond(self, path: str) -> tuple[int, bytes]:
        """Answer at once, whatever the query waits for."""
        name, _, query = path.rsplit("/", 1)[-1].partition("?")
        self.requests.append(name)
        if self.is_down:
            return 503, b""
        return self._answer(path, name, query)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request: the handler of an asynchronous httpx.MockTransport."""
        name = request.url.path.rsplit("/", 1)[-1]
        query = request.url.query.decode()
        self.requests.append(f"{name}?{query}" if query else name)
        while self.holds and self.must_wait(query) and not self.is_down:
            await self.changed.wait()
        if self.is_down or self.must_wait(query):
            return httpx.Response(503)
        status, body = self._answer(request.url.path, name, query)
        return httpx.Response(status, content=body)

    def _answer(self, path: str, name: str, query: str) -> tuple[int, bytes]:
        if f"/v1/streams/{self.pool_id}/" not in path:
            return 404, b""
        if name == "live.m3u8":
            return 200, self.multivariant()
        for rendition in self.renditions:
            if name == f"{rendition}.m3u8":
                return 200, self.playlist(rendition, is_delta="_HLS_skip" in query)
            data = self.files(rendition).get(name)
            if data is not None:
                is_corrupt = name in self.corrupt
                return 200, bytes([data[0] ^ 1]) + data[1:] if is_corrupt else data
        return 404, b""

    def must_wait(self, query: str) -> bool:
        """Tell whether a request waits for something that is not published yet."""
        asked = parse_qs(query)
        if not self.can_block or "_HLS_msn" not in asked:
            return False
        sequence, part = int(asked["_HLS_msn"][0]), int(asked.get("_HLS_part", ["-1"])[0])
        if part < 0:
            return self.count <= sequence
        return (self.count, self.parts) <= (sequence, part)

    def _listed(self, rendition: str, skipped: int) -> Iterator[str]:
        if self.has_parts and not skipped:
            yield f'#EXT-X-MAP:URI="{rendition}-0.init.mp4"'
        for index in range(self.first + skipped, self.count):
            # Players near the end want parts; older segments are listed whole.
            if self.has_parts and index >= self.count - 2:
                yield from self._parts(rendition, index, PARTS)
            yield "#EXTINF:1.000000,"
            yield f"{rendition}-{index}.m4s"
        if self.has_parts:
            yield from self._parts(rendition, self.count, self.parts)

    def _parts(self, rendition: str, index: int, count: int) -> Iterator[str]:
        for part in range(count):
            yield f'#EXT-X-PART:DURATION=0.25,URI="{rendition}-{index}.{part}.m4s"'

    def _signed(self, lines: list[str], objects: list[MediaObject]) -> bytes:
        return sign_playlist(
            "\n".join(lines) + "\n",
            objects,
            pool_id=self.pool_id,
            domain=self.domain,
            published_at=self.published_at,
            origin_key=self.key,
        )
