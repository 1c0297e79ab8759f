"""The poster that lies once: a byte too many in one receipt, all else by the rules."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from streamrp2p import cli, settlement
from streamrp2p.allocation import Terms
from streamrp2p.audit import audit
from streamrp2p.difference import Difference
from streamrp2p.fraud import Evidence, Fraud, find_frauds
from streamrp2p.settlement import GENESIS, Parent, PoolInput, settle
from streamrp2p.signatures import address_of
from streamrp2p.verify import Checked
from streamrp2p_demo.adversaries import inflating_poster
from streamrp2p_demo.adversaries.inflating_poster import InflatingPoster, inflated, read_report
from tests.demo.scenario import DOMAIN, HONEST, POSTER, RELAY_1, SIGNER_KEY, record_of

POOLS = [PoolInput(1, Terms(10**9, 10**12, address_of(SIGNER_KEY)), 10**12)]
FIRST = settle(DOMAIN, 0, GENESIS, POOLS, [Checked(HONEST)])
PARENT = Parent.of(FIRST.header, FIRST.bundle)


SESSIONS = [Checked(record_of(RELAY_1, nonce, 1, 1000, epoch=1)) for nonce in (1, 2)]


def test_one_byte_more_is_settled_in_one_session_and_only_once(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    poster = InflatingPoster(report)
    honest = settle(DOMAIN, 1, PARENT, POOLS, SESSIONS)

    lied = poster.settle(DOMAIN, 1, PARENT, POOLS, iter(SESSIONS))
    again = poster.settle(DOMAIN, 1, PARENT, POOLS, SESSIONS)
    restarted = InflatingPoster(report).settle(DOMAIN, 1, PARENT, POOLS, SESSIONS)

    assert lied.header.weight == honest.header.weight + 1
    assert lied.bundle.pool_rows[0].spend == honest.bundle.pool_rows[0].spend + 1
    assert settlement.header_of(lied.bundle) == lied.header
    assert again == restarted == honest
    inflation = read_report(report)
    assert inflation is not None
    assert (inflation.epoch, inflation.node) == (1, RELAY_1)
    assert (inflation.signed_bytes, inflation.settled_bytes) == (1000, 1001)
    assert inflation.header_hash == lied.header.hash()


def test_it_waits_until_an_epoch_was_paid_and_a_session_is_there(tmp_path: Path) -> None:
    poster = InflatingPoster(tmp_path / "report.json")

    assert poster.settle(DOMAIN, 0, GENESIS, POOLS, [Checked(HONEST)]) == FIRST
    assert poster.settle(DOMAIN, 1, PARENT, POOLS, []) == settle(DOMAIN, 1, PARENT, POOLS, [])
    assert read_report(tmp_path / "report.json") is None


def test_a_session_whose_credit_is_used_up_is_left_alone() -> None:
    full, other = SESSIONS[0].record, SESSIONS[1]
    full = replace(full, ticket=replace(full.ticket, max_bytes=full.receipt.bytes_delivered))

    assert inflated([Checked(full), other])[0] == Checked(full)
    assert inflated([Checked(full), other])[1] != other
    assert inflated([Checked(full)]) == [Checked(full)]


def test_only_the_viewer_s_signature_shows_the_lie(tmp_path: Path) -> None:
    poster = InflatingPoster(tmp_path / "report.json")
    lied = poster.settle(DOMAIN, 1, PARENT, POOLS, SESSIONS)

    verdict = audit(DOMAIN, lied.header, lied.bundle.encode(), PARENT, POOLS, POSTER)
    evidence = Evidence(
        DOMAIN, lied.header, POSTER, tuple(POOLS), lied.bundle, FIRST.header, FIRST.bundle
    )
    found = list(find_frauds(evidence))

    assert isinstance(verdict, Difference)
    assert (verdict.proof, verdict.found) == ("BadSession", "BAD_RECEIPT_SIGNATURE")
    assert [one.function for one in found if isinstance(one, Fraud)] == ["badSession"]


def test_the_process_is_the_real_coordinator_with_this_settlement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []
    command = inflating_poster.command(tmp_path / "c.toml", tmp_path / "report.json")
    monkeypatch.setattr(sys, "argv", command[2:])
    monkeypatch.setattr(settlement, "settle", settle)
    monkeypatch.setattr(cli, "main", lambda: ran.append(list(sys.argv)))

    inflating_poster.main()

    assert command[1:3] == ["-m", "streamrp2p_demo.adversaries.inflating_poster"]
    assert ran == [["streamrp2p", "coordinator", "run", "--config", str(tmp_path / "c.toml")]]
    assert settlement.settle != settle
