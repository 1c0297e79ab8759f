"""What the chain says of one committed epoch: all that is believed without recomputing."""

from dataclasses import dataclass

from streamrp2p.chain.epoch_book import CommittedHeader, EpochBookContract, EpochStatus
from streamrp2p.chain.errors import (
    ChainMovedError,
    EpochNotCommittedError,
    EpochVoidedError,
    HeaderMissingError,
)
from streamrp2p.chain.reward_pools import RewardPoolsContract
from streamrp2p.chain.rpc import Block
from streamrp2p.settlement import PoolInput
from streamrp2p.typed_data import Domain


@dataclass(frozen=True, slots=True)
class EpochFacts:
    """The header that stands, its parent (None for epoch 0), and the pools that were open, rising by id."""

    domain: Domain
    status: EpochStatus
    committed: CommittedHeader
    parent: CommittedHeader | None
    pools: tuple[PoolInput, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """The contracts of one deployment."""

    book: EpochBookContract
    pools: RewardPoolsContract
    domain: Domain

    def facts(self, epoch: int, block: Block | None = None) -> EpochFacts:
        """Read an epoch's facts, as of a block or the newest.

        Raises EpochNotCommittedError, EpochVoidedError, HeaderMissingError, ChainMovedError, and what the chain's
        wrappers raise.
        """
        status, committed = self._standing(epoch, block)
        parent = self._standing(epoch - 1, block)[1] if epoch else None
        # The book compares this many bytes. Where only the others differ, the poster is to blame and the audit says so.
        length = len(status.digest)
        if parent and parent.header_hash[:length] != committed.header.parent[:length]:
            raise ChainMovedError(epoch)
        inputs = tuple(self.pools.pool_inputs(epoch, block))
        return EpochFacts(self.domain, status, committed, parent, inputs)

    def newest_epoch(self) -> int | None:
        """Return the newest epoch with a header, or None when there is none."""
        next_epoch = self.book.next_epoch()
        return next_epoch - 1 if next_epoch else None

    def _standing(self, epoch: int, block: Block | None) -> tuple[EpochStatus, CommittedHeader]:
        status = self.book.status(epoch, block)
        commits = self.book.commits(epoch)
        if status.state == "none":
            if commits:
                raise EpochVoidedError(epoch, [one.header_hash for one in commits])
            raise EpochNotCommittedError(epoch, self.book.next_epoch(block))
        for one in reversed(commits):
            # The digest is what the chain holds; the event is only what the RPC says of it.
            if one.header.hash()[: len(status.digest)] == status.digest:
                return status, one
        raise HeaderMissingError(epoch)
