"""Follows the demands for data in the chain's logs, without reading the same blocks again and again."""

from bisect import bisect_left

from streamrp2p.chain import DataDemandsContract, DemandRecord
from streamrp2p.chain.rpc import quantity, request
from streamrp2p.numbers import Hash

REORGANISED_BLOCKS = 64
"""So many of the newest blocks are doubted: another chain may take their place, with other demands and answers."""


class DemandWatch:
    """What is demanded, from the oldest pending commit on. It keeps nothing that a new start could not read."""

    def __init__(self, contract: DataDemandsContract) -> None:
        self._contract = contract
        self._seen: dict[Hash, tuple[DemandRecord, int]] = {}
        """Each demand with the newest block in which it may have been open."""
        self._since: int | None = None
        self._next_block = contract.from_block

    def open(self, since: int) -> list[DemandRecord]:
        """Return what was demanded at `since` (Unix seconds) or later and is open in the newest block."""
        newest = self._contract.latest_block()
        if self._since is None or since < self._since:
            self._next_block = self._first_block(since, newest)
            self._since = since
        for demand in self._contract.demands(from_block=self._next_block, to_block=newest):
            self._seen[demand.demand_id] = demand, newest
        self._next_block = max(self._next_block, newest + 1 - REORGANISED_BLOCKS)
        seen = [demand for demand, _ in self._seen.values()]
        still_open = self._contract.still_open(seen, block=newest)
        self._seen |= {demand.demand_id: (demand, newest) for demand in still_open}
        self._seen = {
            demand_id: (demand, block)
            for demand_id, (demand, block) in self._seen.items()
            if newest - block <= REORGANISED_BLOCKS
        }
        return still_open

    def _first_block(self, time: int, newest: int) -> int:
        """Return the first block of that time or later; blocks' times rise."""
        first = self._contract.from_block
        return first + bisect_left(range(first, newest + 1), time, key=self._time_of)

    def _time_of(self, block: int) -> int:
        found = request(self._contract.web3, "eth_getBlockByNumber", [hex(block), False])
        return quantity(found["timestamp"])
