"""A node process between a made-up coordinator and origin, with one session that may owe as much as it likes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from streamrp2p.api import SESSION_HEADER
from tests.node.fake_origin import FakeOrigin
from tests.node.fakes import POOL, FakeCoordinator, make_pool, make_ticket, opening_of
from tests.node.servers import PLAIN, NodeProcess, coordinator_answers, origin_answers, serving

UNBOUNDED_BYTES = 2**62


@dataclass(frozen=True, slots=True)
class Node:
    """A running node and what a request needs to be served by it."""

    url: str
    headers: dict[str, str]
    pid: int

    @property
    def object_url(self) -> str:
        """Return the URL of the stream's one segment."""
        return f"{self.url}/v1/streams/{POOL}/source-0.m4s"


@contextmanager
def node(folder: Path, length_bytes: int) -> Iterator[Node]:
    """Run `streamrp2p node run` for a stream with one segment of that length, which is in its cache."""
    coordinator = FakeCoordinator(time.time, genesis=int(time.time()) - 15, epoch_seconds=36_000)
    origin = FakeOrigin(length=length_bytes, count=1)
    with (
        serving(origin_answers(origin)) as origin_url,
        serving(coordinator_answers(coordinator)) as coordinator_url,
    ):
        coordinator.pools = [make_pool(origin_url)]
        process = NodeProcess(folder, coordinator_url, ("--credit-bytes", str(UNBOUNDED_BYTES)))
        process.prepare()
        process.start()
        try:
            assert process.process is not None
            yield _admitted(process.url, coordinator.genesis, process.process.pid)
        finally:
            process.stop()


def _admitted(url: str, genesis: int, pid: int) -> Node:
    ticket, signature = make_ticket(
        issued_at=genesis, expires_at=genesis + 36_000, max_bytes=UNBOUNDED_BYTES
    )
    body = opening_of(ticket, signature).dump()
    httpx.post(f"{url}/v1/sessions", json=body, verify=PLAIN).raise_for_status()
    # A player asks from another site, so that the answer carries the headers of CORS.
    headers = {SESSION_HEADER: "0x" + ticket.session_id.hex(), "Origin": "https://player.test"}
    made = Node(url, headers, pid)
    httpx.get(made.object_url, headers=made.headers, verify=PLAIN).raise_for_status()
    return made
