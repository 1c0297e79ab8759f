from dataclasses import replace

from streamrp2p.fraud import Evidence, find_frauds
from tests.support.fraud import HONEST, RECORDS, evidence_of, names, promise


def found(evidence: Evidence) -> list[str]:
    return names(list(find_frauds(evidence)))


def test_nothing_is_found_in_an_honest_epoch() -> None:
    kept = [record for record in RECORDS if record.ticket.node == RECORDS[0].ticket.node]
    evidence = evidence_of(HONEST.bundle, HONEST.header, acknowledged=promise(*kept))
    assert found(evidence) == []


def test_a_bundle_that_is_not_the_headers_is_no_fraud_while_its_leaves_are_right() -> None:
    header = replace(HONEST.header, data_hash=HONEST.header.parent)
    assert found(evidence_of(HONEST.bundle, header)) == []


def test_without_a_bundle_the_tops_are_demanded() -> None:
    assert found(evidence_of(None, HONEST.header)) == ["demand", "demand"]
