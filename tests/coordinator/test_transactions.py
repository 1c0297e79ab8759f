"""The poster's nonces: none is left out, or what comes after it would wait for ever."""

from collections.abc import Callable

import pytest

from streamrp2p.chain import Call, TransactionRevertedError
from streamrp2p.numbers import Hash
from streamrp2p_coordinator.chain import SignedTransaction
from streamrp2p_coordinator.outbox import record_and_send
from streamrp2p_coordinator.use_cases.send_transactions import (
    PATIENCE_SECONDS,
    send_transactions,
)
from tests.coordinator.world import World


def send(world: World, call: Call, subject: str) -> SignedTransaction:
    services = world.services
    return record_and_send(
        call,
        "finalise",
        subject,
        database=services.database,
        chain=services.chain,
        poster=services.poster,
        clock=services.clock,
    )


def follow(world: World) -> dict[str, str]:
    """Follow the transactions up once, then mine; what ended, by subject."""
    services = world.services
    ended = send_transactions(
        database=services.database,
        chain=services.chain,
        poster=services.poster,
        clock=services.clock,
    )
    world.chain.mine()
    return {one.subject: one.state for one in ended}


def reverting(world: World, call: Call) -> Callable[[Call, bytes, int], SignedTransaction]:
    sign = world.chain.sign

    def signed(asked: Call, key: bytes, nonce: int) -> SignedTransaction:
        if asked == call:
            raise TransactionRevertedError("NodeRegistry_DeadlinePassed", {})
        return sign(asked, key, nonce)

    return signed


def hashes_mined(world: World) -> set[Hash]:
    return set(world.chain.mined)


def test_what_comes_after_a_transaction_that_was_given_up_is_mined(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = world.chain.finalise_call(0), world.chain.finalise_call(1)
    send(world, first, "first")
    after = send(world, second, "second")
    world.chain.waiting.clear()  # The RPC's node forgot both.
    monkeypatch.setattr(world.chain, "sign", reverting(world, first))
    world.clock.now += PATIENCE_SECONDS
    ended: dict[str, str] = {}
    for _ in range(3):
        ended |= follow(world)
    assert ended["first"] == "dropped"
    assert ended["second"] == "reverted"  # Mined, but nothing was to be made final.
    assert after.hash in hashes_mined(world)


def test_a_transaction_given_up_with_none_after_it_leaves_its_nonce_to_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = world.chain.finalise_call(0)
    given_up = send(world, first, "first")
    world.chain.waiting.clear()
    monkeypatch.setattr(world.chain, "sign", reverting(world, first))
    world.clock.now += PATIENCE_SECONDS
    assert follow(world) == {"first": "dropped"}
    assert send(world, world.chain.finalise_call(1), "next").nonce == given_up.nonce
