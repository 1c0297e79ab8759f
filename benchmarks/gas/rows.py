"""What is measured: one function per kind of call, each of which yields rows."""

from collections.abc import Callable, Iterator

from benchmarks.gas.challenges import challenges
from benchmarks.gas.demands import demands
from benchmarks.gas.row import Row
from benchmarks.gas.stage import FUNDS, GasStage, fresh_stage, stream, terms
from streamrp2p.chain import Call
from streamrp2p.claim import ClaimProof
from streamrp2p.claims_tree import ClaimLeaf, entry_word
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import ClaimRedirect, NodeRegistration
from tests.support.chain import GUARDIAN, NODE, POSTER, STRANGER, STREAMER

ACCOUNT = address_of(NODE)
ELSEWHERE = Address(keccak(b"elsewhere")[:20])
DEPTH = 20
SMALL_DEPTH = 10
PUSHED = 64
PUSHED_FROM = 0xABC40
"""A multiple of 64, so the pushed accounts are a whole subtree: the best that a pusher can choose."""
PUSHED_FROM_ANYWHERE = PUSHED_FROM + 21
FIRST, LATER = 123 * 10**18, 456_789 * 10**15
"""Cumulative rewards, base units."""
NO_DEADLINE = 2**63


def measure() -> list[Row]:
    """Measure everything on a fresh chain. To measure another kind of call, add its function here."""
    kinds: tuple[Callable[[GasStage], Iterator[Row]], ...] = (
        headers,
        claims_of_one_pool,
        redirected_claims,
        claims_of_five_pools,
        pushes,
        pools_and_nodes,
        challenges,
        demands,
    )
    with fresh_stage() as stage:
        return [row for kind in kinds for row in kind(stage)]


def headers(stage: GasStage) -> Iterator[Row]:
    """Commit, finalise, open the claims, veto."""
    book, pools = stage.chain.epoch_book, stage.chain.reward_pools
    with stage.undone():
        header = stage.next_header(keccak(b"claims"), 1 << DEPTH)
        yield Row("commit", stage.commit(header), 60_000)
        with stage.undone():
            yield Row("veto", stage.send(book.veto_call(header.epoch), GUARDIAN))
        yield Row("finalise", stage.finalise(header.epoch))
        yield Row("open claims, once per epoch", stage.send(pools.open_claims_call(header), POSTER))


def claims_of_one_pool(stage: GasStage) -> Iterator[Row]:
    """Claim by the account itself, at two sizes of the claims tree."""
    targets = {SMALL_DEPTH: (None, None), DEPTH: (103_000, 68_000)}
    for depth, (first_target, later_target) in targets.items():
        with stage.undone():
            name = f"claim from 1 pool, 2^{depth} accounts"
            first, later = _own_claims(stage, [1], depth)
            yield Row(f"{name}, first", stage.send(first, NODE), first_target)
            yield Row(f"{name}, repeat", stage.send(later, NODE), later_target)
    with stage.undone():
        call = stage.chain.reward_pools.claim_all_call
        stage.send(call(_proof(stage, [1], DEPTH, FIRST)), NODE)
        later_proof = _proof(stage, [1], DEPTH, LATER, opens=False)
        both = stage.chain.reward_pools.opening(later_proof.header, call(later_proof))
        yield Row("claim from 1 pool that opens the epoch's claims, repeat", stage.send(both, NODE))


def redirected_claims(stage: GasStage) -> Iterator[Row]:
    """Claim again from one pool, paid to another address; all receivers were paid before."""
    pools, target = stage.chain.reward_pools, 68_000 + 5_500
    with stage.undone():
        stage.send(_registration(stage), STRANGER)
        first, later = _proofs(stage, [1], DEPTH)
        stage.send(pools.claim_call(first), STRANGER)
        with stage.undone():
            cost = stage.send(pools.claim_to_call(later, ELSEWHERE), NODE)
            yield Row("claim to another address, repeat", cost, target)
        with stage.undone():
            cost = stage.send(pools.claim_call(later), STRANGER)
            yield Row("claim pushed to the registered payout address, repeat", cost)
        redirect = ClaimRedirect(ACCOUNT, ELSEWHERE, later.header.epoch, NO_DEADLINE)
        signature = sign(redirect.digest(stage.chain.epoch_book.domain()), NODE)
        call = pools.claim_by_signature_call(later, ELSEWHERE, NO_DEADLINE, signature)
        yield Row("claim to another address by signature, repeat", stage.send(call, STRANGER))


def claims_of_five_pools(stage: GasStage) -> Iterator[Row]:
    """Claim by the account itself from five pools at once."""
    for name, ids, first_target, later_target in (
        ("claim from 5 pools of 1 token", stage.one_token, 180_000, 112_000),
        ("claim from 5 pools of 5 tokens", stage.own_tokens, 312_000, 175_000),
    ):
        with stage.undone():
            first, later = _own_claims(stage, ids, DEPTH)
            yield Row(f"{name}, first", stage.send(first, NODE), first_target)
            yield Row(f"{name}, repeat", stage.send(later, NODE), later_target)


def pushes(stage: GasStage) -> Iterator[Row]:
    """Push to neighbouring accounts at once, each of one pool; per account."""
    pools = stage.chain.reward_pools
    for name, place, target in (
        (f"push to {PUSHED} neighbours", PUSHED_FROM, 24_000),
        (f"push to {PUSHED} neighbours at an odd place", PUSHED_FROM_ANYWHERE, None),
    ):
        with stage.undone():
            first, later = (
                stage.settled(_neighbours(reward), place, 1 << DEPTH) for reward in (FIRST, LATER)
            )
            cost = stage.send(pools.claim_many_call(first), STRANGER)
            yield Row(f"{name}, first, per account", cost, per=PUSHED)
            cost = stage.send(pools.claim_many_call(later), STRANGER)
            yield Row(f"{name}, repeat, per account", cost, target, PUSHED)


def pools_and_nodes(stage: GasStage) -> Iterator[Row]:
    """Create and fund a pool, register a node."""
    pools = stage.chain.reward_pools
    with stage.undone():
        token = pools.pools([1])[0].token
        cost = stage.send(pools.create_call(token, terms(), stream()), STREAMER)
        yield Row("create a pool", cost)
        cost = stage.send(pools.deposit_call(pools.pool_count(), FUNDS), STREAMER)
        yield Row("deposit, first of a pool", cost)
        yield Row("register a node, first", stage.send(_registration(stage), STRANGER))


def _own_claims(stage: GasStage, pool_ids: range | list[int], depth: int) -> tuple[Call, Call]:
    """Return the account's first claim of all these pools, and the one of the next epoch."""
    first, later = _proofs(stage, pool_ids, depth)
    call = stage.chain.reward_pools.claim_all_call
    return call(first), call(later)


def _proofs(
    stage: GasStage, pool_ids: range | list[int], depth: int
) -> tuple[ClaimProof, ClaimProof]:
    return _proof(stage, pool_ids, depth, FIRST), _proof(stage, pool_ids, depth, LATER)


def _proof(
    stage: GasStage, pool_ids: range | list[int], depth: int, reward: int, *, opens: bool = True
) -> ClaimProof:
    entries = tuple(entry_word(pool_id, reward) for pool_id in pool_ids)
    return stage.settled_one(ClaimLeaf(ACCOUNT, entries), depth, opens=opens)


def _neighbours(reward: int) -> list[ClaimLeaf]:
    accounts = sorted(Address(keccak(b"pushed %d" % number)[:20]) for number in range(PUSHED))
    return [ClaimLeaf(account, (entry_word(1, reward),)) for account in accounts]


def _registration(stage: GasStage) -> Call:
    """Register the account with a payout address elsewhere."""
    registration = NodeRegistration(ACCOUNT, ELSEWHERE, "https://node.example:8443", 0, NO_DEADLINE)
    signature = sign(registration.digest(stage.chain.epoch_book.domain()), NODE)
    return stage.chain.node_registry.register_call(registration, signature)
