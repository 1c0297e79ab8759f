"""Each check of the demo passes on a good run and fails, saying why, on the run it is there to catch."""

from dataclasses import replace

import pytest

from streamrp2p.verify import Code
from streamrp2p_demo import checks
from streamrp2p_demo.adversaries.corrupting_proxy import ServedObject
from streamrp2p_demo.checks import Failed, Passed
from streamrp2p_demo.facts import Answer, Facts, Promise
from tests.demo.scenario import (
    BEHIND_PROXY,
    CORRUPT_SESSION,
    EPOCH,
    GOOD,
    HONEST,
    OVER_REPORTED,
    RELAY_1,
    RELAY_3,
    REPLAYED,
    SIGNER_KEY,
    epoch_of,
    record_of,
    rejection_of,
    with_epoch,
)


def failure(outcome: checks.Outcome) -> str:
    assert isinstance(outcome, Failed), outcome
    return outcome.statement


@pytest.mark.parametrize("name", list(checks.CHECKS))
def test_every_check_passes_on_a_good_run(name: str) -> None:
    assert isinstance(checks.CHECKS[name](GOOD), Passed)


def test_all_checks_are_run() -> None:
    assert [result.passed for result in checks.run_checks(GOOD)] == [True] * 11


def test_an_epoch_that_is_not_final_does_not_count() -> None:
    facts = with_epoch(replace(EPOCH, is_final=False))

    assert failure(checks.epochs_are_final(facts)) == (
        "0 epochs with sessions are final, wanted 1: []"
    )


def test_an_epoch_without_sessions_does_not_count() -> None:
    assert "wanted 1" in failure(checks.epochs_are_final(with_epoch(epoch_of([]))))


def test_an_audit_that_found_a_difference_fails_with_its_verdict() -> None:
    facts = with_epoch(replace(EPOCH, audit_exit_code=1, audit_verdict="BadReward at pool 1"))

    assert failure(checks.audits_are_identical(facts)) == "epoch 0: exit 1, BadReward at pool 1"


def test_a_run_that_committed_nothing_is_not_audited_well() -> None:
    assert failure(checks.audits_are_identical(replace(GOOD, epochs=()))) == (
        "no epoch was committed"
    )


@pytest.mark.parametrize("change", [{"exit_code": 1}, {"exit_code": None}, {"bytes_on_time": 0}])
def test_a_viewer_that_did_not_watch_fails(change: dict[str, int]) -> None:
    viewer = replace(GOOD.viewers[0], **change)  # type: ignore[arg-type]

    assert "viewer-1" in failure(checks.viewers_watched(replace(GOOD, viewers=(viewer,))))


def test_an_over_report_that_nobody_rejected_fails() -> None:
    facts = with_epoch(epoch_of([HONEST, OVER_REPORTED], ()))

    assert failure(checks.over_report_is_rejected(facts)) == (
        "no bundle holds a rejection of the receipt of 900,000 bytes"
    )


def test_an_over_report_rejected_by_another_rule_fails() -> None:
    rejection = rejection_of(OVER_REPORTED.session_id, 3, Code.NOT_MONOTONE, SIGNER_KEY)

    statement = failure(checks.over_report_is_rejected(with_epoch(epoch_of([], (rejection,)))))

    assert statement == "rejected by NOT_MONOTONE (10), not OVER_RATE or OVER_CREDIT"


def test_a_rejection_that_the_poster_did_not_sign_is_none() -> None:
    rejection = rejection_of(OVER_REPORTED.session_id, 3, Code.OVER_RATE, SIGNER_KEY)

    statement = failure(checks.over_report_is_rejected(with_epoch(epoch_of([], (rejection,)))))

    assert statement == "the rejection is not signed by the poster"


def test_paying_the_over_report_nevertheless_fails() -> None:
    paid = record_of(RELAY_1, 4, 3, 900_000)

    statement = failure(checks.over_report_is_rejected(with_epoch(epoch_of([paid]))))

    assert statement == "paid for 900,000 bytes, 2,000 were sent"


def test_paying_for_corrupt_bytes_fails() -> None:
    paid = record_of(RELAY_3, 3, 2, 1_700)

    statement = failure(checks.corruption_earns_nothing(with_epoch(epoch_of([paid]))))

    assert statement == (
        f"session {CORRUPT_SESSION} was paid 1,700 bytes, of which only 1,000 were good"
    )


def test_a_relay_that_corrupted_nothing_shows_nothing() -> None:
    served = (ServedObject(CORRUPT_SESSION, "a.ts", 1_000, is_corrupt=False),)
    facts = replace(GOOD, corruption=replace(GOOD.corruption, served=served))

    assert failure(checks.corruption_earns_nothing(facts)) == ("the relay served no corrupt object")


def test_corruption_that_no_viewer_noticed_fails() -> None:
    facts = replace(GOOD, viewers=GOOD.viewers[:1])

    assert "no viewer says" in failure(checks.corruption_earns_nothing(facts))


def test_a_viewer_that_found_no_other_relay_fails() -> None:
    viewer = replace(GOOD.viewers[1], sources=GOOD.viewers[1].sources[:1])

    statement = failure(checks.corruption_earns_nothing(replace(GOOD, viewers=(viewer,))))

    assert statement == "left the corrupting relay, but got nothing elsewhere: viewer-2"


@pytest.mark.parametrize("change", [{"departures": ("late",)}, {"objects_refused": 0}])
def test_leaving_for_another_reason_is_no_refusal(change: dict[str, object]) -> None:
    bad, other = GOOD.viewers[1].sources
    sources = (replace(bad, **change), other)  # type: ignore[arg-type]
    facts = replace(GOOD, viewers=(replace(GOOD.viewers[1], sources=sources),))

    assert "no viewer says" in failure(checks.corruption_earns_nothing(facts))


def test_paying_one_byte_more_than_the_viewer_verified_fails() -> None:
    source = replace(GOOD.viewers[0].sources[0], sessions={HONEST.session_id: 3_999})
    facts = replace(GOOD, viewers=(replace(GOOD.viewers[0], sources=(source,)),))

    assert failure(checks.receipts_are_paid(facts)) == (
        f"session 0x{HONEST.session_id.hex()} was paid 4,000 bytes, its viewer verified 3,999"
    )


def test_a_receipt_that_a_relay_took_and_that_is_not_paid_is_lost() -> None:
    source = replace(GOOD.viewers[0].sources[0], receipts_accepted=6)
    facts = replace(GOOD, viewers=(replace(GOOD.viewers[0], sources=(source,)),))

    assert failure(checks.receipts_are_paid(facts)) == (
        f"relay 0x{RELAY_1.hex()} took 6 receipts of viewer-1, 5 are paid"
    )


def test_a_receipt_that_no_relay_took_need_not_be_paid() -> None:
    source = replace(GOOD.viewers[0].sources[0], receipts_accepted=4)
    facts = replace(GOOD, viewers=(replace(GOOD.viewers[0], sources=(source,)),))

    assert isinstance(checks.receipts_are_paid(facts), Passed)


def test_a_run_in_which_no_honest_session_was_paid_fails() -> None:
    assert failure(checks.receipts_are_paid(replace(GOOD, epochs=()))) == (
        "no session of an honest viewer was paid"
    )


def test_a_replay_that_is_refused_fails_with_the_rule() -> None:
    assert GOOD.replay is not None
    refused = replace(GOOD.replay, second=Answer(9002, 0, (int(Code.INTAKE_CLOSED),), "{}"))

    statement = failure(checks.replay_pays_once(replace(GOOD, replay=refused)))

    assert statement == "the second submission was not acknowledged: INTAKE_CLOSED (12)"


def test_the_same_batch_with_another_answer_fails() -> None:
    assert GOOD.replay is not None
    other = replace(GOOD.replay, repeated=replace(GOOD.replay.repeated, encoded="{}"))

    statement = failure(checks.replay_pays_once(replace(GOOD, replay=other)))

    assert statement == "the same batch, sent again, got another answer"


def test_a_replayed_record_that_was_never_paid_fails() -> None:
    statement = failure(checks.replay_pays_once(with_epoch(epoch_of([HONEST]))))

    assert statement == "the session stands 0 times in the bundles, expected once"


def test_a_replayed_record_in_two_epochs_fails() -> None:
    facts = replace(GOOD, epochs=(EPOCH, epoch_of([REPLAYED])))

    statement = failure(checks.replay_pays_once(facts))

    assert statement == "the session stands 2 times in the bundles, expected once"


@pytest.mark.parametrize("sequence", [6, 99])
def test_an_acknowledged_record_that_the_bundle_has_older_is_lost(sequence: int) -> None:
    promise = Promise(0, HONEST.session_id, sequence)
    facts = replace(GOOD, crash=replace(GOOD.crash, promises=(promise,)))

    assert "1 of 1 acknowledged records are lost" in failure(checks.crash_loses_nothing(facts))


def test_an_acknowledged_record_that_no_bundle_has_is_lost() -> None:
    facts = with_epoch(epoch_of([BEHIND_PROXY]))

    assert "1 of 1 acknowledged records are lost" in failure(checks.crash_loses_nothing(facts))


def test_a_crash_before_anything_was_acknowledged_shows_nothing() -> None:
    facts = replace(GOOD, crash=replace(GOOD.crash, promises_before=0))

    assert "nothing had been acknowledged" in failure(checks.crash_loses_nothing(facts))


def test_a_restart_in_a_later_epoch_is_not_mid_epoch() -> None:
    facts = replace(GOOD, crash=replace(GOOD.crash, restarted_in_epoch=1))

    assert failure(checks.crash_loses_nothing(facts)) == ("killed in epoch 0, back only in epoch 1")


@pytest.mark.parametrize("change", [{"balance": 5_999}, {"claimed": 6_001}])
def test_one_base_unit_of_difference_to_the_audit_fails(change: dict[str, int]) -> None:
    nodes = (replace(GOOD.nodes[0], **change), *GOOD.nodes[1:])  # type: ignore[arg-type]

    assert "the audit says 6000" in failure(checks.claims_equal_audit(replace(GOOD, nodes=nodes)))


def test_a_node_that_could_not_claim_fails() -> None:
    nodes = (replace(GOOD.nodes[0], claim_exit_code=3),)

    assert failure(checks.claims_equal_audit(replace(GOOD, nodes=nodes))) == (
        "relay-1 could not claim (exit 3)"
    )


@pytest.mark.parametrize("name", ["funded", "remaining", "paid", "contract_balance"])
def test_one_base_unit_missing_in_the_pool_fails(name: str) -> None:
    pool = replace(GOOD.pool, **{name: getattr(GOOD.pool, name) - 1})

    assert isinstance(checks.pool_is_balanced(replace(GOOD, pool=pool)), Failed)


def test_a_pool_that_paid_others_than_the_nodes_fails() -> None:
    facts: Facts = replace(GOOD, nodes=GOOD.nodes[:2])

    assert "but the nodes claimed 9000" in failure(checks.pool_is_balanced(facts))


def test_a_process_that_is_left_fails_by_its_name() -> None:
    facts = replace(GOOD, left_behind=("origin (4711)",))

    assert failure(checks.nothing_is_left(facts)) == "still running: origin (4711)"
