"""The fixtures that all suites share."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
import structlog

from streamrp2p.logs import QUIET_LOGGERS
from tests.support.anvil import running_anvil
from tests.support.ports import find_free_port
from tests.support.postgres import running_postgres

if TYPE_CHECKING:
    from tests.support.chain import DeployedChain

pytest_plugins = ["tests.support.rules"]

# Wall time says nothing on a busy machine: the CPU rule of tests/support/rules.py bounds each test.
hypothesis.settings.register_profile("local", deadline=None, print_blob=True)
# CI must not fail by the luck of a draw that the change has nothing to do with.
hypothesis.settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_collection_finish() -> None:
    """Make Hypothesis's table of Unicode: where it never ran that takes seconds, which are no test's own."""
    hypothesis.strategies.text().validate()


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Take back what a test, or a command that it runs in this process, sets up of the log."""
    loggers = [logging.getLogger(), *map(logging.getLogger, QUIET_LOGGERS)]
    before = [(logger, logger.level, logger.handlers) for logger in loggers]
    configured = structlog.get_config()
    yield
    structlog.configure(**configured)
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers = handlers


@pytest.fixture
def anvil(tmp_path: Path) -> Iterator[str]:
    """Run a chain of this test's own, with id 31337 and anvil's ten funded accounts; its RPC URL."""
    with running_anvil(tmp_path) as url:
        yield url


@pytest.fixture
def deployed(anvil: str, tmp_path: Path) -> "DeployedChain":
    """Run a chain with all contracts, epochs of a minute, a bonded poster and tokens in every wallet."""
    from tests.support.chain import deploy_all  # noqa: PLC0415 - web3 is slow to import

    return deploy_all(anvil, tmp_path)


@pytest.fixture
def free_port() -> int:
    """Find a loopback port that nothing listens on."""
    return find_free_port()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Run a PostgreSQL for the session; a SQLAlchemy URL. Tests make databases of their own in it."""
    with running_postgres() as url:
        yield url
