"""When the next probe goes, to whom, and for how long: by chance, so that nothing tells it from a viewer. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from random import Random

from streamrp2p.numbers import Address

FORGOTTEN_SECONDS = 86_400
"""Who was not probed for so long is as due as one who never was."""
DOUBT_FACTOR = 4
"""How much likelier a node is looked at again when its last probe was not in order."""
SPREAD = 0.7
"""Of the logarithm of how long people watch: one in six leaves in half the median time, one in six stays for twice."""
LEAST_WATCH_SECONDS = 4


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node that may be probed. `weight`: what it earned of late; `probed_at`: Unix seconds, None for never."""

    node: Address
    weight: int = 0
    probed_at: int | None = None
    is_doubtful: bool = False


def pause_seconds(mean_seconds: float, chance: Random) -> float:
    """Return how long to wait for the next probe: a Poisson process, of which the past tells nothing of the future."""
    return chance.expovariate(1 / mean_seconds)


def watch_seconds(median_seconds: float, most_seconds: float, chance: Random) -> float:
    """Return how long to watch: most people leave soon, some stay long."""
    seconds = max(chance.lognormvariate(log(median_seconds), SPREAD), LEAST_WATCH_SECONDS)
    return min(seconds, most_seconds)


def odds(candidates: Sequence[Candidate], now: int) -> list[float]:
    """Return how likely each is to be chosen, relative to the others.

    Half goes evenly, half by weight, for most of the money is at stake there; and by the time since the last probe.
    """
    total = sum(each.weight for each in candidates)
    found = []
    for each in candidates:
        share = each.weight / total if total else 1 / len(candidates)
        probed_at = now - FORGOTTEN_SECONDS if each.probed_at is None else each.probed_at
        seconds = min(max(now - probed_at, 1), FORGOTTEN_SECONDS)
        doubt = DOUBT_FACTOR if each.is_doubtful else 1
        found.append((1 / len(candidates) + share) * seconds * doubt)
    return found


def choose(candidates: Sequence[Candidate], now: int, chance: Random) -> Candidate | None:
    """Return whom to probe; None when there is nobody."""
    if not candidates:
        return None
    return chance.choices(candidates, odds(candidates, now))[0]
