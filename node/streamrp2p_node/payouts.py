"""Tells a node's operator when money can be claimed: when an epoch that pays the node has become final."""

from collections.abc import Callable, Mapping

from streamrp2p import api
from streamrp2p.numbers import Address

PAYOUT_READY = "payout ready"


class Payouts:
    """Asks the coordinator what the node earned, and compares with the time before.

    What was final already at the first look is no news: the node may have been restarted after it was told.
    """

    def __init__(self, earnings: Callable[[bytes], api.Earnings], node: Address) -> None:
        self._earnings = earnings
        self._node = node
        self._seen: Mapping[int, int] | None = None

    def news(self) -> str | None:
        """Return what has become claimable since the last look, in words; raises what the client does."""
        final = {pool.pool_id: pool.final for pool in self._earnings(self._node).pools}
        seen, self._seen = self._seen, final
        if seen is None:
            return None
        grown = {pool: amount - seen.get(pool, 0) for pool, amount in sorted(final.items())}
        parts = [f"{more} base units of pool {pool}" for pool, more in grown.items() if more > 0]
        if not parts:
            return None
        return f"{', '.join(parts)} became final; to have them paid: streamrp2p node claim"
