"""Demands for data over a chain in memory: each is answered once, in time, whatever breaks in between."""

from collections.abc import Callable

import pytest

from streamrp2p.chain import (
    Call,
    DemandRecord,
    InsufficientFundsError,
    RpcUnavailableError,
    TransactionRevertedError,
)
from streamrp2p.fraud.answers import AnswerBook
from streamrp2p.fraud.evidence import Chunk
from streamrp2p.numbers import Address
from streamrp2p.settlement import Settlement
from streamrp2p_coordinator.chain import SignedTransaction
from streamrp2p_coordinator.errors import UnansweredDemandError
from streamrp2p_coordinator.tables import EpochRow, table_of
from streamrp2p_coordinator.use_cases.answer_demands import MAX_UNDER_WAY, answer_demands
from tests.coordinator.world import EPOCH_SECONDS, GENESIS, GRACE_SECONDS, World
from tests.support.demands import every_demand

SESSIONS = 17


def answer(world: World) -> int:
    services = world.services
    return answer_demands(
        database=services.database,
        chain=services.chain,
        bundles=services.bundles,
        poster=services.poster,
        clock=services.clock,
    )


@pytest.fixture
def settlement(world: World) -> Settlement:
    """Epoch 1, committed, in which a node had as many sessions as need five levels."""
    node = world.node()
    viewers = [world.viewer(node.address, nonce=nonce) for nonce in range(SESSIONS)]
    world.submit(node.batch(1, [viewer.record(1, 1_000_000) for viewer in viewers]))
    world.travel_to(GENESIS + 2 * EPOCH_SECONDS + GRACE_SECONDS)
    for _ in range(4):
        world.tick()
    header = world.chain.headers[1]
    return Settlement(header, world.services.bundles.read(header.data_hash))


@pytest.fixture
def chunks(settlement: Settlement) -> list[Chunk]:
    return [demand.chunk for demand in every_demand(settlement)]


def answers_made(world: World) -> int:
    return sum(isinstance(what, tuple) for what in world.chain.planned.values())


def test_every_part_of_a_pending_epoch_is_answered(
    world: World, settlement: Settlement, chunks: list[Chunk]
) -> None:
    demands = [world.chain.demand(1, chunk) for chunk in chunks]
    assert len(demands) == 40
    for _ in range(3):
        world.tick()
    book = AnswerBook(settlement.bundle)
    assert world.chain.answered == {
        demand.demand_id: book.answer(demand.demanded.chunk) for demand in demands
    }
    assert world.services.failures == {}
    world.tick()
    assert answers_made(world) == len(demands)


def test_few_wait_at_a_time_and_the_most_urgent_go_first(world: World, chunks: list[Chunk]) -> None:
    late = [world.chain.demand(1, chunk) for chunk in chunks[1:]]
    for demand in late:
        world.chain.demanded[demand.demand_id] = later(demand)
    urgent = world.chain.demand(1, chunks[0])
    assert answer(world) == MAX_UNDER_WAY
    assert answer(world) == 0
    world.chain.mine()
    assert urgent.demand_id in world.chain.answered
    assert len(world.chain.answered) == MAX_UNDER_WAY


def later(demand: DemandRecord) -> DemandRecord:
    return DemandRecord(
        demand.demand_id, demand.demanded, demand.demander, demand.answer_by + 1, demand.state
    )


def test_an_answer_that_was_recorded_but_not_sent_is_sent_again_as_it_was(
    world: World, chunks: list[Chunk], monkeypatch: pytest.MonkeyPatch
) -> None:
    demand = world.chain.demand(1, chunks[0])

    def fail(transaction: SignedTransaction) -> None:
        raise RpcUnavailableError("the RPC does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(world.chain, "send", fail)
        with pytest.raises(RpcUnavailableError):
            answer(world)
    with world.database.read() as store:
        (recorded,) = store.transactions.live(world.services.poster.address)
    assert (recorded.purpose, recorded.subject) == ("answer", "0x" + demand.demand_id.hex())
    assert answer(world) == 0
    world.tick()
    assert world.chain.mined[recorded.signed.hash]
    assert demand.demand_id in world.chain.answered


def test_a_demand_of_an_older_commit_is_left_alone(world: World, chunks: list[Chunk]) -> None:
    world.chain.demand(1, chunks[0])
    world.chain.veto(1)
    world.travel_to(world.clock.now + 1)
    for _ in range(3):
        world.tick()
    assert len(world.chain.headers) == 2
    assert answers_made(world) == 0
    again = world.chain.demand(1, chunks[0])
    world.tick()
    assert list(world.chain.answered) == [again.demand_id]


def test_what_cannot_be_shown_is_told_and_holds_nothing_up(
    world: World, settlement: Settlement, chunks: list[Chunk]
) -> None:
    unknown = Chunk(chunks[0].tree, bytes(32), 0, 5, 0, 0)  # type: ignore[arg-type]
    first, second = world.chain.demand(1, unknown), world.chain.demand(1, chunks[0])
    with pytest.raises(UnansweredDemandError, match="claims tree of epoch 1, level 0, index 0"):
        answer(world)
    world.tick()
    assert f"from Unix time {first.answer_by} on" in world.services.failures["answer"]
    assert list(world.chain.answered) == [second.demand_id]


def test_a_lost_bundle_is_told_with_its_deadline(
    world: World, settlement: Settlement, chunks: list[Chunk]
) -> None:
    bundles = world.services.bundles
    path = bundles.path(settlement.header.data_hash)
    kept = path.read_bytes()
    path.unlink()
    world.services.bundles = type(bundles)(path.parent)
    demand = world.chain.demand(1, chunks[0])
    world.tick()
    assert str(path) in world.services.failures["answer"]
    path.write_bytes(kept)
    world.tick()
    assert list(world.chain.answered) == [demand.demand_id]
    assert "answer" not in world.services.failures


def test_the_header_of_a_lost_database_comes_from_the_chain(
    world: World, chunks: list[Chunk]
) -> None:
    demand = world.chain.demand(1, chunks[0])
    with world.database.write() as store:
        store._connection.execute(table_of(EpochRow).delete())
    assert answer(world) == 1
    world.chain.mine()
    assert list(world.chain.answered) == [demand.demand_id]


def test_a_poster_that_cannot_pay_is_told(
    world: World, chunks: list[Chunk], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Call] = []

    def refuse(
        call: Call, private_key: bytes, nonce: int, *, seconds_left: int | None
    ) -> SignedTransaction:
        asked.append(call)
        raise InsufficientFundsError("the account cannot pay")

    for chunk in chunks[:3]:
        world.chain.demand(1, chunk)
    monkeypatch.setattr(world.chain, "sign", refuse)
    with pytest.raises(UnansweredDemandError, match="cannot pay"):
        answer(world)
    assert len(asked) == 1


def test_another_posters_headers_are_not_answered_for(world: World, chunks: list[Chunk]) -> None:
    world.chain.demand(1, chunks[0])
    world.chain.poster = Address(b"\x99" * 20)
    assert answer(world) == 0


@pytest.mark.parametrize("name", ["DataDemands_NotOpen", "DataDemands_HeaderNotPending"])
def test_what_somebody_else_answered_meanwhile_is_no_failure(
    world: World, chunks: list[Chunk], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    world.chain.demand(1, chunks[0])
    monkeypatch.setattr(world.chain, "sign", reverting_with(name))
    assert answer(world) == 0


def test_an_answer_that_comes_too_late_is_told(
    world: World, chunks: list[Chunk], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.chain.demand(1, chunks[0])
    monkeypatch.setattr(world.chain, "sign", reverting_with("DataDemands_AnswerLate"))
    with pytest.raises(UnansweredDemandError, match="AnswerLate"):
        answer(world)


def reverting_with(name: str) -> Callable[..., SignedTransaction]:
    def sign(
        call: Call, private_key: bytes, nonce: int, *, seconds_left: int | None
    ) -> SignedTransaction:
        assert seconds_left is not None
        raise TransactionRevertedError(name, {})

    return sign
