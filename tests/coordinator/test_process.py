"""A real coordinator process on a real chain and both databases: the whole way, and `kill -9` on it."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from streamrp2p import api
from streamrp2p.audit import ByteIdentical, audit
from streamrp2p.bundle import decode_bundle
from streamrp2p.chain import outcomes
from streamrp2p.chain.abi_codec import artifact
from streamrp2p.chain.rpc import request
from streamrp2p.client import ApiError, CoordinatorClient, UnreachableError
from streamrp2p.keccak import keccak
from streamrp2p.receipt import SessionRecord
from streamrp2p.settlement import GENESIS, Parent
from streamrp2p.signatures import address_of, recover, sign
from streamrp2p.typed_data import SessionTicket
from streamrp2p_coordinator.doctor import examine
from tests.coordinator.actors import Node, Viewer, known_key
from tests.coordinator.gate import Gate, Mode
from tests.coordinator.process import (
    Coordinator,
    coordinator_over,
    healthy_endpoint,
    let_time_pass,
    living_chain,
    wait_for,
)
from tests.signer.process import Signer, signer_over
from tests.support.chain import POSTER, STRANGER, TICKET_SIGNER, DeployedChain
from tests.support.ports import find_free_port

pytestmark = pytest.mark.integration

VIEWER_KEY = known_key(7)
COMMIT, FINALISE = (
    artifact("EpochBook").functions[name].selector for name in ("commit", "finalise")
)
MODES: tuple[Mode, ...] = ("hold", "swallow")


@dataclass
class Scene:
    """A funded pool, a registered node, and a coordinator behind a gate."""

    chain: DeployedChain
    gate: Gate
    coordinator: Coordinator
    client: CoordinatorClient
    node: Node

    def earn(self, delivered: int = 3_000_000, pool_id: int = 1) -> tuple[int, SessionRecord]:
        """Watch, sign, submit: one acknowledged record; its epoch."""
        request = api.SessionRequest(pool_id=pool_id, viewer=address_of(VIEWER_KEY))
        session = wait_for("a session", lambda: self._session(request))
        ticket = session.ticket.message()
        viewer = Viewer(ticket, session.signature, self.node.domain, VIEWER_KEY)
        record = viewer.record(1, delivered, signed_at=int(time.time()))
        batch = self.node.batch(ticket.epoch, [record])
        answer = wait_for("an acknowledgement", lambda: self._submit(batch))
        assert answer.ack.accepted == 1, answer
        return ticket.epoch, record

    def viewer(self, epoch: int, nonce: int) -> Viewer:
        """Admit a viewer with a ticket that the lent key signed."""
        now = int(time.time())
        ticket = SessionTicket(
            1, epoch, self.node.address, address_of(VIEWER_KEY), 10**9, now, now + 5, nonce
        )
        signature = sign(ticket.digest(self.node.domain), TICKET_SIGNER)
        return Viewer(ticket, signature, self.node.domain, VIEWER_KEY)

    def kill_at_the_gate(self) -> None:
        """Kill the coordinator while it sends what the gate waits for."""
        assert self.gate.reached.wait(120)
        self.coordinator.kill()

    def posted(self) -> list[tuple[bytes, int, bool]]:
        """Return the poster's transactions in the chain's blocks: selector, first argument, and success."""
        web3, found = self.chain.web3, []
        for number in range(self.chain.epoch_book.latest_block() + 1):
            block = request(web3, "eth_getBlockByNumber", [hex(number), True])
            for one in block["transactions"]:
                data = bytes.fromhex(one["input"][2:])
                if one["from"] == "0x" + address_of(POSTER).hex() and data:
                    (succeeded,) = outcomes(web3, [bytes.fromhex(one["hash"][2:])])
                    found.append((data[:4], int.from_bytes(data[4:36]), bool(succeeded)))
        return found

    def wait_for_commit(self, epoch: int) -> None:
        book = self.chain.epoch_book
        wait_for(f"a commit of epoch {epoch}", lambda: book.next_epoch() > epoch or None)

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
    with played(database_url, tmp_path, free_port) as scene:
        yield scene


@contextmanager
def played(
    database_url: str,
    folder: Path,
    port: int,
    prepare: Callable[[DeployedChain, Coordinator], None] = lambda _chain, _coordinator: None,
) -> Iterator[Scene]:
    """Start everything, and let `prepare` add to it before time goes on and the coordinator starts."""
    with ExitStack() as stack:
        chain = stack.enter_context(living_chain(folder))
        chain.fund_pool()
        gate = stack.enter_context(Gate(chain.rpc_url).running())
        coordinator = stack.enter_context(
            coordinator_over(chain, folder, database_url, port, gate.url)
        )
        prepare(chain, coordinator)
        endpoint = stack.enter_context(healthy_endpoint())
        let_time_pass(chain)
        client = coordinator.start()
        node = Node(known_key(8), chain.epoch_book.domain())
        payout = address_of(STRANGER)
        deadline = int(time.time()) + 3600
        client.register(node.registration(endpoint=endpoint, payout=payout, deadline=deadline))
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
    pools, proof = scene.chain.reward_pools, claim.proof()
    call = pools.opening(proof.header, pools.claim_call(proof))
    assert (call.to, call.data) == (claim.to, claim.call_data)
    scene.chain.send(call, STRANGER)
    assert scene.chain.token.balance_of(payout) - before == reward

    earnings = scene.client.earnings(scene.node.address)
    assert [(one.settled, one.final) for one in earnings.pools] == [(reward, reward)]
    assert scene.coordinator.stop() == 0
    assert "Traceback" not in scene.coordinator.log


def test_killed_in_the_middle_of_intake_it_loses_nothing_it_acknowledged(scene: Scene) -> None:
    acknowledged: list[tuple[api.Batch, api.BatchAnswer]] = []
    epoch, _ = scene.earn()
    stop = threading.Event()

    def submit(worker: int) -> None:
        with CoordinatorClient(scene.coordinator.url, attempts=1) as client:
            for round_number in range(1000):
                records = [
                    scene.viewer(epoch, worker * 100_000 + round_number * 20 + number).record(1, 10)
                    for number in range(20)
                ]
                batch = scene.node.batch(epoch, records, number=worker * 10_000 + round_number + 1)
                try:
                    acknowledged.append((batch, client.submit(batch)))
                except (ApiError, UnreachableError):
                    return
                if stop.is_set():
                    return

    threads = [threading.Thread(target=submit, args=(worker,)) for worker in range(1, 4)]
    for thread in threads:
        thread.start()
    wait_for("some acknowledgements", lambda: len(acknowledged) >= 10 or None)
    scene.coordinator.kill()
    stop.set()
    for thread in threads:
        thread.join()
    scene.client = scene.coordinator.start()

    again = [scene.client.submit(batch) for batch, _ in acknowledged]
    assert again == [answer for _, answer in acknowledged]
    scene.wait_for_state(epoch, "committed", "final")
    settled = set(scene.audited(epoch).settlement.bundle.session_records)
    for batch, answer in acknowledged:
        assert answer.ack.accepted == 20 or answer.rejections
        rejected = {one.rejection.session_id for one in answer.rejections}
        encoded = [batch.records[at : at + 274] for at in range(0, len(batch.records), 274)]
        kept = [one for one in encoded if SessionRecord.decode(one).session_id not in rejected]
        assert len(kept) == answer.ack.accepted
        assert settled.issuperset(kept)


def test_two_processes_on_one_database_answer_as_one(
    scene: Scene, tmp_path: Path, database_url: str
) -> None:
    second = Coordinator(
        tmp_path, {**scene.coordinator.settings}, find_free_port(), name="second", api_only=True
    )
    second.settings["port"] = second.port
    second.write()
    with ExitStack() as stack:
        other = stack.enter_context(second.running())
        epoch, _ = scene.earn()
        batch = scene.node.batch(epoch, [scene.viewer(epoch, 5).record(1, 1000)])
        barrier = threading.Barrier(6)

        def submit(client: CoordinatorClient) -> api.BatchAnswer:
            barrier.wait()
            return client.submit(batch)

        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(submit, [scene.client, other] * 3))
        assert len({answer.model_dump_json() for answer in answers}) == 1
        shown = scene.wait_for_state(epoch, "committed", "final")
        assert other.epoch(epoch).header_hash == shown.header_hash
    assert len(scene.chain.epoch_book.commits(epoch)) == 1


@pytest.mark.timeout(300)
def test_killed_around_what_it_sends_it_posts_each_header_once(scene: Scene) -> None:
    """First with a transaction recorded but not sent, then with it sent but not answered."""
    book, posted, earned = scene.chain.epoch_book, {}, set()
    for mode in MODES:
        epoch, record = scene.earn()
        earned.add(record.encode())
        scene.gate.close(mode, COMMIT + epoch.to_bytes(32))
        scene.kill_at_the_gate()
        if mode == "hold":
            assert book.next_epoch() == epoch
        scene.gate.close(mode, FINALISE + epoch.to_bytes(32))
        scene.client = scene.coordinator.start()
        posted[epoch] = scene.wait_for_state(epoch, "committed", "final")
        scene.kill_at_the_gate()
        if mode == "hold":
            assert book.state().finalised_epochs == epoch
        scene.gate.open()
        scene.client = scene.coordinator.start()
        scene.wait_for_state(epoch, "final")

    for epoch, shown in posted.items():
        (commit,) = scene.chain.epoch_book.commits(epoch)
        assert shown.header_hash == commit.header_hash
        final = scene.wait_for_state(epoch, "final")
        assert final.commit_transaction == commit.transaction_hash
    assert scene.audited(max(posted)).settlement.header.hash() == posted[max(posted)].header_hash
    bundles = [scene.client.bundle(book.commits(epoch)[0].header.data_hash) for epoch in posted]
    assert earned == {one for data in bundles for one in decode_bundle(data).session_records}
    made = scene.posted()
    assert all(succeeded for _, _, succeeded in made)
    for selector in (COMMIT, FINALISE):
        epochs = [epoch for made_by, epoch, _ in made if made_by == selector]
        assert epochs == list(range(len(epochs)))
        assert len(epochs) > max(posted)


@pytest.mark.timeout(300)
def test_killed_around_the_sending_of_a_replacement_it_posts_one_header(scene: Scene) -> None:
    """First the replacement is never sent and the one before it is mined after all, then the other way round."""
    scene.coordinator.kill()
    scene.coordinator.module = "tests.coordinator.impatient"
    scene.client = scene.coordinator.start()
    book, mined = scene.chain.epoch_book, {}
    for mode in MODES:
        epoch, _ = scene.earn()
        scene.gate.close(mode, COMMIT + epoch.to_bytes(32), to_replacements=True)
        scene.kill_at_the_gate()
        lost = scene.gate.lost
        assert lost is not None
        if mode == "hold":
            assert book.next_epoch() == epoch
            request(scene.chain.web3, "eth_sendRawTransaction", [lost])
        scene.wait_for_commit(epoch)
        (commit,) = book.commits(epoch)
        mined[epoch] = commit
        is_first = commit.transaction_hash == keccak(bytes.fromhex(lost[2:]))
        assert is_first == (mode == "hold")
        scene.gate.open()
        scene.client = scene.coordinator.start()

    for epoch, commit in mined.items():
        shown = scene.wait_for_state(epoch, "final")
        assert shown.commit_transaction == commit.transaction_hash
        assert book.commits(epoch) == [commit]
    assert all(succeeded for _, _, succeeded in scene.posted())


@pytest.mark.timeout(240)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sessions_that_a_streamers_own_signer_admits_settle_beside_those_of_the_lent_key(
    database_url: str, tmp_path: Path, free_port: int
) -> None:
    with ExitStack() as stack:
        signers: list[Signer] = []

        def add_signer(chain: DeployedChain, coordinator: Coordinator) -> None:
            signer = stack.enter_context(signer_over(chain, tmp_path / "signer"))
            assert chain.fund_pool(ticket_signer=signer.address) == 2
            budgets = {"epoch_budget": str(10**20), "day_budget": str(10**21)}
            signer.serve_pool(2, price_per_gb=str(10**19), max_ticket_bytes=10**8, **budgets)
            signer.start()
            with coordinator.config.open("a") as settings:
                settings.write(f'[ticket_signers]\n2 = "{signer.url}"\n')
            signers.append(signer)

        scene = stack.enter_context(played(database_url, tmp_path, free_port, add_signer))
        epoch, own = scene.earn(2_000_000, pool_id=2)
        later, lent = scene.earn(3_000_000)
        found = [
            recover(record.ticket.digest(scene.node.domain), record.ticket_signature)
            for record in (own, lent)
        ]
        assert found == [signers[0].address, address_of(TICKET_SIGNER)]
        assert examined(scene.coordinator)["ticket signer of pool 2"] == "ok"

        assert signers[0].stop() == 0
        request = api.SessionRequest(pool_id=2, viewer=address_of(VIEWER_KEY))
        with (
            CoordinatorClient(scene.coordinator.url, attempts=1) as client,
            pytest.raises(ApiError) as silent,
        ):
            client.open_session(request)
        assert (silent.value.status, silent.value.slug) == (503, "ticket-signer-unavailable")

        scene.wait_for_state(max(epoch, later), "final")
        spends = {
            row.pool_id: row.spend
            for number in {epoch, later}
            for row in scene.audited(number).settlement.bundle.pool_rows
            if row.spend
        }
    assert spends == {1: 3 * 10**16, 2: 2 * 10**16}


def examined(coordinator: Coordinator) -> dict[str, str]:
    """Let the doctor look; the level of each check."""
    return {found.check: found.level for found in examine(coordinator.config)}
