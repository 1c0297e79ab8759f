"""The node as a real process: it survives kill -9, hands in before it stops, and says why it cannot start."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from streamrp2p import typed_data
from streamrp2p.api import SESSION_HEADER
from streamrp2p_node.frames import scan
from streamrp2p_node.store import Store
from tests.node.fake_origin import FakeOrigin
from tests.node.fakes import (
    NODE,
    POOL,
    FakeCoordinator,
    make_pool,
    make_receipt,
    make_ticket,
    opening_of,
)
from tests.node.servers import (
    PLAIN,
    NodeProcess,
    coordinator_answers,
    origin_answers,
    serving,
    wait_for,
)
from tests.support.collector import collecting
from tests.support.secrets import RPC_KEY, assert_tells_none

pytestmark = pytest.mark.integration

VIEWERS = 4


@dataclass(slots=True)
class Setting:
    """A real node between real HTTP servers."""

    coordinator: FakeCoordinator
    origin: FakeOrigin
    node: NodeProcess

    def ticket(self, nonce: int) -> typed_data.SessionTicket:
        """Open a session at the node."""
        genesis = self.coordinator.genesis
        ticket, signature = make_ticket(
            nonce=nonce, issued_at=genesis, expires_at=genesis + 600, max_bytes=10**9
        )
        body = opening_of(ticket, signature).dump()
        assert _post(self.node.url + "/v1/sessions", body).status_code == 201
        return ticket

    def get(self, ticket: typed_data.SessionTicket, name: str) -> httpx.Response:
        headers = {SESSION_HEADER: "0x" + ticket.session_id.hex()}
        url = f"{self.node.url}/v1/streams/{POOL}/{name}"
        return httpx.get(url, headers=headers, verify=PLAIN)

    def pay(
        self, ticket: typed_data.SessionTicket, sequence: int, delivered: int
    ) -> httpx.Response:
        receipt = make_receipt(ticket, sequence, delivered)
        return _post(self.node.url + "/v1/receipts", receipt.dump())


def _post(url: str, body: object) -> httpx.Response:
    return httpx.post(url, json=body, verify=PLAIN, timeout=20)


@pytest.fixture
def setting(tmp_path: Path) -> Iterator[Setting]:
    coordinator = FakeCoordinator(time.time, genesis=int(time.time()) - 15, epoch_seconds=600)
    origin = FakeOrigin()
    with (
        serving(origin_answers(origin)) as origin_url,
        serving(coordinator_answers(coordinator)) as coordinator_url,
    ):
        coordinator.pools = [make_pool(origin_url)]
        node = NodeProcess(
            tmp_path / "node",
            coordinator_url,
            ("--credit-bytes", "2500", "--submit-seconds", "3600"),
        )
        node.prepare()
        yield Setting(coordinator, origin, node)
        if node.process is not None:
            node.stop()


def pay_until_killed(setting: Setting, ticket: typed_data.SessionTicket, kept: list[int]) -> None:
    """Send rising receipts as fast as they are answered; `kept` ends with the last that got a 204."""
    for sequence in range(1, 100_000):
        try:
            response = setting.pay(ticket, sequence, sequence)
        except httpx.TransportError:
            return
        assert response.status_code == 204
        kept[0] = sequence


def test_every_receipt_that_was_answered_is_there_after_kill_9(setting: Setting) -> None:
    setting.node.start()
    tickets = [setting.ticket(nonce) for nonce in range(VIEWERS)]
    kept: list[list[int]] = [[0] for _ in tickets]
    threads = [
        threading.Thread(target=pay_until_killed, args=(setting, ticket, last))
        for ticket, last in zip(tickets, kept, strict=True)
    ]
    for thread in threads:
        thread.start()
    wait_for(lambda: min(last[0] for last in kept) >= 20)
    setting.node.kill()
    for thread in threads:
        thread.join()

    (journal,) = (setting.node.folder / "journal").glob("epoch-0.journal")
    assert len(scan(journal.read_bytes()).frames) >= VIEWERS * 20
    book = Store(setting.node.folder / "journal").book
    for ticket, last in zip(tickets, kept, strict=True):
        session = book.get(ticket.session_id)
        assert session is not None
        assert session.newest is not None
        assert session.newest.receipt.sequence >= last[0] >= 20

    # Started again, it serves the same sessions and hands all of it in.
    setting.node.start()
    assert setting.node.status()["sessions"] == VIEWERS
    assert setting.get(tickets[0], "source-0.m4s").status_code == 200
    assert setting.node.stop() == 0
    handed_in = {
        record.session_id: record.receipt.sequence
        for record in setting.coordinator.accepted_records()
    }
    for ticket, last in zip(tickets, kept, strict=True):
        assert handed_in[ticket.session_id] >= last[0]


def test_a_debt_survives_kill_9_and_so_does_what_was_paid(setting: Setting) -> None:
    setting.node.start()
    ticket = setting.ticket(1)
    assert setting.get(ticket, "source-0.m4s").status_code == 200
    assert setting.get(ticket, "source-1.m4s").status_code == 200
    assert setting.pay(ticket, 1, 1000).status_code == 204
    assert setting.get(ticket, "source-2.m4s").status_code == 200
    setting.node.kill()
    setting.node.start()
    assert setting.node.status()["unpaidBytes"] == 2000
    assert setting.get(ticket, "source-3.m4s").status_code == 402
    assert setting.pay(ticket, 2, 3000).status_code == 204
    assert setting.get(ticket, "source-3.m4s").status_code == 200
    # The cache survived as well: nothing was fetched twice.
    fetched = [name for name in setting.origin.requests if name.endswith(".m4s")]
    assert sorted(fetched) == ["source-0.m4s", "source-1.m4s", "source-2.m4s", "source-3.m4s"]


def test_a_node_goes_on_from_its_folder_while_the_coordinator_is_down(setting: Setting) -> None:
    setting.node.start()
    ticket = setting.ticket(1)
    setting.node.kill()
    setting.node.coordinator_url = "http://127.0.0.1:9"
    setting.node.start()
    assert setting.get(ticket, "source-0.m4s").status_code == 200
    assert setting.pay(ticket, 1, 1000).status_code == 204


def test_sigterm_hands_in_what_is_due_and_exits_0(setting: Setting) -> None:
    setting.node.start()
    ticket = setting.ticket(1)
    setting.get(ticket, "source-0.m4s")
    setting.pay(ticket, 1, 1000)
    assert setting.coordinator.batches == []
    assert setting.node.stop() == 0
    (record,) = setting.coordinator.accepted_records()
    assert (record.session_id, record.receipt.bytes_delivered) == (ticket.session_id, 1000)
    assert setting.node.events()[-1]["event"] == "node_stopped"
    assert not (setting.node.folder / "running.json").exists()


def test_the_operators_port_shows_a_node_to_its_operator_alone(setting: Setting) -> None:
    setting.node.options = ("--metrics-port", "0")
    setting.node.start()
    ticket = setting.ticket(1)
    setting.get(ticket, "source-0.m4s")
    (shown,) = [one for one in setting.node.events() if one["event"] == "metrics_shown"]
    assert f'streamrp2p_node_sent_bytes_total{{pool="{POOL}"}}' in httpx.get(shown["url"]).text
    ready_at = shown["url"].replace("/metrics", "/readyz")
    wait_for(lambda: httpx.get(ready_at).status_code == 200, lambda: httpx.get(ready_at).text)
    assert setting.node.answers("/metrics") == 404
    assert setting.node.stop() == 0


def test_a_collector_is_sent_what_a_node_did_and_its_url_is_in_no_log(setting: Setting) -> None:
    with collecting() as collector:
        setting.node.options = ("--traces-endpoint", f"{collector.url}?key={RPC_KEY}")
        setting.node.start()
        ticket = setting.ticket(1)
        setting.get(ticket, "source-0.m4s")
        setting.pay(ticket, 1, 1000)
        assert setting.node.stop() == 0
    named = (b"streamrp2p-node", b"POST /v1/receipts", b"fetch object", b"hand in batch")
    assert [name for name in named if name not in collector.body] == []
    assert bytes(ticket.session_id) not in collector.body
    assert ticket.session_id.hex().encode() not in collector.body
    assert_tells_none(setting.node.log.read_text())


def test_a_node_registers_at_its_start_and_not_again_at_the_next(setting: Setting) -> None:
    setting.node.start()
    wait_for(lambda: NODE in setting.coordinator.nodes)
    assert setting.coordinator.nodes[NODE].endpoint == setting.node.url
    setting.node.stop()
    setting.node.start()
    setting.node.stop()
    assert len(setting.coordinator.registrations) == 1


def test_a_node_waits_for_its_coordinator_and_says_so(setting: Setting) -> None:
    coordinator_port = int(setting.node.coordinator_url.rsplit(":", 1)[1])
    setting.node.coordinator_url = "http://127.0.0.1:9"
    setting.node.start(wait=False)
    wait_for(lambda: setting.node.answers("/healthz") == 503, setting.node.log.read_text)
    wait_for(lambda: len(setting.node.events()) >= 3)
    waits = [
        event for event in setting.node.events() if "coordinator_not_reached" in event["event"]
    ]
    assert "http://127.0.0.1:9 is not reachable" in waits[0]["reason"]
    ticket, signature = make_ticket()
    refused = _post(setting.node.url + "/v1/sessions", opening_of(ticket, signature).dump())
    assert (refused.status_code, refused.json()["title"]) == (503, "not ready")
    assert setting.node.stop() == 0
    setting.node.coordinator_url = f"http://127.0.0.1:{coordinator_port}"
    setting.node.start()


def ends_with(node: NodeProcess, code: int, *words: str) -> None:
    """Start the node and see it end by itself with one line that says why."""
    node.start(wait=False)
    assert node.process is not None
    assert node.process.wait(20) == code
    errors = [line for line in node.log.read_text().splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1, node.log.read_text()
    for word in words:
        assert word in errors[0]


def test_a_port_in_use_is_told(setting: Setting) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", setting.node.port))
        other.listen()
        ends_with(setting.node, 2, f"port {setting.node.port}", "in use", "--port")


def test_a_folder_in_use_is_told(setting: Setting) -> None:
    setting.node.start()
    second = NodeProcess(setting.node.folder, setting.node.coordinator_url)
    second.start(wait=False)
    assert second.process is not None
    assert second.process.wait(20) == 2
    assert "another node runs with" in second.log.read_text()


def test_a_wrong_clock_ends_the_node(setting: Setting) -> None:
    setting.coordinator.ahead_seconds = 300
    ends_with(setting.node, 2, "behind the coordinator's", "timedatectl")


def test_a_coordinator_of_another_chain_ends_the_node(setting: Setting) -> None:
    setting.node.start()
    setting.node.stop()
    setting.node.log.unlink()
    setting.coordinator.chain_id = 5
    ends_with(setting.node, 2, "chain 5", "chain 31337", "empty --dir")


def test_a_wrong_password_is_told_and_not_shown(setting: Setting) -> None:
    setting.node.folder.with_suffix(".password").write_text("hunter2-is-wrong\n")
    ends_with(setting.node, 2, "the password does not open", "try another")
    assert "hunter2" not in setting.node.log.read_text()


def test_a_viewer_that_hangs_up_owes_only_what_was_sent(setting: Setting) -> None:
    setting.origin.length = 8_000_000
    setting.node.options = ("--credit-bytes", "20000000", "--submit-seconds", "3600")
    setting.node.start()
    ticket = setting.ticket(1)
    with socket.create_connection(("127.0.0.1", setting.node.port)) as viewer:
        # A small receive buffer, or the system takes most of it for the viewer.
        viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        viewer.sendall(
            f"GET /v1/streams/{POOL}/source-0.m4s HTTP/1.1\r\nHost: node\r\n"
            f"{SESSION_HEADER}: 0x{ticket.session_id.hex()}\r\n\r\n".encode()
        )
        assert viewer.recv(1000).startswith(b"HTTP/1.1 200")
        assert setting.node.status()["unpaidBytes"] == 8_000_000
    wait_for(lambda: 0 < setting.node.status()["unpaidBytes"] < 7_000_000)
    status = setting.node.status()
    assert status["bytesServed"] == status["unpaidBytes"]


@dataclass(slots=True)
class Audience:
    """A viewer that asks for the playlist again and again, until it is told to leave or the node has gone."""

    setting: Setting
    ticket: typed_data.SessionTicket
    watches: threading.Event = field(default_factory=threading.Event)
    leaves: threading.Event = field(default_factory=threading.Event)
    asked_to_move: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        while not self.leaves.is_set():
            try:
                answer = self.setting.get(self.ticket, "source.m3u8")
            except httpx.TransportError:
                return
            self.watches.set()
            if answer.headers.get("StreamrP2P-Draining") == "1":
                self.asked_to_move.set()
            time.sleep(0.1)


@contextmanager
def watched(setting: Setting) -> Iterator[Audience]:
    """Run the node with a viewer that watches."""
    setting.node.start()
    audience = Audience(setting, setting.ticket(1))
    thread = threading.Thread(target=audience.watch)
    thread.start()
    try:
        assert audience.watches.wait(60)
        yield audience
    finally:
        audience.leaves.set()
        thread.join()


def test_viewers_are_asked_to_move_before_the_node_stops(setting: Setting) -> None:
    setting.node.options += ("--drain-seconds", "300")
    with watched(setting) as audience:
        assert setting.get(audience.ticket, "source-0.m4s").status_code == 200
        assert setting.node.process is not None
        setting.node.process.terminate()
        assert audience.asked_to_move.wait(60)
        assert setting.node.status()["closedBecause"] == "draining"
        ticket, signature = make_ticket(
            nonce=2,
            issued_at=setting.coordinator.genesis,
            expires_at=setting.coordinator.genesis + 600,
            max_bytes=10**9,
        )
        refused = _post(setting.node.url + "/v1/sessions", opening_of(ticket, signature).dump())
        assert (refused.status_code, refused.json()["title"]) == (503, "draining")
        assert refused.headers["Retry-After"]
        # Who watches is served on, and its receipts are taken.
        assert setting.get(audience.ticket, "source-1.m4s").status_code == 200
        assert setting.pay(audience.ticket, 1, 2000).status_code == 204
        audience.leaves.set()
        assert setting.node.process.wait(60) == 0
    (record,) = setting.coordinator.accepted_records()
    assert record.receipt.bytes_delivered == 2000
    stopping = next(event for event in setting.node.events() if event["event"] == "node_stopping")
    assert not stopping["viewers_left"]


def test_a_viewer_that_stays_holds_the_node_up_for_a_bounded_time(setting: Setting) -> None:
    setting.node.options += ("--drain-seconds", "1")
    with watched(setting) as audience:
        assert setting.node.process is not None
        setting.node.process.terminate()
        assert setting.node.process.wait(60) == 0
        assert audience.asked_to_move.is_set()
    stopping = next(event for event in setting.node.events() if event["event"] == "node_stopping")
    assert stopping["viewers_left"]


def test_a_second_sigterm_waits_for_no_viewer(setting: Setting) -> None:
    setting.node.options += ("--drain-seconds", "300")
    with watched(setting) as audience:
        assert setting.node.process is not None
        setting.node.process.terminate()
        assert audience.asked_to_move.wait(60)
        setting.node.process.terminate()
        assert setting.node.process.wait(60) == 0


def test_what_was_served_this_month_counts_after_kill_9(setting: Setting) -> None:
    setting.origin.length = 700_000
    setting.node.options = ("--credit-bytes", "9000000", "--monthly-gb", "0.001")
    setting.node.start()
    ticket = setting.ticket(1)
    assert setting.get(ticket, "source-0.m4s").status_code == 200
    wait_for(lambda: "700000" in _text(setting.node.folder / "month.json"))
    setting.node.kill()
    setting.node.start()
    assert setting.node.status()["month"]["bytesServed"] == 700_000
    assert setting.get(ticket, "source-1.m4s").status_code == 200
    over = setting.get(ticket, "source-2.m4s")
    assert (over.status_code, over.json()["title"]) == (503, "over data cap")


def test_all_viewers_together_get_no_more_than_the_bandwidth(setting: Setting) -> None:
    setting.origin.length = 500_000
    setting.node.options = ("--credit-bytes", "9000000", "--max-mbit", "8")
    setting.node.start()
    tickets = [setting.ticket(nonce) for nonce in range(2)]
    began_at = time.monotonic()
    threads = [
        threading.Thread(target=setting.get, args=(ticket, "source-0.m4s")) for ticket in tickets
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert setting.node.status()["bytesServed"] == 1_000_000
    # A quarter of a second's worth may leave at once.
    assert time.monotonic() - began_at >= 0.75


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
