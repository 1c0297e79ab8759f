"""Nothing that honest nodes hand in is refused, however odd their viewers look."""

import pytest

from tests.attacks.honest import CASES, Case, refused
from tests.attacks.population import QUICK

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nothing_honest_is_refused(case: Case) -> None:
    found, acknowledged = refused(case, QUICK)
    assert found == {}
    assert acknowledged >= QUICK.viewers
