"""Measure how many bytes a second each stream has, by its origin's own signed playlists."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from streamrp2p.errors import MalformedError
from streamrp2p.node_client import NodeClient
from streamrp2p.viewer.report import SourceReport
from streamrp2p.viewer.source import Source
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.network import Clock, Network
from streamrp2p_coordinator.probing.control import read_stream
from streamrp2p_coordinator.probing.rates import stream_rate
from streamrp2p_coordinator.probing.routes import Route
from streamrp2p_coordinator.repositories.pools import KnownPool

MEMORY_SECONDS = 30 * 86_400
MEMORY_EPOCHS = 64
REQUEST_SECONDS = 6.0
AT_ONCE = 4
"""A slow origin holds up no more than one of so many ways."""


def measure_streams(
    *,
    database: Database,
    network: Network,
    clock: Clock,
    route: Route,
    should_stop: Callable[[], bool] = lambda: False,
) -> int:
    """Keep the rate of every open pool whose stream is on the air as it is found, and return how many those are.

    Forgets probes and rates that are old.
    """
    now = clock()
    if now < network.epochs.genesis:
        return 0
    epoch = network.epochs.at(now)
    with database.write() as store:
        store.probes.forget(now - MEMORY_SECONDS, epoch - MEMORY_EPOCHS)
        pools = store.pools.all()

    def measure(pool: KnownPool) -> bool:
        # A round of many streams may outlast an epoch.
        epoch = network.epochs.at(clock())
        if should_stop() or not pool.is_open(epoch):
            return False
        rate = _measured(pool, network, route)
        if rate is None:
            return False
        with database.write() as store:
            store.probes.keep_rate(pool.pool_id, epoch, rate)
        return True

    with ThreadPoolExecutor(AT_ONCE, "measure") as threads:
        return sum(threads.map(measure, pools))


def origin_of(pool: KnownPool, network: Network, route: Route) -> Source:
    """Return a pool's origin as a source; raises MalformedError when its URL is none."""
    client = NodeClient(pool.origin_url, timeout_seconds=REQUEST_SECONDS, transport=route())
    return Source(client, pool, network.domain, SourceReport(None, pool.origin_url), None)


def _measured(pool: KnownPool, network: Network, route: Route) -> int | None:
    try:
        origin = origin_of(pool, network, route)
    except MalformedError:
        return None
    try:
        return stream_rate(read_stream(origin))
    finally:
        origin.close()
