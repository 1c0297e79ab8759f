"""The rules that every test obeys, whichever suite it is in.

A test with none of the marks `integration`, `e2e` and `slow` opens no socket (pytest-socket is on
for all others) and takes at most UNIT_TEST_CPU_SECONDS.
"""

import os
from collections.abc import Generator

import pytest

UNIT_TEST_CPU_SECONDS = 2.0
"""CPU time, of the test and the processes it waited for: a busy machine does not change it much."""

MARKS_OF_REAL_THINGS = ("integration", "e2e")
MARKS_OF_LONG_TESTS = (*MARKS_OF_REAL_THINGS, "slow")


def has_any_mark(item: pytest.Item, names: tuple[str, ...]) -> bool:
    """Tell whether the test bears one of the marks."""
    return any(item.get_closest_marker(name) for name in names)


def cpu_seconds() -> float:
    """Return the CPU time of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Open sockets to the tests that use real things."""
    for item in items:
        if has_any_mark(item, MARKS_OF_REAL_THINGS):
            item.add_marker(pytest.mark.enable_socket)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a unit test that is slow."""
    before = cpu_seconds()
    yield
    used = cpu_seconds() - before
    if used > UNIT_TEST_CPU_SECONDS and not has_any_mark(item, MARKS_OF_LONG_TESTS):
        pytest.fail(
            f"took {used:.1f} s of CPU time; a unit test may take {UNIT_TEST_CPU_SECONDS:.0f} s. "
            "Make it smaller, or mark it slow, integration or e2e",
            pytrace=False,
        )
