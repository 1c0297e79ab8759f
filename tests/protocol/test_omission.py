from dataclasses import replace

from streamrp2p.allocation import Terms
from streamrp2p.bundle import Bundle
from streamrp2p.difference import Difference
from streamrp2p.omission import LeftOut, left_out, omission_difference
from streamrp2p.receipt import SessionRecord
from streamrp2p.settlement import GENESIS, PoolInput, settle
from streamrp2p.signatures import address_of
from streamrp2p.verify import Checked
from tests.support.epochs import DOMAIN, NODES, TICKET_KEY, VIEWER_KEYS, signed_record
from tests.support.sessions import resigned

RECORDS = [signed_record(3, 1, 0, 0, (1000, 1000), nonce) for nonce in range(4)]
POOLS = [PoolInput(1, Terms(1, 1, address_of(TICKET_KEY)), 1)]


def bundle_of(*records: SessionRecord) -> Bundle:
    return settle(DOMAIN, 3, GENESIS, POOLS, map(Checked, records)).bundle


def later(record: SessionRecord, sequence: int, delivered: int) -> SessionRecord:
    receipt = replace(record.receipt, sequence=sequence, bytes_delivered=delivered)
    return resigned(record, receipt, DOMAIN, VIEWER_KEYS[0])


def test_a_bundle_with_all_acknowledged_records_omits_nothing() -> None:
    bundle = settle(DOMAIN, 3, GENESIS, POOLS, map(Checked, RECORDS)).bundle
    assert omission_difference(bundle, RECORDS) is None
    assert omission_difference(bundle, []) is None


def test_an_acknowledged_record_that_is_absent_is_an_omission() -> None:
    bundle = settle(DOMAIN, 3, GENESIS, POOLS, map(Checked, RECORDS[1:])).bundle
    assert omission_difference(bundle, RECORDS) == Difference(
        "Omission",
        f"pool 1, node 0x{NODES[0].hex()}, session 0x{RECORDS[0].session_id.hex()}",
        "sequence",
        "1 or higher",
        "none",
    )


def test_a_lower_sequence_is_an_omission_and_a_higher_one_is_not() -> None:
    first = RECORDS[0]
    receipt = replace(first.receipt, sequence=2, bytes_delivered=2000)
    second = resigned(first, receipt, DOMAIN, VIEWER_KEYS[0])
    with_first = settle(DOMAIN, 3, GENESIS, POOLS, [Checked(first)]).bundle
    with_second = settle(DOMAIN, 3, GENESIS, POOLS, [Checked(second)]).bundle
    found = omission_difference(with_first, [second])
    assert found is not None
    assert (found.expected, found.found) == ("2 or higher", "1")
    assert omission_difference(with_second, [first, second]) is None


def test_a_record_without_weight_may_be_left_out() -> None:
    worthless = signed_record(3, 1, 0, 0, (1, 0), 9)
    bundle = settle(DOMAIN, 3, GENESIS, POOLS, [Checked(worthless)]).bundle
    assert bundle.session_records == ()
    assert omission_difference(bundle, [worthless]) is None


def test_of_each_session_the_highest_sequence_counts_once() -> None:
    first, other = RECORDS[:2]
    second, third = later(first, 2, 2000), later(first, 3, 3001)
    found = list(left_out(bundle_of(first, other), [first, third, other, second]))
    assert found == [LeftOut(third, first)]
    # Of 2,001 more bytes none was on time.
    assert found[0].weight == 1000
    assert list(left_out(bundle_of(other), [first, third])) == [LeftOut(third, None)]


def test_of_one_sequence_with_two_contents_the_lower_weight_was_promised() -> None:
    less, more = later(RECORDS[0], 2, 2000), later(RECORDS[0], 2, 3000)
    for order in ([less, more], [more, less]):
        assert list(left_out(bundle_of(), order)) == [LeftOut(less, None)]


def test_a_whole_node_is_left_out_session_by_session() -> None:
    theirs = signed_record(3, 1, 1, 0, (500, 500), 9)
    found = list(left_out(bundle_of(theirs), [*RECORDS, theirs]))
    assert [one.record for one in found] == RECORDS
    assert sum(one.weight for one in found) == 4000


def test_a_session_under_another_node_is_left_out() -> None:
    honest = bundle_of(RECORDS[0])
    row = replace(honest.node_rows[0], node=NODES[1])
    moved = replace(honest, node_rows=(row,))
    assert list(left_out(moved, RECORDS[:1])) == [LeftOut(RECORDS[0], None)]
