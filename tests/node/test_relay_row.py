"""Four real node processes, one behind the other: three are a row, the fourth takes the origin; one is killed."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from streamrp2p.api import SESSION_HEADER
from streamrp2p.signatures import address_of
from tests.node.fake_origin import FakeOrigin
from tests.node.fakes import (
    NODE_KEY,
    OTHER_KEY,
    POOL,
    FakeCoordinator,
    make_pool,
    make_ticket,
    opening_of,
)
from tests.node.servers import (
    PLAIN,
    NodeProcess,
    coordinator_answers,
    serving,
    wait_for,
    waiting_origin_answers,
)

pytestmark = pytest.mark.integration

KEYS = (NODE_KEY, OTHER_KEY, bytes([3]) * 32, bytes([4]) * 32)
NODES = [address_of(key) for key in KEYS]


@dataclass(slots=True)
class Row:
    coordinator: FakeCoordinator
    origin: FakeOrigin
    nodes: list[NodeProcess]

    def join(self, number: int) -> "Viewer":
        """Open a session at a node, and be a viewer of it."""
        ticket, signature = make_ticket(
            node=NODES[number],
            issued_at=self.coordinator.genesis,
            expires_at=self.coordinator.genesis + 600,
            max_bytes=10**9,
        )
        url = self.nodes[number].url
        opened = httpx.post(
            url + "/v1/sessions", json=opening_of(ticket, signature).dump(), verify=PLAIN
        )
        assert opened.status_code == 201, opened.text
        return Viewer(url, "0x" + ticket.session_id.hex())

    def path(self, number: int) -> list[str]:
        url = f"{self.nodes[number].url}/v1/streams/{POOL}/path"
        path: list[str] = httpx.get(url, verify=PLAIN).json()["path"]
        return path

    def pool(self, number: int) -> dict[str, Any]:
        (pool,) = self.nodes[number].status()["pools"]
        found: dict[str, Any] = pool
        return found


@dataclass(frozen=True, slots=True)
class Viewer:
    url: str
    session_id: str

    def get(self, name: str) -> bytes:
        answer = httpx.get(
            f"{self.url}/v1/streams/{POOL}/{name}",
            headers={SESSION_HEADER: self.session_id},
            verify=PLAIN,
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        return answer.content


@pytest.fixture
def row(tmp_path: Path) -> Iterator[Row]:
    coordinator = FakeCoordinator(time.time, genesis=int(time.time()) - 15, epoch_seconds=600)
    origin = FakeOrigin()
    with (
        serving(waiting_origin_answers(origin)) as origin_url,
        serving(coordinator_answers(coordinator)) as coordinator_url,
    ):
        coordinator.pools = [make_pool(origin_url)]
        nodes = [
            NodeProcess(
                tmp_path / f"n{number}",
                coordinator_url,
                () if number == 0 else ("--upstream", "relays"),
                key=key,
            )
            for number, key in enumerate(KEYS)
        ]
        try:
            for node in nodes:
                node.prepare()
                node.start(wait=False)
            for node in nodes:
                node.wait_until_ready()
            yield Row(coordinator, origin, nodes)
        finally:
            for node in reversed(nodes):
                if node.process is not None:
                    node.stop()


def test_three_relays_in_a_row_serve_one_stream_and_are_paid_for_it(row: Row) -> None:
    viewers = []
    for number, node in enumerate(row.nodes):
        viewer = row.join(number)
        viewers.append(viewer)
        assert viewer.get("source.m3u8") == row.origin.playlist()
        # Whoever comes next is sent to this one.
        row.coordinator.offers = [(NODES[number], node.url)]
    shown = ["0x" + node.hex() for node in NODES]
    assert [row.path(number) for number in range(4)] == [
        shown[:1], shown[:2], shown[:3], shown[3:],
    ]  # fmt: skip

    # A part that is published reaches viewers who wait at the end of the row, fetched once from the origin by it.
    texts: dict[int, bytes] = {}
    waiting = [
        threading.Thread(
            target=lambda number=number: texts.update(
                {number: viewers[2].get("source.m3u8?_HLS_msn=4&_HLS_part=0")}
            )
        )
        for number in range(3)
    ]
    for thread in waiting:
        thread.start()
    wait_for(lambda: row.pool(2)["waitingRequests"] == 3)
    row.origin.publish()
    for thread in waiting:
        thread.join()
    assert set(texts.values()) == {row.origin.playlist()}
    assert viewers[2].get("source-4.0.m4s") == row.origin.part(4, 0)
    # Once by the first of the row, and once by the fourth relay, which prefetches.
    assert row.origin.requests.count("source-4.0.m4s") <= 2
    assert row.pool(2)["origin"]["bytesReceived"] == 0

    # One of the row is killed: those behind it go on.
    row.nodes[1].kill()
    row.coordinator.offers = [(NODES[0], row.nodes[0].url)]
    row.origin.publish(4)
    wait_for(lambda: viewers[2].get("source.m3u8") == row.origin.playlist())
    assert viewers[2].get("source-4.m4s") == row.origin.segment(4)
    wait_for(lambda: row.path(2) in ([shown[0], shown[2]], shown[2:3]))

    # Relays are viewers to those that feed them: their receipts are handed in.
    for number in (3, 2, 0):
        assert row.nodes[number].stop() == 0
    paid = [
        record
        for record in row.coordinator.accepted_records()
        if record.ticket.node == NODES[0] and record.ticket.viewer != address_of(KEYS[0])
    ]
    assert sum(record.receipt.bytes_delivered for record in paid) > 0
