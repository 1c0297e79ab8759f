"""Look for nodes that bring their own viewers, or serve nothing, and keep what speaks against them."""

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter

from streamrp2p.suspicion import (
    Probed,
    Relay,
    Suspicion,
    count_tickets,
    judge_clusters,
    judge_probes,
    judge_use,
    judge_weights,
    unserved_probes,
)
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.network import Clock, Network
from streamrp2p_coordinator.networks import port_of_endpoint
from streamrp2p_coordinator.probing.outcome import Outcome
from streamrp2p_coordinator.repositories.probes import StoredProbe
from streamrp2p_coordinator.repositories.store import Store

SUSPICION_SECONDS = 3600
"""How long a suspicion holds after the last look that found it."""
WITHDRAWN_SECONDS = 7 * 86_400
"""How long what an operator withdrew is not made again."""


def find_suspicions(*, database: Database, network: Network, clock: Clock) -> list[Suspicion]:
    """Judge all pools by what is known now, and return the suspicions that are new."""
    now = clock()
    epoch = network.epochs.at(max(now, network.epochs.genesis))
    with database.read() as store:
        found = list(
            _judged(store, max(epoch - 1, 0), epoch, network.epochs.start(max(epoch - 1, 0)), now)
        )
        has_old_secrets = store.viewers.has_old_secrets(now)
    if not found and not has_old_secrets:
        return []
    with database.write() as store:
        store.viewers.forget_secrets(now)
        return store.suspicions.keep(found, now, now + SUSPICION_SECONDS, now - WITHDRAWN_SECONDS)


def _judged(store: Store, first: int, last: int, since: int, now: int) -> Iterator[Suspicion]:
    relays = [
        Relay(node.node, node.payout, node.network, port_of_endpoint(node.endpoint))
        for node in store.nodes.all(now)
    ]
    yield from judge_clusters(relays)
    for pool_id, uses in store.viewers.uses(now).items():
        yield from judge_use(pool_id, relays, uses)
        weights = store.probes.weights(pool_id, (first, last))
        yield from judge_weights(pool_id, relays, weights, count_tickets(uses))
    by_node = {relay.node: relay for relay in relays}
    hidden = store.probes.sessions(since)
    probed = attrgetter("pool_id", "node")
    for (pool_id, node), probes in groupby(sorted(store.probes.since(since), key=probed), probed):
        relay, seen = by_node.get(node), [_seen(probe) for probe in probes if _counts(probe)]
        if relay is not None and seen:
            # All records of the node are read for it, so only where they are needed.
            signed_at = (
                store.viewers.signed_at(node, pool_id, (first, last), hidden)
                if unserved_probes(seen)
                else []
            )
            yield from judge_probes(pool_id, relay, seen, signed_at)


def _counts(probe: StoredProbe) -> bool:
    """Tell whether a probe says something of its node: one that found the origin silent, or was cut short, does not."""
    return probe.outcome in (Outcome.OK, Outcome.SLOW, Outcome.CORRUPT, Outcome.UNSERVED)


def _seen(probe: StoredProbe) -> Probed:
    return Probed(
        started_at=probe.started_at,
        ended_at=probe.started_at + probe.seconds,
        # A slow node serves: what it served may still be less than one object.
        bytes_received=0 if probe.outcome is Outcome.UNSERVED else max(probe.bytes_received, 1),
        is_corrupt=probe.outcome is Outcome.CORRUPT,
    )
