"""Many viewers at once, in an event loop of a thread of their own."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial

from benchmarks.costs.reader import RENDITION, Reader, Verify
from benchmarks.costs.window import Got
from streamrp2p import api
from streamrp2p.client import CoordinatorClient
from streamrp2p.node_client import NodeClient
from streamrp2p.numbers import Address
from streamrp2p.playlist import verify_media_playlist
from streamrp2p.typed_data import Domain
from streamrp2p.viewer.admission import ask_for_ticket, new_viewer_key
from streamrp2p.viewer.session import ReceiptSession
from streamrp2p_demo.layout import loopback
from streamrp2p_demo.stack import Relay

_TEXTS = 64
"""How many verified texts are remembered: viewers get the same ones."""


@dataclass(slots=True)
class Audience:
    """Readers at relays; `got` is what all of them got together."""

    coordinator: CoordinatorClient
    pool_id: int
    loop: asyncio.AbstractEventLoop
    got: Got = field(default_factory=Got)
    _running: list[Future[None]] = field(default_factory=list)
    _domain: Domain = field(init=False)
    _verify: Verify = field(init=False)

    def __post_init__(self) -> None:
        config = self.coordinator.config()
        pool = self.coordinator.pool(self.pool_id)
        self._domain = Domain(config.chain_id, Address(config.epoch_book))
        self._verify = lru_cache(_TEXTS)(
            partial(
                verify_media_playlist,
                pool_id=self.pool_id,
                rendition=RENDITION,
                domain=self._domain,
                origin=Address(pool.origin_key),
            )
        )

    def join(self, relay: Relay, others: list[Relay], count: int) -> None:
        """Let so many viewers begin at a relay and not at the others, with tickets of the coordinator's."""
        for _ in range(count):
            self._begin(loopback(relay.port), self._opened(relay, others))

    def join_for_free(self, url: str, count: int) -> None:
        """Let so many begin at a server that wants no session."""
        for _ in range(count):
            self._begin(url, None)

    def check(self) -> None:
        """Raise what made a viewer fail."""
        for viewer in self._running:
            if viewer.done():
                viewer.result()

    def leave(self) -> None:
        """Let all go."""
        self.check()
        for viewer in self._running:
            viewer.cancel()
        self._running.clear()

    def _begin(self, url: str, session: ReceiptSession | None) -> None:
        stream = f"{url}/v1/streams/{self.pool_id}"
        reader = Reader(stream, session, self._verify, self.got)
        self._running.append(asyncio.run_coroutine_threadsafe(reader.run(), self.loop))

    def _opened(self, relay: Relay, others: list[Relay]) -> ReceiptSession:
        key = new_viewer_key()
        answer = ask_for_ticket(self.coordinator, self.pool_id, key, [each.node for each in others])
        with NodeClient(loopback(relay.port)) as client:
            client.open_session(api.OpenSession(ticket=answer.ticket, signature=answer.signature))
        return ReceiptSession(answer.ticket.message(), self._domain, key)


@contextmanager
def audience(coordinator: CoordinatorClient, pool_id: int) -> Iterator[Audience]:
    """Give an audience without viewers yet; all have left when the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield Audience(coordinator, pool_id, loop)
    finally:
        asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_default_executor()
