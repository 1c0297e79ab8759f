"""What attackers get for their trouble."""

from functools import cache

import pytest

from tests.attacks.attacks import ATTACKS
from tests.attacks.outcome import Outcome, Run, honestly, play
from tests.attacks.population import QUICK

pytestmark = pytest.mark.slow

BY_NAME = {attack.name: attack for attack in ATTACKS}


@cache
def honest(machines: int) -> Run:
    return play(honestly(machines), QUICK)


def outcome(name: str) -> Outcome:
    attack = BY_NAME[name]
    found = Outcome(name, play(attack, QUICK), honest(attack.machines))
    assert found.attack.honest_refused == {}
    return found


def test_a_record_counts_once_for_whom_it_names() -> None:
    found = outcome("replay")
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
    found = outcome("inflation at once")
    assert set(found.attack.records.refused) == {"OVER_RATE"}
