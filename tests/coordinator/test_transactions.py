"""The poster's transactions: each nonce is taken once and used in the end, whatever pool and blocks forget."""

from collections.abc import Callable
from typing import Any

import pytest

from streamrp2p.chain import Call, FeeCeilingError, TransactionRevertedError
from streamrp2p_coordinator.chain import SignedTransaction
from streamrp2p_coordinator.jobs import run_epochs
from streamrp2p_coordinator.network import Signer
from streamrp2p_coordinator.outbox import record_and_send
from streamrp2p_coordinator.repositories.transactions import Purpose
from streamrp2p_coordinator.use_cases.follow_transactions import follow_transactions
from streamrp2p_coordinator.use_cases.send_transactions import (
    PATIENCE_SECONDS,
    URGENT_PATIENCE_SECONDS,
    patience_seconds,
    send_transactions,
)
from tests.coordinator.actors import known_key
from tests.coordinator.memory_chain import BOOK, REORG_BLOCKS
from tests.coordinator.world import (
    CHALLENGE_SECONDS,
    EPOCH_SECONDS,
    GENESIS,
    GRACE_SECONDS,
    World,
)


def send(
    world: World,
    call: Call,
    subject: str,
    purpose: Purpose = "register",
    *,
    poster: Signer | None = None,
    due_at: int | None = None,
) -> SignedTransaction:
    services = world.services
    return record_and_send(
        call,
        purpose,
        subject,
        database=services.database,
        chain=services.chain,
        poster=poster or services.poster,
        clock=services.clock,
        due_at=due_at,
    )


def send_again(world: World) -> None:
    services = world.services
    send_transactions(
        database=services.database,
        chain=services.chain,
        poster=services.poster,
        clock=services.clock,
    )


def follow(world: World) -> dict[str, str]:
    """Look at the transactions once; the new states by subject and nonce."""
    services = world.services
    changed = follow_transactions(database=services.database, chain=services.chain)
    return {f"{one.subject}@{one.signed.nonce}": one.state for one in changed}


def live(world: World) -> list[str]:
    with world.database.read() as store:
        live = store.transactions.live(world.services.poster.address)
        return [f"{one.subject}@{one.signed.nonce}" for one in live]


def reverting(world: World, call: Call) -> Callable[..., SignedTransaction]:
    sign = world.chain.sign

    def signed(asked: Call, key: bytes, nonce: int, **options: Any) -> SignedTransaction:  # noqa: ANN401 - as they are
        if asked == call:
            raise TransactionRevertedError("NodeRegistry_DeadlinePassed", {})
        return sign(asked, key, nonce, **options)

    return signed


NOTHING = Call(BOOK, b"nothing")


def test_nonces_are_the_databases(world: World) -> None:
    assert [send(world, NOTHING, name).nonce for name in "ab"] == [0, 1]
    world.chain.waiting.clear()  # The RPC's node forgot both, and another knows of none.
    assert send(world, NOTHING, "c").nonce == 2
    send_again(world)
    world.chain.mine()
    assert follow(world) == {"a@0": "mined", "b@1": "mined", "c@2": "mined"}


def test_what_would_fail_now_leaves_its_nonce_to_one_that_does_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = world.chain.finalise_call(0), world.chain.finalise_call(1)
    send(world, first, "first")
    send(world, second, "second")
    world.chain.waiting.clear()
    monkeypatch.setattr(world.chain, "sign", reverting(world, first))
    world.clock.now += PATIENCE_SECONDS
    send_again(world)
    # The first may still be mined: whoever waits for it waits on.
    assert live(world) == ["first@0", "0@0", "second@1"]
    world.chain.mine()
    # Mined, but nothing was to be made final.
    assert follow(world) == {"first@0": "dropped", "0@0": "mined", "second@1": "reverted"}


def test_an_rpc_that_takes_nothing_that_reverts_leaves_no_nonce_unused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, sends = world.chain.finalise_call(0), world.chain.send

    def picky(transaction: SignedTransaction) -> None:
        if world.chain.calls[transaction.hash] == first:
            raise TransactionRevertedError("EpochBook_NotDue", {})
        sends(transaction)

    monkeypatch.setattr(world.chain, "send", picky)
    send(world, first, "first")
    send(world, NOTHING, "second")
    monkeypatch.setattr(world.chain, "sign", reverting(world, first))
    world.clock.now += PATIENCE_SECONDS
    send_again(world)
    assert live(world) == ["first@0", "0@0", "second@1"]
    world.chain.mine()
    assert follow(world) == {"first@0": "dropped", "0@0": "mined", "second@1": "mined"}


def test_whichever_of_one_nonce_is_mined_ends_the_others(world: World) -> None:
    early = send(world, NOTHING, "a")
    for _ in range(2):
        world.clock.now += PATIENCE_SECONDS
        send_again(world)
    assert live(world) == ["a@0"] * 3
    world.chain.waiting = [early]  # The block's maker never saw the dearer ones.
    world.chain.mine()
    with world.database.read() as store:
        before = store.transactions.unsettled(world.services.poster.address, 0)
    follow(world)
    with world.database.read() as store:
        after = store.transactions.unsettled(world.services.poster.address, 0)
    assert [one.state for one in before] == ["live"] * 3
    assert [one.state for one in after] == ["mined", "dropped", "dropped"]
    assert after[0].signed == early


def test_only_the_lowest_nonce_is_replaced(world: World) -> None:
    send(world, NOTHING, "a")
    send(world, NOTHING, "b")
    world.clock.now += PATIENCE_SECONDS - 1
    send_again(world)
    assert live(world) == ["a@0", "b@1"]
    world.clock.now += 1
    send_again(world)
    assert live(world) == ["a@0", "a@0", "b@1"]


def test_a_clock_that_was_set_back_keeps_nothing_from_being_replaced(world: World) -> None:
    send(world, NOTHING, "a")
    world.clock.now -= 3600
    send_again(world)
    assert live(world) == ["a@0", "a@0"]
    world.clock.now += PATIENCE_SECONDS - 1
    send_again(world)
    assert live(world) == ["a@0", "a@0"]


def test_what_an_answer_waits_for_is_urgent(world: World) -> None:
    world.chain.fee = world.chain.ceiling
    send(world, NOTHING, "a")
    send(world, NOTHING, "demand", "answer", due_at=world.clock.now + 3600)
    world.clock.now += URGENT_PATIENCE_SECONDS
    send_again(world)
    assert live(world) == ["a@0", "a@0", "demand@1"]


def test_more_is_offered_the_nearer_a_deadline_is(world: World) -> None:
    """From the usual fee at first to the ceiling of what has a deadline; afterwards it is in no hurry."""
    due_at = world.clock.now + 900
    send(world, NOTHING, "demand", "answer", due_at=due_at)
    offered: dict[int, int] = {}
    for left in (899, 885, 300, 60, 8, 1):
        world.clock.now = due_at - left
        send_again(world)
        (waiting,) = world.chain.waiting
        offered[left] = int.from_bytes(waiting.raw[-8:])
    assert offered == {899: 1, 885: 2, 300: 3, 60: 10, 8: 75, 1: 600}
    world.clock.now += 1 + URGENT_PATIENCE_SECONDS
    before = live(world)
    send_again(world)
    assert live(world) == before


@pytest.mark.parametrize(
    ("left", "patience"), [(None, 60), (3600, 15), (120, 15), (80, 10), (8, 1), (1, 0)]
)
def test_patience_ends_with_the_time(left: int | None, patience: int) -> None:
    assert patience_seconds(left) == patience


def test_another_key_has_nonces_of_its_own(world: World) -> None:
    """The old key's are neither filled nor waited for, and what becomes of them is still noted."""
    old, new = world.services.poster, Signer.of(known_key(77))
    for name in "abc":
        send(world, NOTHING, name)
    assert send(world, NOTHING, "d", poster=new).nonce == 0
    world.services.poster = new
    world.clock.now += PATIENCE_SECONDS
    send_again(world)
    assert live(world) == ["d@0", "d@0"]
    world.chain.mine()
    assert follow(world) == {"a@0": "mined", "b@1": "mined", "c@2": "mined", "d@0": "mined"}
    with world.database.read() as store:
        assert store.transactions.senders() == sorted([old.address, new.address])
        assert store.transactions.next_nonce(new.address) == 1


def test_above_the_ceiling_nothing_is_signed_and_what_was_sent_stays(world: World) -> None:
    world.chain.fee = world.chain.ceiling
    sent = send(world, NOTHING, "a")
    world.clock.now += PATIENCE_SECONDS
    with pytest.raises(FeeCeilingError, match="wait until gas is cheaper"):
        send_again(world)
    assert world.chain.waiting == [sent]
    world.chain.fee += 1
    with pytest.raises(FeeCeilingError):
        send(world, NOTHING, "b")
    assert live(world) == ["a@0"]
    run_epochs(world.services)
    assert "ceiling" in world.services.failures["send"]


def test_a_nonce_that_was_used_elsewhere_is_told_and_the_next_is_taken(world: World) -> None:
    send(world, NOTHING, "a")
    world.chain.waiting.clear()
    world.chain.use_nonce()
    world.chain.use_nonce()
    send_again(world)
    assert follow(world) == {"a@0": "taken"}
    assert send(world, NOTHING, "a").nonce == 2
    world.chain.mine()
    assert follow(world) == {"a@2": "mined"}


def test_a_gap_that_another_transaction_left_is_filled(world: World) -> None:
    foreign = world.chain.sign(NOTHING, b"", 0)
    world.chain.send(foreign)
    assert send(world, NOTHING, "a").nonce == 1
    world.chain.waiting.clear()
    world.clock.now += PATIENCE_SECONDS
    send_again(world)
    assert live(world) == ["0@0", "a@1"]
    world.chain.mine()
    assert follow(world) == {"0@0": "mined", "a@1": "mined"}


def test_what_left_its_block_is_sent_again_until_it_is_settled(world: World) -> None:
    send(world, NOTHING, "a")
    world.chain.mine()
    assert follow(world) == {"a@0": "mined"}
    world.chain.unmine()
    assert follow(world) == {"a@0": "live"}
    send_again(world)
    world.chain.mine()
    assert follow(world) == {"a@0": "mined"}
    for _ in range(REORG_BLOCKS):
        world.chain.mine()
    poster = world.services.poster.address
    settled = world.chain.transaction_count(poster, "settled")
    with world.database.read() as store:
        assert store.transactions.unsettled(poster, settled) == []


@pytest.mark.parametrize("depth", range(1, 5))
def test_headers_follow_a_reorganisation(world: World, depth: int) -> None:
    """The blocks of two commits and two finalisations are taken back; the same transactions do it all again."""
    world.travel_to(GENESIS + 2 * EPOCH_SECONDS + GRACE_SECONDS)
    world.tick()
    world.tick()
    world.travel_to(world.clock.now + CHALLENGE_SECONDS)
    for _ in range(2):
        world.tick()
    before, mined = list(world.chain.headers), set(world.chain.mined)
    assert (len(before), world.chain.finalised) == (2, 2)

    world.chain.unmine(depth)
    for _ in range(3):
        world.tick()
    world.travel_to(world.clock.now + CHALLENGE_SECONDS)
    for _ in range(4):
        world.tick()
    assert world.services.failures == {}
    assert (world.chain.headers[:2], world.chain.finalised >= 2) == (before, True)
    assert mined <= set(world.chain.mined)
    shown = [world.get(f"/v1/epochs/{epoch}") for epoch in range(2)]
    assert [epoch["state"] for epoch in shown] == ["final", "final"]
