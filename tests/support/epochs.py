"""Hypothesis strategies of whole epochs: sessions with real signatures, terms, deposits, rejections."""

from dataclasses import dataclass
from functools import cache

from hypothesis import strategies as st

from streamrp2p.allocation import Terms
from streamrp2p.numbers import Address
from streamrp2p.receipt import SessionRecord
from streamrp2p.records import SignedRejection
from streamrp2p.settlement import PoolInput
from streamrp2p.signatures import address_of
from streamrp2p.typed_data import Domain
from streamrp2p.verify import Code
from tests.support.sessions import known_key, make_record, make_rejection, make_ticket

DOMAIN = Domain(31337, Address(bytes.fromhex("5fbdb2315678afecb367f032d93f642f64180aa3")))
TICKET_KEY, POSTER_KEY = known_key(1), known_key(2)
POSTER = address_of(POSTER_KEY)
NODES = tuple(address_of(known_key(number)) for number in range(3, 8))
VIEWER_KEYS = tuple(known_key(number) for number in range(8, 11))
POOL_IDS = (1, 2, 5)
ISSUED_AT = 1_700_000_000
U64 = 2**64 - 1

pool_inputs = st.builds(
    lambda prices, budgets, funded: [
        PoolInput(pool_id, Terms(price, budget, address_of(TICKET_KEY)), deposit)
        for pool_id, price, budget, deposit in zip(POOL_IDS, prices, budgets, funded, strict=True)
    ],
    *(
        st.lists(st.integers(0, 10**15) | st.integers(0, 2**96), min_size=3, max_size=3)
        for _ in range(3)
    ),
)
deliveries = st.tuples(st.integers(0, 10**10) | st.integers(0, U64), st.integers(0, 100)).map(
    lambda pair: (pair[0], pair[0] * pair[1] // 100)
)
session_shapes = st.lists(
    st.tuples(st.sampled_from(POOL_IDS), st.integers(0, 4), st.integers(0, 2), deliveries),
    max_size=8,
)


@dataclass(frozen=True)
class Epoch:
    """What one epoch is made of."""

    pools: list[PoolInput]
    records: list[SessionRecord]
    rejections: list[SignedRejection]


@cache
def signed_record(
    epoch: int, pool_id: int, node: int, viewer: int, delivery: tuple[int, int], nonce: int
) -> SessionRecord:
    viewer_key = VIEWER_KEYS[viewer]
    ticket = make_ticket(
        pool_id=pool_id,
        epoch=epoch,
        node=NODES[node],
        viewer_key=viewer_key,
        issued_at=ISSUED_AT,
        max_bytes=U64,
        nonce=nonce,
    )
    return make_record(
        ticket,
        domain=DOMAIN,
        ticket_key=TICKET_KEY,
        viewer_key=viewer_key,
        delivered=delivery[0],
        on_time=delivery[1],
    )


@st.composite
def epochs(draw: st.DrawFn, epoch: int = 0) -> Epoch:
    shapes = draw(session_shapes)
    records = [signed_record(epoch, *shape, nonce) for nonce, shape in enumerate(shapes)]
    refused = records[: draw(st.integers(0, 2))]
    return Epoch(
        draw(pool_inputs),
        records,
        [
            make_rejection(
                record,
                domain=DOMAIN,
                poster_key=POSTER_KEY,
                code=Code.OVER_RATE,
                received_at=ISSUED_AT,
            )
            for record in refused
        ],
    )
