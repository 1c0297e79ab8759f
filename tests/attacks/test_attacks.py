"""What attackers get for their trouble, with the policy on."""

import pytest

from tests.attacks.attacks import ATTACKS
from tests.attacks.outcome import Outcome, outcome
from tests.attacks.population import QUICK

pytestmark = pytest.mark.slow

BY_NAME = {attack.name: attack for attack in ATTACKS}


def played(name: str) -> Outcome:
    found = outcome(BY_NAME[name], QUICK, with_policy=True)
    assert found.attack.honest_refused == {}
    return found


def test_a_record_counts_once_for_whom_it_names() -> None:
    found = played("replay")
    assert set(found.attack.records.refused) == {
        "BAD_TICKET_SIGNATURE",
        "HIGH_S",
        "INTAKE_CLOSED",
        "WRONG_EPOCH",
        "WRONG_NODE",
    }
    assert found.profit_wei == 0
    assert found.others_lost_wei == 0


def test_who_signs_for_all_at_once_is_refused_before_anything_is_acknowledged() -> None:
    found = played("inflation at once")
    assert "OVER_RATE" in found.attack.records.refused


@pytest.mark.parametrize(
    ("name", "code"),
    [("inflation at the pool's rate", "OVER_BITRATE"), ("serving nobody else", "PROBE_UNSERVED")],
)
def test_who_cheats_by_itself_is_refused(name: str, code: str) -> None:
    assert code in played(name).attack.records.refused


def test_many_names_are_noted() -> None:
    assert "CLUSTER" in played("sybil, 5 names").attack.suspected


@pytest.mark.parametrize(
    "name",
    [
        "self-dealing at home",
        "inflation at the pool's rate",
        "sybil, 5 names",
        "framing",
        "wash traffic from many networks",
    ],
)
def test_it_costs_more_than_it_brings(name: str) -> None:
    assert not played(name).pays
