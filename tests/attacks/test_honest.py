"""Nothing that honest nodes hand in is refused, however odd their viewers look."""

import pytest

from tests.attacks.honest import CASES, Case, treatment
from tests.attacks.population import QUICK

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nothing_honest_is_refused(case: Case) -> None:
    found = treatment(case, QUICK)
    assert found.refused == {}
    assert found.acknowledged >= QUICK.viewers
