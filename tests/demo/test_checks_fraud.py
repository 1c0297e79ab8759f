"""The poster that lied passes for caught only if chain, bond and the honest header say so."""

from dataclasses import replace
from typing import Any

import pytest

from streamrp2p.numbers import Hash
from streamrp2p_demo.checks import Failed, Passed, inflation_is_voided, run_checks
from streamrp2p_demo.facts import Facts, FraudFacts
from tests.demo.scenario import CHALLENGE, EPOCH, ETHER, FRAUD, GOOD, HONEST, RELAY_1, epoch_of


def facts_with(fraud: FraudFacts) -> Facts:
    return replace(GOOD, fraud=fraud)


def challenged(**changes: Any) -> Facts:  # noqa: ANN401
    return facts_with(replace(FRAUD, challenges=(replace(CHALLENGE, **changes),)))


def failure(facts: Facts) -> str:
    outcome = inflation_is_voided(facts)
    assert isinstance(outcome, Failed), outcome
    return outcome.statement


def test_a_lie_that_was_voided_in_time_is_told_with_rule_transaction_and_credit() -> None:
    outcome = inflation_is_voided(facts_with(FRAUD))

    assert isinstance(outcome, Passed)
    assert outcome.rule == "BadSession (Challenges.badSession)"
    assert "4,001 bytes where 4,000 were signed for" in outcome.statement
    assert f"voided by 0x{'0c' * 32} 11 s before its window's end" in outcome.statement
    assert "0.5 ETH of the bond credited to the watchman, 0.5 ETH burned" in outcome.statement


def test_the_check_is_made_in_runs_with_fraud_alone() -> None:
    assert len(run_checks(GOOD)) == 11
    assert next(result.name for result in run_checks(facts_with(FRAUD))) == "inflating poster"


def test_a_poster_that_did_not_lie_shows_nothing() -> None:
    assert failure(GOOD) == "the inflating poster posted no wrong header"
    assert failure(facts_with(replace(FRAUD, inflation=None))) == failure(GOOD)


@pytest.mark.parametrize(
    ("facts", "statement"),
    [
        (
            facts_with(replace(FRAUD, challenges=())),
            "the inflated header of epoch 0 was not voided",
        ),
        (
            challenged(header_hash=Hash(b"\1" * 32)),
            "the inflated header of epoch 0 was not voided",
        ),
        (
            challenged(function="DataDemands.expire"),
            "voided by DataDemands.expire, not by Challenges.badSession",
        ),
        (challenged(challenger=RELAY_1), f"0x{RELAY_1.hex()} was credited, not the watchman"),
        (challenged(seconds_left=-2), "voided 2 s after the end of its window"),
        (
            challenged(reward_wei=ETHER // 4),
            "0.25 ETH of 0.75 ETH credited, expected half of 1 ETH",
        ),
        (facts_with(replace(FRAUD, credit_wei=0)), "the book owes the watchman 0 ETH"),
        (facts_with(replace(FRAUD, bond_wei=0)), "the poster has bonded 0 ETH since"),
        (
            facts_with(replace(FRAUD, challenges=(CHALLENGE, CHALLENGE))),
            "2 headers were voided, expected one",
        ),
    ],
)
def test_anything_less_fails(facts: Facts, statement: str) -> None:
    assert failure(facts) == statement


@pytest.mark.parametrize(
    "epochs", [(), (replace(EPOCH, is_final=False),)], ids=["absent", "not final"]
)
def test_the_honest_header_must_be_final(epochs: tuple[Any, ...]) -> None:
    facts = replace(facts_with(FRAUD), epochs=epochs)

    assert failure(facts) == "epoch 0 has no final header"


def test_the_honest_header_must_pay_what_was_signed_for() -> None:
    others = epoch_of([one for one in EPOCH.records() if one != HONEST])

    assert failure(replace(facts_with(FRAUD), epochs=(others,))) == (
        "epoch 0 does not pay what the viewer signed for"
    )
