"""A real coordinator process on a real chain and both databases: the whole way, and `kill -9` on it."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from streamrp2p import api
from streamrp2p.audit import ByteIdentical, audit
from streamrp2p.bundle import decode_bundle
from streamrp2p.chain.abi_codec import artifact
from streamrp2p.client import CoordinatorClient
from streamrp2p.receipt import SessionRecord
from streamrp2p.settlement import GENESIS, Parent
from streamrp2p.signatures import address_of
from tests.coordinator.actors import Node, Viewer, known_key
from tests.coordinator.gate import Gate
from tests.coordinator.process import (
    Coordinator,
    coordinator_over,
    healthy_endpoint,
    let_time_pass,
    living_chain,
    wait_for,
)
from tests.support.chain import STRANGER, DeployedChain

pytestmark = pytest.mark.integration

VIEWER_KEY = known_key(7)


@dataclass
class Scene:
    """A funded pool, a registered node, and a coordinator behind a gate."""

    chain: DeployedChain
    gate: Gate
    coordinator: Coordinator
    client: CoordinatorClient
    node: Node

    def earn(self, delivered: int = 3_000_000) -> tuple[int, SessionRecord]:
        """Watch, sign, submit: one acknowledged record; its epoch."""
        request = api.SessionRequest(pool_id=1, viewer=address_of(VIEWER_KEY))
        session = wait_for("a session", lambda: self._session(request))
        ticket = session.ticket.message()
        viewer = Viewer(ticket, session.signature, self.node.domain, VIEWER_KEY)
        record = viewer.record(1, delivered, signed_at=int(time.time()))
        batch = self.node.batch(ticket.epoch, [record])
        answer = wait_for("an acknowledgement", lambda: self._submit(batch))
        assert answer.ack.accepted == 1, answer
        return ticket.epoch, record

    def wait_for_state(self, epoch: int, *states: str) -> api.Epoch:
        def look() -> api.Epoch | None:
            found = self.client.epoch(epoch)
            return found if found.state in states else None

        return wait_for(f"epoch {epoch} {states}", look)

    def audited(self, epoch: int) -> ByteIdentical:
        """Audit every epoch up to this one from public data."""
        parent = GENESIS
        verdict: object = None
        for number in range(epoch + 1):
            committed = self.chain.epoch_book.committed_header(number)
            assert committed is not None
            data = self.client.bundle(committed.header.data_hash)
            pools = self.chain.reward_pools.pool_inputs(number)
            poster = self.chain.epoch_book.poster()
            verdict = audit(self.node.domain, committed.header, data, parent, pools, poster)
            assert isinstance(verdict, ByteIdentical), verdict
            parent = Parent.of(committed.header, decode_bundle(data))
        assert isinstance(verdict, ByteIdentical)
        return verdict

    def _session(self, request: api.SessionRequest) -> api.Session | None:
        try:
            session = self.client.open_session(request)
        except Exception as error:
            if getattr(error, "retryable", False):
                return None
            raise
        # One that is about to end would be of a closed epoch before it is submitted.
        return session if session.ticket.expires_at - session.ticket.issued_at >= 2 else None

    def _submit(self, batch: api.Batch) -> api.BatchAnswer | None:
        try:
            return self.client.submit(batch)
        except Exception as error:
            if getattr(error, "retryable", False):
                return None
            raise


@pytest.fixture
def scene(database_url: str, tmp_path: Path, free_port: int) -> Iterator[Scene]:
    """Start everything; the node is up and known to the chain."""
    with ExitStack() as stack:
        chain = stack.enter_context(living_chain(tmp_path))
        chain.fund_pool()
        selector = artifact("EpochBook").functions["commit"].selector
        gate = stack.enter_context(Gate(chain.rpc_url, selector).running())
        coordinator = stack.enter_context(
            coordinator_over(chain, tmp_path, database_url, free_port, gate.url)
        )
        endpoint = stack.enter_context(healthy_endpoint())
        let_time_pass(chain)
        client = coordinator.start()
        node = Node(known_key(8), chain.epoch_book.domain())
        payout = address_of(STRANGER)
        client.register(node.registration(endpoint=endpoint, payout=payout))
        wait_for("a healthy node", lambda: client.node(node.address).is_healthy or None)
        yield Scene(chain, gate, coordinator, client, node)


def test_an_acknowledged_receipt_is_paid_although_the_coordinator_was_killed(scene: Scene) -> None:
    epoch, record = scene.earn()
    scene.coordinator.kill()
    scene.client = scene.coordinator.start()

    scene.wait_for_state(epoch, "final")
    settlement = scene.audited(epoch).settlement
    assert settlement.bundle.session_records == (record.encode(),)
    reward = 3_000_000 * 10 * 10**18 // 10**9
    assert [row.reward for row in settlement.bundle.node_rows] == [reward]

    payout = scene.chain.node_registry.payout_of(scene.node.address)
    assert payout == address_of(STRANGER)
    before = scene.chain.token.balance_of(payout)
    claim = scene.client.claim(scene.node.address)
    assert claim.proof().is_valid()
    call = scene.chain.reward_pools.claim_call(claim.proof())
    assert (call.to, call.data) == (claim.to, claim.call_data)
    scene.chain.send(call, STRANGER)
    assert scene.chain.token.balance_of(payout) - before == reward

    earnings = scene.client.earnings(scene.node.address)
    assert [(one.settled, one.final) for one in earnings.pools] == [(reward, reward)]
    assert scene.coordinator.stop() == 0
    assert "Traceback" not in scene.coordinator.log


@pytest.mark.parametrize("mode", ["hold", "swallow"])
def test_killed_around_the_sending_of_a_commit_it_posts_one_header(scene: Scene, mode: str) -> None:
    epoch, _ = scene.earn()
    wait_for("the epoch before", lambda: scene.chain.epoch_book.next_epoch() == epoch or None)
    scene.gate.mode = mode  # type: ignore[assignment]
    assert scene.gate.reached.wait(60)
    scene.coordinator.kill()
    if mode == "hold":
        assert scene.chain.epoch_book.next_epoch() == epoch
    scene.gate.mode = "open"
    scene.client = scene.coordinator.start()

    shown = scene.wait_for_state(epoch, "final")
    (commit,) = scene.chain.epoch_book.commits(epoch)
    assert shown.header_hash == commit.header_hash
    assert shown.commit_transaction == commit.transaction_hash
    assert scene.audited(epoch).settlement.header == commit.header
