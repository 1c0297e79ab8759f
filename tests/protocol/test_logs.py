"""What the daemons' common log says, and what it leaves out."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from streamrp2p.logs import QUIET_LOGGERS, set_up_logs


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    loggers = [logging.getLogger(), *map(logging.getLogger, QUIET_LOGGERS)]
    before = [(logger, logger.level, logger.handlers) for logger in loggers]
    configured = structlog.get_config()
    yield
    structlog.configure(**configured)
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers = handlers


def test_a_scheduler_tells_failures_but_not_each_tick_that_it_leaves_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logs("json")
    scheduler = logging.getLogger("apscheduler.scheduler")
    scheduler.warning("Execution of job skipped: maximum number of running instances reached")
    scheduler.error("Job raised an exception")

    assert "Job raised" in (told := capsys.readouterr().err)
    assert "skipped" not in told
