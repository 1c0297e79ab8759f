"""What tests of running origins begin with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.origin import coordinator_of_origins, give_origin_key


@pytest.fixture(scope="module")
def coordinator_url() -> Iterator[str]:
    with coordinator_of_origins() as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an origin's folder, with its key."""
    give_origin_key(tmp_path)
    return tmp_path
