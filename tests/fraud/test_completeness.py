"""No wrong header survives: each is committed on a real chain, and voided by the first transaction that is found."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from streamrp2p.numbers import Hash
from tests.fraud.chain_stage import ChainStage, running_stage
from tests.fraud.mutants import mutants
from tests.fraud.scene import LAST_EPOCH, honest
from tests.fraud.table import row

pytestmark = pytest.mark.integration

PAGE = Path(__file__).parents[2] / "docs" / "fraud-proofs.md"
PARTS = 24
"""Tests that the workers share; each has its share of the classes."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainStage]:
    with running_stage(tmp_path_factory.mktemp("stage")) as made:
        yield made


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(PARTS))
def test_every_wrong_header_falls_as_the_page_says(stage: ChainStage, part: int) -> None:
    page = PAGE.read_text()
    groups = sorted({mutant.group for mutant in mutants()})[part::PARTS]
    own = [mutant for mutant in mutants() if mutant.group in groups]
    falls = defaultdict(list)
    for mutant in sorted(own, key=lambda one: one.epoch.number):
        try:
            falls[mutant.group].append(stage.fall(mutant))
        except AssertionError as error:
            raise AssertionError(f"{mutant.group}, {mutant.name}: {error}") from error
    assert groups
    for group, kills in falls.items():
        assert row(group, kills) in page


def test_the_book_refuses_what_no_proof_is_for(stage: ChainStage) -> None:
    right = honest(LAST_EPOCH).settled.header
    for wrong in (
        replace(right, epoch=LAST_EPOCH + 1),
        replace(right, epoch=LAST_EPOCH - 1),
        replace(right, parent=Hash(bytes([right.parent[0] ^ 1]) + right.parent[1:])),
        replace(right, parent=Hash(bytes(32))),
    ):
        assert stage.refuses_commit(wrong)
    assert not stage.refuses_commit(right)
