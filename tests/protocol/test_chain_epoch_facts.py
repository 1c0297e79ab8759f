from dataclasses import replace
from typing import cast

import pytest

from streamrp2p.chain import (
    Chain,
    ChainMovedError,
    CommittedHeader,
    EpochBookContract,
    EpochStatus,
    HeaderMissingError,
    RewardPoolsContract,
)
from streamrp2p.header import EpochHeader
from streamrp2p.numbers import ZERO_ADDRESS, ZERO_HASH, Hash
from streamrp2p.settlement import PoolInput
from tests.support.epochs import DOMAIN

FIRST = EpochHeader(0, ZERO_HASH, ZERO_HASH, 0, 0, ZERO_HASH, 0, ZERO_HASH)
SECOND = EpochHeader(1, FIRST.hash(), ZERO_HASH, 0, 0, ZERO_HASH, 0, ZERO_HASH)


class Book:
    """An RPC's view of the book: digests by epoch, and what its events say."""

    def __init__(self, digests: list[bytes], events: list[EpochHeader]) -> None:
        self.digests = digests
        self.events = events

    def status(self, epoch: int, block: int | None = None) -> EpochStatus:
        return EpochStatus(epoch, "pending", self.digests[epoch], 5, 9)

    def commits(self, epoch: int) -> list[CommittedHeader]:
        return [
            CommittedHeader(header, header.hash(), ZERO_ADDRESS, 1, ZERO_HASH)
            for header in self.events
            if header.epoch == epoch
        ]


class NoPools:
    def pool_inputs(self, epoch: int, block: int | None = None) -> list[PoolInput]:
        return []


def chain(digests: list[bytes], events: list[EpochHeader]) -> Chain:
    book, pools = Book(digests, events), NoPools()
    return Chain(cast("EpochBookContract", book), cast("RewardPoolsContract", pools), DOMAIN)


def digest(header: EpochHeader) -> bytes:
    return header.hash()[:28]


def test_header_and_parent_are_those_of_the_digests() -> None:
    voided = replace(SECOND, weight=1)
    facts = chain([digest(FIRST), digest(SECOND)], [FIRST, voided, SECOND]).facts(1)
    assert facts.committed.header == SECOND
    assert facts.parent is not None
    assert facts.parent.header == FIRST
    assert chain([digest(FIRST)], [FIRST]).facts(0).parent is None


def test_an_event_that_is_not_the_digests_is_not_believed() -> None:
    with pytest.raises(HeaderMissingError, match="epoch 0's header"):
        chain([digest(SECOND)], [FIRST]).facts(0)
    with pytest.raises(HeaderMissingError):
        chain([digest(FIRST)], []).facts(0)


def test_a_parent_that_was_replaced_meanwhile_is_no_fraud() -> None:
    other = replace(FIRST, weight=1)
    with pytest.raises(ChainMovedError, match="try again") as caught:
        chain([digest(other), digest(SECOND)], [other, SECOND]).facts(1)
    assert caught.value.retryable


def test_a_parent_that_differs_where_the_book_does_not_look_is_left_to_the_audit() -> None:
    """The book keeps 28 bytes: a poster may name a parent with other last bytes."""
    last_byte = bytes([FIRST.hash()[-1] ^ 1])
    wrong = replace(SECOND, parent=Hash(FIRST.hash()[:-1] + last_byte))
    facts = chain([digest(FIRST), digest(wrong)], [FIRST, wrong]).facts(1)
    assert facts.committed.header.parent != FIRST.hash()
