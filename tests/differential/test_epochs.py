"""Whole epochs: the core's bundle and header, recomputed from bytes and rules by the independent implementation."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from streamrp2p.audit import ByteIdentical, audit
from streamrp2p.bundle import decode_bundle
from streamrp2p.errors import BundleError
from streamrp2p.settlement import GENESIS, Parent, PoolInput, Settlement, settle
from streamrp2p.verify import Checked
from tests.differential.oracle.bundle import (
    Parts,
    PoolTerms,
    cut,
    header_bytes,
    header_of,
    is_consistent,
)
from tests.differential.oracle.bundle import settle as settle_plainly
from tests.support.epochs import DOMAIN, POSTER, Epoch, epochs


def settled(epoch: Epoch, number: int, parent: Parent, pools: Sequence[PoolInput]) -> Settlement:
    return settle(DOMAIN, number, parent, pools, map(Checked, epoch.records), epoch.rejections)


def plainly(
    epoch: Epoch, number: int, parent_hash: bytes, parent: Parts | None, pools: Sequence[PoolInput]
) -> bytes:
    return settle_plainly(
        DOMAIN.chain_id,
        DOMAIN.epoch_book,
        number,
        parent_hash,
        parent,
        [
            PoolTerms(pool.pool_id, pool.terms.price_per_gb, pool.terms.epoch_budget, pool.funded)
            for pool in pools
        ],
        [record.encode() for record in reversed(epoch.records)],
        [rejection.encode() for rejection in epoch.rejections],
    )


@settings(max_examples=25)
@given(epochs(0), epochs(1))
def test_two_epochs_settle_to_the_same_bytes_and_headers(first: Epoch, second: Epoch) -> None:
    pools = first.pools
    one = settled(first, 0, GENESIS, pools)
    data = one.bundle.encode()
    assert data == plainly(first, 0, bytes(32), None, pools)
    assert one.header.encode() == header_bytes(header_of(data))
    two = settled(second, 1, Parent.of(one.header, one.bundle), pools)
    data_two = two.bundle.encode()
    assert data_two == plainly(second, 1, one.header.hash(), cut(data), pools)
    assert two.header.encode() == header_bytes(header_of(data_two))
    assert is_consistent(cut(data_two))
    verdict = audit(
        DOMAIN, two.header, data_two, Parent.of(one.header, decode_bundle(data)), pools, POSTER
    )
    assert isinstance(verdict, ByteIdentical)


@settings(max_examples=100)
@given(epochs(), st.data())
def test_mutated_bundles_decode_exactly_when_their_counts_fit(
    epoch: Epoch, data: st.DataObject
) -> None:
    honest = settled(epoch, 0, GENESIS, epoch.pools).bundle.encode()
    mutated = bytearray(honest)
    for _ in range(data.draw(st.integers(1, 3))):
        # The head with its counts is where most of the damage is done.
        at = data.draw(st.integers(0, len(mutated) - 1) | st.integers(0, min(99, len(mutated) - 1)))
        mutated[at] = data.draw(st.integers(0, 255))
    end = data.draw(st.sampled_from([len(mutated), len(mutated) - 1, len(mutated) // 2]))
    changed = bytes(mutated[:end]) + data.draw(st.sampled_from([b"", b"\0"]))
    try:
        cut(changed)
        is_valid = True
    except ValueError:
        is_valid = False
    try:
        bundle = decode_bundle(changed)
    except BundleError:
        assert not is_valid
    else:
        assert is_valid
        assert bundle.encode() == changed
