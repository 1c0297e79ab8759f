"""What the doctor says of plain facts."""

from pathlib import Path

import pytest

from streamrp2p import api
from streamrp2p.numbers import Address
from streamrp2p.typed_data import Domain
from streamrp2p_coordinator.chain import Book
from streamrp2p_coordinator.findings import (
    GAS_RESERVE,
    Finding,
    Level,
    exit_code,
    judge_balance,
    judge_bundles,
    judge_certificate,
    judge_clock,
    judge_confirmations,
    judge_leader,
    judge_poster,
    judge_private_file,
    judge_revision,
    judge_room,
    judge_ticket_signer,
)
from streamrp2p_coordinator.repositories.leaders import Term

POSTER, OTHER, SIGNER, BOOK_ADDRESS = (Address(bytes([number]) * 20) for number in range(1, 5))
BOOK = Book(next_epoch=3, finalised_epochs=1, poster=POSTER, bond_wei=40, required_bond_wei=100)


@pytest.mark.parametrize(
    ("levels", "code"),
    [
        ([("ok", False), ("warn", False)], 0),
        ([("fail", True), ("warn", False)], 3),
        ([("fail", True), ("fail", False)], 2),
    ],
)
def test_the_exit_code_tells_what_must_be_changed_from_what_may_pass(
    levels: list[tuple[Level, bool]], code: int
) -> None:
    findings = [Finding("x", level, "", may_pass=may_pass) for level, may_pass in levels]
    assert exit_code(findings) == code


@pytest.mark.parametrize(
    ("mode", "level"), [(0o100600, "ok"), (0o100400, "ok"), (0o100640, "fail"), (None, "fail")]
)
def test_secrets_are_their_owners_alone(mode: int | None, level: Level) -> None:
    finding = judge_private_file("keystore", Path("k"), mode)
    assert (finding.level, bool(finding.todo)) == (level, level != "ok")


def test_the_key_must_be_the_posters() -> None:
    assert judge_poster(POSTER, BOOK).level == "ok"
    assert judge_poster(OTHER, BOOK).level == "fail"


@pytest.mark.parametrize(
    ("blocks", "chain_id", "level"),
    [(0, 31337, "ok"), (0, 1337, "ok"), (0, 1, "warn"), (0, 11155111, "warn"), (1, 1, "ok")],
)
def test_blocks_count_at_once_on_local_chains_alone(
    blocks: int, chain_id: int, level: Level
) -> None:
    finding = judge_confirmations(blocks, chain_id)
    assert (finding.level, bool(finding.todo)) == (level, level != "ok")


@pytest.mark.parametrize(
    ("changes", "current", "coming", "level", "says"),
    [
        ({}, SIGNER, SIGNER, "ok", "answers"),
        ({}, OTHER, SIGNER, "warn", "from the next epoch on"),
        ({}, SIGNER, OTHER, "ok", "answers"),
        ({}, OTHER, OTHER, "fail", "name 0x" + OTHER.hex()),
        ({}, None, None, "fail", "name nobody"),
        ({"chain_id": 1}, SIGNER, SIGNER, "fail", "chain 1"),
        ({"epoch_book": OTHER}, SIGNER, SIGNER, "fail", "the book 0x" + OTHER.hex()),
        ({"pools": [2]}, SIGNER, SIGNER, "fail", "lacks [pools.7]"),
        ({"askers": [OTHER]}, SIGNER, SIGNER, "fail", "lacks the asker 0x" + POSTER.hex()),
    ],
)
def test_a_streamers_signer_must_be_the_one_that_the_chain_names(
    changes: dict[str, object],
    current: Address | None,
    coming: Address | None,
    level: Level,
    says: str,
) -> None:
    facts = api.SignerFacts(
        ticket_signer=SIGNER, chain_id=31337, epoch_book=BOOK_ADDRESS, pools=[7], askers=[POSTER]
    ).model_copy(update=changes)
    domain = Domain(31337, BOOK_ADDRESS)
    finding = judge_ticket_signer(7, facts, domain, POSTER, current, coming)
    assert (finding.level, says in finding.says, bool(finding.todo)) == (level, True, level != "ok")


@pytest.mark.parametrize(
    ("balance_wei", "level"),
    [
        (59, "fail"),
        (60, "warn"),
        (60 + 2 * GAS_RESERVE - 1, "warn"),
        (60 + 2 * GAS_RESERVE, "ok"),
    ],
)
def test_the_poster_needs_what_is_missing_of_the_bond_and_gas(
    balance_wei: int, level: Level
) -> None:
    assert judge_balance(balance_wei, BOOK, gas_price_wei=2).level == level


@pytest.mark.parametrize(
    ("now", "level"), [(969, "fail"), (970, "ok"), (1030, "ok"), (1031, "warn")]
)
def test_a_clock_behind_fails_and_one_ahead_warns(now: int, level: Level) -> None:
    assert judge_clock(now, 1000, 30).level == level


@pytest.mark.parametrize(
    ("revision", "level"), [("2", "ok"), ("1", "warn"), (None, "warn"), ("3", "fail")]
)
def test_the_schema_must_not_be_newer(revision: str | None, level: Level) -> None:
    assert judge_revision(revision, ["1", "2"]).level == level


@pytest.mark.parametrize(
    ("free_bytes", "level"),
    [(2 * 10**9, "ok"), (2 * 10**9 - 1, "warn"), (64 * 10**6, "warn"), (64 * 10**6 - 1, "fail")],
)
def test_disks_need_room(free_bytes: int, level: Level) -> None:
    assert judge_room("bundles", Path(), free_bytes).level == level


def test_epochs_without_a_bundle_are_named() -> None:
    assert judge_bundles(Path("b"), 20, []).level == "ok"
    finding = judge_bundles(Path("b"), 20, list(range(5, 17)))
    assert finding.level == "fail"
    assert finding.says.endswith("5, 6, 7, 8, 9, 10, 11, 12, 13, 14, ...")


def test_a_leader_is_named() -> None:
    term = Term(4, "host:7", 1)
    assert judge_leader(term, is_led=True).says == "host:7 leads, in term 4"
    assert judge_leader(term, is_led=False).level == "warn"
    assert judge_leader(None, is_led=False).level == "warn"


@pytest.mark.parametrize(("days", "level"), [(14, "ok"), (13, "warn"), (-1, "warn")])
def test_a_certificate_that_was_not_renewed_in_time(days: int, level: Level) -> None:
    found = judge_certificate("tls", ends_at=1_000_000 + days * 86_400, now=1_000_000)
    assert (found.level, f"in {days} days" in found.says) == (level, True)
