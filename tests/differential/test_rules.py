"""Intake, ledger and allocation, against the independent implementation, near every limit."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from streamrp2p.allocation import Terms, allocate
from streamrp2p.epoch_clock import EpochClock
from streamrp2p.ledger import Merged, merge
from streamrp2p.numbers import Address, Signature
from streamrp2p.receipt import SessionRecord, weight_of
from streamrp2p.signatures import CURVE_ORDER, address_of
from streamrp2p.verify import Checked, Intake, PoolAtEpoch, Rejected, verify
from tests.differential.oracle import rules as oracle
from tests.support.epochs import DOMAIN, NODES, TICKET_KEY, VIEWER_KEYS
from tests.support.sessions import make_record, make_ticket, resigned

U64 = 2**64 - 1
U128 = 2**128 - 1
CLOCK = EpochClock(1_700_000_000, 600, 60)
ISSUED_AT = CLOCK.start(2) + 10
POOL = PoolAtEpoch(is_open=True, ticket_signer=address_of(TICKET_KEY), max_bytes_per_second=1000)
FACTS = Intake(
    domain=DOMAIN,
    clock=CLOCK,
    now=ISSUED_AT + 100,
    node=NODES[0],
    epoch=2,
    node_is_registered=True,
    pools={1: POOL},
    earning_pools=frozenset(),
    rate_slack_seconds=5,
)
TICKET = make_ticket(
    epoch=2, node=NODES[0], viewer_key=VIEWER_KEYS[0], issued_at=ISSUED_AT, max_bytes=100_000
)
RECORD = make_record(
    TICKET, domain=DOMAIN, ticket_key=TICKET_KEY, viewer_key=VIEWER_KEYS[0], delivered=9000
)


def near(*limits: int) -> st.SearchStrategy[int]:
    return st.builds(int.__add__, st.sampled_from(limits), st.integers(-1, 1))


def oracle_facts(intake: Intake) -> oracle.Facts:
    return oracle.Facts(
        intake.domain.chain_id,
        intake.domain.epoch_book,
        intake.clock.genesis,
        intake.clock.epoch_seconds,
        intake.clock.intake_grace_seconds,
        intake.rate_slack_seconds,
        intake.now,
        intake.node,
        intake.epoch,
        intake.node_is_registered,
        {
            pool_id: oracle.Pool(pool.is_open, pool.ticket_signer, pool.max_bytes_per_second)
            for pool_id, pool in intake.pools.items()
        },
        frozenset(intake.earning_pools),
    )


def high_s(signature: Signature) -> Signature:
    s = CURVE_ORDER - int.from_bytes(signature[32:64])
    return Signature(signature[:32] + s.to_bytes(32) + bytes([55 - signature[64]]))


@st.composite
def records(draw: st.DrawFn) -> SessionRecord:
    delivered = draw(near(1, 100_000, 105_000) | st.just(9000))
    receipt = replace(
        RECORD.receipt,
        bytes_delivered=delivered,
        bytes_on_time=max(0, delivered + draw(st.integers(-2, 1))),
        signed_at=draw(
            near(ISSUED_AT - 120, ISSUED_AT + 720, ISSUED_AT + 220) | st.just(ISSUED_AT + 30)
        ),
    )
    record = resigned(
        RECORD, receipt, DOMAIN, draw(st.sampled_from(VIEWER_KEYS[:1] * 5 + VIEWER_KEYS[1:]))
    )
    match draw(st.integers(0, 9)):
        case 0:
            return replace(record, ticket_signature=high_s(record.ticket_signature))
        case 1:
            return replace(record, receipt_signature=high_s(record.receipt_signature))
        case 2:
            return replace(record, ticket_signature=record.receipt_signature)
        case 3:
            return replace(record, receipt_signature=Signature(bytes(65)))
    return record


intakes = st.builds(
    replace,
    st.just(FACTS),
    now=near(CLOCK.start(2), CLOCK.end(2), CLOCK.intake_end(2), ISSUED_AT + 100) | st.just(ISSUED_AT + 100),
    node=st.sampled_from([NODES[0]] * 5 + [NODES[1]]),
    epoch=st.sampled_from([2] * 5 + [1, 3]),
    node_is_registered=st.sampled_from([True] * 5 + [False]),
    pools=st.sampled_from(
        [
            *[{1: POOL}] * 5,
            {},
            {1: replace(POOL, is_open=False)},
            {1: replace(POOL, ticket_signer=Address(NODES[3]))},
        ]
    ),
    earning_pools=st.sampled_from(
        [frozenset[int](), frozenset(range(2, 257)), frozenset(range(2, 258)), frozenset(range(1, 257))]
    ),
)  # fmt: skip


@settings(max_examples=120)
@given(records(), intakes)
def test_intake_gives_the_same_code(record: SessionRecord, intake: Intake) -> None:
    verdict = verify(record, intake)
    code = int(verdict.code) if isinstance(verdict, Rejected) else 0
    assert code == oracle.code_of(record.encode(), oracle_facts(intake))


@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=6
    )
)
def test_the_ledger_keeps_the_same_record(tellings: list[tuple[int, int, int]]) -> None:
    arrived = [
        replace(
            RECORD,
            receipt=replace(
                RECORD.receipt,
                sequence=sequence,
                bytes_delivered=on_time + late,
                bytes_on_time=on_time,
            ),
        )
        for sequence, on_time, late in tellings
    ]
    known: Checked | None = None
    codes = []
    for record in arrived:
        merged = merge(known, Checked(record))
        codes.append(0 if isinstance(merged, Merged) else int(merged.code))
        known = merged.kept if isinstance(merged, Merged) else known
    assert known is not None
    kept, expected_codes = oracle.ledger([record.encode() for record in arrived])
    assert (known.record.encode(), codes) == (kept, expected_codes)


amounts = (
    st.integers(0, 10**12) | st.integers(0, U128) | st.sampled_from([0, 1, 10**9, U128 - 1, U128])
)


@settings(max_examples=300)
@given(st.lists(amounts.filter(bool), max_size=6), amounts, amounts, amounts, amounts)
def test_allocations_are_the_same_fractions_floored(
    weights: list[int], price: int, budget: int, one: int, other: int
) -> None:
    previous, funded = one, other
    result = allocate(weights, Terms(price, budget, Address(bytes(20))), funded, previous)
    spend = oracle.spend_of(sum(weights), price, budget, funded, previous)
    assert result.spend == spend
    assert result.cumulative_spend == previous + spend
    assert list(result.rewards) == oracle.rewards_of(spend, weights)


@given(st.integers(0, U64), st.integers(0, U64))
def test_weights_are_the_same(one: int, other: int) -> None:
    on_time, delivered = sorted((one, other))
    assert weight_of(delivered, on_time) == oracle.weight_of(delivered, on_time)
