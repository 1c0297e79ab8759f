"""An `EpochBook` whose commits are read once, as the chain grows, and not from the deployment on for each epoch."""

from collections import defaultdict

from web3 import Web3

from streamrp2p.chain import CommittedHeader, EpochBookContract
from streamrp2p.numbers import Address, Hash
from streamrp2p_auditor.heads import first_block_at

REORG_BLOCKS = 1000
"""So many of the newest blocks are read again: another branch may hold other commits. Fits one request for logs."""


class FollowedBook(EpochBookContract):
    """Keeps every commit that it saw. One on a branch that was left does no harm: it is not what the book holds."""

    def __init__(self, web3: Web3, address: Address, *, from_block: int = 0) -> None:
        super().__init__(web3, address, from_block=from_block)
        self._seen: defaultdict[int, dict[Hash, CommittedHeader]] = defaultdict(dict)
        self._first_epoch: int | None = None
        self._first_block = 0
        self._next_block = 0

    def commits(self, epoch: int) -> list[CommittedHeader]:
        """See `EpochBookContract`; what was committed before the epoch could be is not searched."""
        # Whoever asks for an epoch asks for its parent next.
        self._follow(max(epoch - 1, 0))
        return sorted(self._seen[epoch].values(), key=lambda one: one.block)

    def _follow(self, epoch: int) -> None:
        last = self.latest_block()
        if self._first_epoch is None or epoch < self._first_epoch:
            earliest = self.clock().intake_end(epoch)
            self._first_block = first_block_at(self.web3, earliest, self.from_block, last)
            self._first_epoch, self._next_block = epoch, self._first_block
        # A branch may be shorter than the one before.
        start = max(self._first_block, min(self._next_block, last + 1) - REORG_BLOCKS)
        for log in self._logs(("HeaderCommitted",), from_block=start, to_block=last):
            found = self._committed(log)
            # Read again, it may stand in another block.
            self._seen[found.header.epoch][found.header_hash] = found
        self._next_block = last + 1
