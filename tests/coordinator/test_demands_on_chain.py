"""Demands for data on the real contracts: every part of an epoch is answered, and no crash loses an answer."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from streamrp2p.bundle import decode_bundle
from streamrp2p.chain import DeploymentError
from streamrp2p.chain.abi_codec import artifact
from streamrp2p.chain.rpc import request
from streamrp2p.fraud.evidence import Chunk, Tree
from streamrp2p.settlement import Settlement
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import SessionTicket
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.demand_watch import REORGANISED_BLOCKS, DemandWatch
from streamrp2p_coordinator.sdk_chain import SdkChain
from streamrp2p_coordinator.use_cases.accept_batch import accept_batch
from streamrp2p_coordinator.use_cases.register_node import register_node
from tests.coordinator.actors import Node, Viewer, known_key
from tests.coordinator.gate import Gate, Mode
from tests.coordinator.process import (
    QUICK_EPOCHS,
    coordinator_over,
    let_time_pass,
    living_chain,
    wait_for,
)
from tests.coordinator.stage import Stage, staged
from tests.support.chain import GUARDIAN, POSTER, SHORT_EPOCHS, STRANGER, TICKET_SIGNER
from tests.support.demands import every_demand

pytestmark = pytest.mark.integration

WINDOW_SECONDS, RESPONSE_SECONDS = 1200, 300
NODES, SESSIONS = 9, 9
LONG_WINDOW = replace(
    SHORT_EPOCHS, challenge_seconds=WINDOW_SECONDS, response_seconds=RESPONSE_SECONDS
)
PUBLISH = artifact("DataDemands").functions["publishRecords"].selector
MODES: tuple[Mode, ...] = ("hold", "swallow")


@pytest.fixture
def stage(database: Database, tmp_path: Path) -> Iterator[Stage]:
    with staged(database, tmp_path, LONG_WINDOW) as stage:
        yield stage


def settle_broadly(stage: Stage) -> Settlement:
    """Let nine nodes earn in epoch 0, one of them in nine sessions, and commit it."""
    for number in range(NODES):
        submit(stage, Node(known_key(50 + number), stage.services.network.domain), number)
    stage.travel_to(stage.services.network.epochs.intake_end(0))
    stage.tick(3)
    (committed,) = stage.chain.epoch_book.committed()
    bundle = stage.services.bundles.read(committed.header.data_hash)
    assert len(bundle.session_records) == NODES - 1 + SESSIONS
    return Settlement(committed.header, bundle)


def is_first_or_last(chunk: Chunk) -> bool:
    return chunk.index in (0, (chunk.count - 1) >> chunk.level)


def submit(stage: Stage, node: Node, number: int) -> None:
    services, now = stage.services, stage.chain.now()
    parts = {"database": services.database, "network": services.network, "clock": services.clock}
    registration = node.registration(deadline=now + 3600)
    register_node(registration, chain=services.chain, **parts)  # type: ignore[arg-type]
    records = []
    for nonce in range(SESSIONS if number == 0 else 1):
        key = known_key(7)
        ticket = SessionTicket(1, 0, node.address, address_of(key), 10**9, now, now + 30, nonce)
        signature = sign(ticket.digest(node.domain), TICKET_SIGNER)
        records.append(Viewer(ticket, signature, node.domain, key).record(1, 1_000_000))
    accept_batch(
        node.batch(0, records),
        policy=services.policy,
        poster=services.poster,
        refresh=services.refresh,
        **parts,  # type: ignore[arg-type]
    )


def test_every_level_of_a_settled_epoch_is_answered_and_the_header_stands(stage: Stage) -> None:
    settlement = settle_broadly(stage)
    chain = stage.chain
    demands = [one for one in every_demand(settlement) if is_first_or_last(one.chunk)]
    assert {(one.chunk.tree, one.chunk.level) for one in demands if one.chunk.count > 1} == {
        *((Tree.NODES, level) for level in range(5)),
        *((Tree.CLAIMS, level) for level in range(5)),
        *((Tree.SESSIONS, level) for level in range(5)),
    }
    for demand in demands:
        chain.send(chain.data_demands.demand_call(settlement.header, demand), STRANGER)
    ticks = 0
    while {one.state for one in chain.data_demands.demands()} != {"answered"}:
        stage.tick()
        ticks += 1
        assert ticks < 20

    credit = chain.data_demands.credit_of(address_of(POSTER))
    assert credit == len(demands) * chain.data_demands.rules.demand_bond_wei
    chain.travel_to(chain.now() + WINDOW_SECONDS)
    stage.tick(2)
    assert stage.states()[0] == "final"


def test_demands_of_older_commits_and_of_others_are_told_apart(stage: Stage) -> None:
    settlement = settle_broadly(stage)
    chain, book = stage.chain, stage.chain.epoch_book
    first, second, *_ = every_demand(settlement)
    chain.send(chain.data_demands.demand_call(settlement.header, first), STRANGER)
    chain.send(book.veto_call(0), GUARDIAN)
    chain.travel_to(chain.now() + 1)
    stage.tick(4)
    chain.send(chain.data_demands.demand_call(settlement.header, second), STRANGER)
    stage.tick(2)
    states = [(one.demanded.chunk, one.state) for one in chain.data_demands.demands()]
    assert states == [(first.chunk, "open"), (second.chunk, "answered")]


def test_a_new_start_finds_what_was_demanded_since_the_oldest_pending_commit(stage: Stage) -> None:
    settlement = settle_broadly(stage)
    chain = stage.chain
    committed_at = chain.epoch_book.status(0).committed_at
    assert committed_at is not None
    demands = list(every_demand(settlement))[:3]
    for demand in demands:
        chain.send(chain.data_demands.demand_call(settlement.header, demand), STRANGER)
    watch = DemandWatch(chain.data_demands)
    found = watch.open(committed_at)
    assert [one.demanded.chunk for one in found] == [demand.chunk for demand in demands]
    assert watch._next_block <= chain.epoch_book.latest_block() + 1
    assert watch.open(committed_at) == found
    assert DemandWatch(chain.data_demands).open(chain.now() + 1) == []


def test_a_demand_whose_answer_is_on_a_branch_that_was_left_is_open_again(stage: Stage) -> None:
    settlement = settle_broadly(stage)
    chain, services = stage.chain, stage.services
    since = chain.epoch_book.status(0).committed_at
    assert since is not None
    demand = next(every_demand(settlement))
    chain.send(chain.data_demands.demand_call(settlement.header, demand), STRANGER)
    request(chain.web3, "anvil_mine", [hex(2 * REORGANISED_BLOCKS), "0x0"])
    watch = DemandWatch(chain.data_demands)
    (open_,) = watch.open(since)
    snapshot = request(chain.web3, "evm_snapshot", [])
    proven = services.bundles.answer_book(settlement.header.data_hash).answer(demand.chunk)
    chain.send(chain.data_demands.publish_call(open_.demanded, proven), POSTER)
    assert watch.open(since) == []

    assert request(chain.web3, "evm_revert", [snapshot])
    request(chain.web3, "evm_mine", [])
    assert watch.open(since) == [open_]


def test_a_demand_that_was_answered_long_ago_is_looked_at_no_more(stage: Stage) -> None:
    settlement = settle_broadly(stage)
    chain = stage.chain
    since = chain.epoch_book.status(0).committed_at
    assert since is not None
    demand = next(every_demand(settlement))
    chain.send(chain.data_demands.demand_call(settlement.header, demand), STRANGER)
    stage.tick(2)
    watch = DemandWatch(chain.data_demands)
    assert watch.open(since) == []
    assert len(watch._seen) == 1
    for _ in range(2):
        request(chain.web3, "anvil_mine", [hex(REORGANISED_BLOCKS + 1), "0x0"])
        assert watch.open(since) == []
    assert watch._seen == {}


def test_a_deployment_file_with_other_demands_than_the_books_is_refused(stage: Stage) -> None:
    wrong = replace(stage.chain.deployment, data_demands=stage.chain.deployment.challenges)
    with pytest.raises(DeploymentError, match="takes demands from 0x"):
        SdkChain(stage.chain.web3, wrong).network()


def test_killed_around_the_sending_of_an_answer_it_answers_once(
    database_url: str, tmp_path: Path, free_port: int
) -> None:
    """First with the answer recorded but not sent, then with it sent but not answered by the RPC."""
    with ExitStack() as stack:
        parameters = replace(QUICK_EPOCHS, challenge_seconds=600, response_seconds=120)
        chain = stack.enter_context(living_chain(tmp_path, parameters))
        chain.fund_pool(amount=0)
        gate = stack.enter_context(Gate(chain.rpc_url).running())
        coordinator = stack.enter_context(
            coordinator_over(chain, tmp_path, database_url, free_port, gate.url)
        )
        let_time_pass(chain)
        coordinator.start()
        for epoch, mode in enumerate(MODES):
            look = partial(chain.epoch_book.committed_header, epoch)
            header = wait_for(f"the commit of epoch {epoch}", look).header
            file = tmp_path / "bundles" / f"{header.data_hash.hex()}.bundle"
            (demand,) = every_demand(Settlement(header, decode_bundle(file.read_bytes())))
            gate.close(mode, PUBLISH)
            chain.send(chain.data_demands.demand_call(header, demand), STRANGER)
            assert gate.reached.wait(60)
            coordinator.kill()
            if mode == "hold":
                assert chain.data_demands.demands()[-1].state == "open"
            gate.open()
            coordinator.start()
            wait_for(
                "the answer", lambda: chain.data_demands.demands()[-1].state == "answered" or None
            )
        assert [one.state for one in chain.data_demands.demands()] == ["answered", "answered"]
        assert chain.data_demands.credit_of(address_of(POSTER)) == 2 * 10**16
        assert "transaction_ended" in coordinator.log
        assert "Traceback" not in coordinator.log
