"""Leaves that are dropped, doubled, swapped or invented, in each of the four trees."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from streamrp2p.claims_tree import ClaimLeaf, entry_word
from streamrp2p.fraud import Acknowledged
from tests.fraud.liar import NodePlan, Plan, PoolPlan
from tests.fraud.mutant import Mutant, plan, promise, variants
from tests.fraud.scene import GB, LAST_EPOCH, NODES, record_of

Leaves = Callable[[Plan], list[Any]]
Lists = Callable[[list[Any]], list[Any]]


def leaf_mutants() -> Iterator[Mutant]:
    """Yield them."""
    yield from _rearranged("pools", lambda wrong: wrong.pools)
    yield from _rearranged("nodes", lambda wrong: wrong.pool(1).nodes)
    yield from _rearranged("nodes", lambda wrong: wrong.pool(4).nodes)
    yield from _rearranged("nodes", lambda wrong: wrong.pool(5).nodes)
    yield from _rearranged("sessions", lambda wrong: wrong.node(1, NODES[0]).sessions)
    yield from _rearranged("sessions", lambda wrong: wrong.node(1, NODES[3]).sessions)
    yield from _rearranged("sessions", lambda wrong: wrong.node(5, NODES[1]).sessions)
    yield from _invented()
    yield from _claims()


def _changes(count: int) -> Iterator[tuple[str, str, Lists]]:
    last = count - 1
    for at in sorted({0, count // 2, last}):
        yield "dropped", f"leaf {at}", partial(_dropped, at)
        yield "doubled", f"leaf {at}", partial(_doubled, at)
    for at in sorted({0, count // 2, last - 1} & set(range(last))):
        yield "swapped", f"leaves {at} and {at + 1}", partial(_swapped, at)
    if count > 1:
        yield "swapped", "all reversed", lambda all_: all_[::-1]
        yield "dropped", "all", lambda _: []
        yield "doubled", "first again at the end", lambda all_: [*all_, all_[0]]


def _dropped(at: int, all_: list[Any]) -> list[Any]:
    return all_[:at] + all_[at + 1 :]


def _doubled(at: int, all_: list[Any]) -> list[Any]:
    return all_[: at + 1] + all_[at:]


def _swapped(at: int, all_: list[Any]) -> list[Any]:
    return [*all_[:at], all_[at + 1], all_[at], *all_[at + 2 :]]


def _altered(at: int, alter: Callable[[Any], Any], all_: list[Any]) -> list[Any]:
    return [*all_[:at], alter(all_[at]), *all_[at + 1 :]]


def _rearranged(tree: str, leaves: Leaves) -> Iterator[Mutant]:
    for group, name, change in _changes(len(leaves(plan()))):
        wrong = plan()
        found = leaves(wrong)
        count = len(found)
        found[:] = change(found)
        for mutant in variants(f"{tree}: {group}", f"{name} of {count}", wrong):
            yield replace(mutant, acknowledged=_missing(wrong))


def _missing(wrong: Plan) -> tuple[Acknowledged, ...]:
    """Return what was acknowledged of one node, if the plan leaves some of it out: else nobody could know."""
    there = {
        session.session_id
        for pool in wrong.pools
        for node in pool.nodes
        for session in node.sessions
    }
    missing = [one for one in wrong.epoch.records if one.session_id not in there]
    return (
        promise([one for one in missing if one.ticket.node == missing[0].ticket.node])[:1]
        if missing
        else ()
    )


def _invented() -> Iterator[Mutant]:
    for pool_id in (2, 9):
        wrong = plan()
        wrong.pools.append(PoolPlan(pool_id, []))
        wrong.pools.sort(key=lambda pool: pool.pool_id)
        yield from variants("pools: invented", f"pool {pool_id}, idle", wrong)
    wrong = plan()
    nodes = [NodePlan(NODES[0], [record_of(LAST_EPOCH, (2, 0, GB), 80)])]
    wrong.pools.insert(1, PoolPlan(2, nodes, {"spend": GB}))
    yield from variants("pools: invented", "pool 2, closed, with a session", wrong)
    for pool_id in (1, 3, 6):
        wrong = plan()
        wrong.pool(pool_id).nodes.append(NodePlan(NODES[-1], []))
        yield from variants("nodes: invented", f"pool {pool_id}, a node without sessions", wrong)
        wrong = plan()
        wrong.pool(pool_id).nodes.append(NodePlan(NODES[-1], [], {"weight": GB}))
        yield from variants("nodes: invented", f"pool {pool_id}, a node with weight alone", wrong)


def _claims() -> Iterator[Mutant]:
    count = len(plan().epoch.settled.bundle.claims)
    for group, name, change in _changes(count):
        wrong = plan()
        wrong.change_claims = change
        yield from variants(f"claims: {group}", name, wrong)
    stranger = ClaimLeaf(NODES[-1], (entry_word(1, 1),))
    for name, change in {
        "an account": lambda all_: [*all_, stranger],
        "an account of a closed pool": lambda all_: [
            *all_,
            ClaimLeaf(NODES[-1], (entry_word(2, 1),)),
        ],
    }.items():
        wrong = plan()
        wrong.change_claims = change
        yield from variants("claims: invented", name, wrong)
    for at in range(count):
        for name, alter in _entries():
            wrong = plan()
            wrong.change_claims = partial(_altered, at, alter)
            yield from variants(f"claim: {name.partition(',')[0]}", f"account {at}, {name}", wrong)
    for at in (0, count - 1):
        wrong = plan()
        wrong.change_claims = partial(_altered, at, _endless)
        name = "claim: entries that no transaction holds"
        yield from variants(name, f"account {at}", wrong)
    wrong = plan(0)
    wrong.change_claims = lambda all_: [_raised(all_[0], 0, 1), *all_[1:]]
    yield from variants("claim: in epoch 0", "raised", wrong)


def _entries() -> Iterator[tuple[str, Callable[[ClaimLeaf], ClaimLeaf]]]:
    yield "entry raised, first", lambda claim: _raised(claim, 0, 1)
    yield "entry raised, last", lambda claim: _raised(claim, -1, 1)
    yield "entry lowered, first", lambda claim: _raised(claim, 0, -1)
    yield "entry of another pool", lambda claim: _raised(claim, -1, 1 << 128)
    yield "entry invented", lambda claim: _with(claim, (*claim.entries, entry_word(99, 1)))
    yield "entry dropped", lambda claim: _with(claim, claim.entries[1:])
    yield "entry doubled", lambda claim: _with(claim, (*claim.entries, claim.entries[-1]))
    yield "entry of reward 0", lambda claim: _with(claim, (*claim.entries, entry_word(99, 0)))
    yield "entry beyond 32 bits", lambda claim: _with(claim, (*claim.entries, 1 << 160 | 1))
    yield "entry of pool 0", lambda claim: _with(claim, (1, *claim.entries))
    yield "entries swapped", lambda claim: _with(claim, (entry_word(7, 1), *claim.entries))
    yield "entries, none", lambda claim: _with(claim, ())
    yield (
        "entries, 257",
        lambda claim: _with(
            claim,
            (
                *claim.entries,
                *(entry_word(pool, 1) for pool in range(100, 357 - len(claim.entries))),
            ),
        ),
    )
    yield "account", lambda claim: ClaimLeaf(NODES[-1], claim.entries)


def _endless(claim: ClaimLeaf) -> ClaimLeaf:
    return _with(claim, (*claim.entries, *(entry_word(pool, 1) for pool in range(100, 5000))))


def _raised(claim: ClaimLeaf, at: int, step: int) -> ClaimLeaf:
    entries = list(claim.entries)
    entries[at] += step
    return _with(claim, tuple(entries))


def _with(claim: ClaimLeaf, entries: tuple[int, ...]) -> ClaimLeaf:
    return ClaimLeaf(claim.account, entries)
