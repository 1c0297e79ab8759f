"""How often one address, node or host may have something done: a bucket of tokens for each."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from ipaddress import IPv6Address, ip_address, ip_network

MAX_KEYS = 10_000
"""Buckets that are kept; the ones unused for longest go first."""


class RateLimit:
    """Buckets of `burst` tokens that get one back every `seconds`. May be used by many threads."""

    def __init__(
        self, burst: int, seconds: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst = burst
        self._seconds = seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()

    def take(self, *keys: Hashable) -> int:
        """Take a token of each key and return 0; or take none and return in how many seconds there is one of each."""
        with self._lock:
            now = self._monotonic()
            starts = [max(self._full_at.get(key, now), now) for key in keys]
            wait = max(start - now for start in starts) - (self._burst - 1) * self._seconds
            if wait > 0:
                return math.ceil(wait)
            for key, start in zip(keys, starts, strict=True):
                self._full_at[key] = start + self._seconds
                self._full_at.move_to_end(key)
            while len(self._full_at) > MAX_KEYS:
                self._full_at.popitem(last=False)
            return 0


def asker_key(asker: str | None) -> str:
    """Return what an asker's limit counts by: the address, of IPv6 the /64 that one customer has."""
    try:
        address = ip_address(asker or "")
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return str(address)
