"""Everything the coordinator works with, made once at its start and handed to the use cases."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpcore

from streamrp2p.deadline import DeadlineTransport
from streamrp2p.errors import MalformedError
from streamrp2p.node_client import NodeClient
from streamrp2p.notifications import Notifier
from streamrp2p.traces import NO_TRACES, Traces
from streamrp2p_coordinator.bundles import Bundles
from streamrp2p_coordinator.chain import Chain
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.leadership import Leadership
from streamrp2p_coordinator.metrics import Metrics
from streamrp2p_coordinator.network import Clock, Network, Policy, Signer
from streamrp2p_coordinator.outside.addresses import guarded_resolver, host_and_port
from streamrp2p_coordinator.outside.rate_limit import RateLimit
from streamrp2p_coordinator.outside.steps import StepFailedError
from streamrp2p_coordinator.probing.prober import Prober
from streamrp2p_coordinator.remote_signer import RemoteSigner
from streamrp2p_coordinator.use_cases.check_health import Misses
from streamrp2p_coordinator.use_cases.check_reachability import Checks, Look
from streamrp2p_coordinator.use_cases.observe import Observation, observe
from streamrp2p_coordinator.use_cases.sync_pools import sync_pools

REFRESH_SECONDS = 1.0
"""Requests make the coordinator read the chain at most this often, however many ask for it."""
PROBE_SECONDS = 3.0
"""A node that takes longer to say that it is up gets no viewers, and holds no other node's check up."""


def system_clock() -> int:
    """Return the time in Unix seconds."""
    return int(time.time())


@dataclass(slots=True)
class Services:
    """One coordinator's parts."""

    database: Database
    leadership: Leadership
    chain: Chain
    network: Network
    policy: Policy
    bundles: Bundles
    poster: Signer
    ticket_signer: Signer
    look: Look
    remote_signers: Mapping[int, RemoteSigner] = field(default_factory=dict)
    """Whom to ask for a pool's tickets where its terms name another key than `ticket_signer`."""
    clock: Clock = system_clock
    probe: Callable[[str], str | None] = field(default_factory=lambda: address_if_up)
    """Takes a node's endpoint; the address at which it answers, None if it does not."""
    checks: Checks = field(default_factory=Checks)
    health_seconds: int = 5
    misses: Misses = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    """Why each job that fails now failed last."""
    metrics: Metrics = field(default_factory=Metrics)
    observed: Observation | None = None
    """What was seen when chain and database were last looked at."""
    prober: Prober | None = None
    """Sends hidden viewers to nodes, and measures the streams."""
    notifier: Notifier | None = None
    low_balance_wei: int = 0
    posts: RateLimit | None = None
    """How often one address may post; None: without a bound."""
    dashboard_origins: tuple[str, ...] = ()
    """Whose pages accounts may sign in from; none: nobody signs in."""
    admin_token: str | None = field(default=None, repr=False)
    """Opens the operator's routes; None: there are none."""
    ran_at: dict[str, float] = field(default_factory=dict)
    """When jobs that are not due at every tick were last run, by `clock`."""
    traces: Traces = NO_TRACES
    """What requests and jobs did, for a collector of the operator's."""
    busy_since: float | None = None
    """When the round of jobs that runs now began, by the monotonic clock."""
    _refresh_lock: threading.Lock = field(default_factory=threading.Lock)
    _refreshed_at: float = -REFRESH_SECONDS

    def observe(self) -> Observation:
        """Look where chain and database stand now; raises as `observe`."""
        return observe(
            database=self.database,
            chain=self.chain,
            network=self.network,
            bundles=self.bundles,
            poster=self.poster.address,
            clock=self.clock,
        )

    def refresh(self) -> None:
        """Read the chain anew, unless that was just done."""
        with self._refresh_lock:
            if time.monotonic() - self._refreshed_at < REFRESH_SECONDS:
                return
            sync_pools(
                database=self.database, chain=self.chain, network=self.network, clock=self.clock
            )
            self._refreshed_at = time.monotonic()


def address_if_up(endpoint: str, *, allow_local_networks: bool = False) -> str | None:
    """Return the IP address at which a node answers its health route in time; None if it does not.

    Never follows it elsewhere, nor into local networks.
    """
    reached: list[str] = []

    def connect(address: str, port: int, seconds: float | None) -> httpcore.NetworkStream:
        stream = httpcore.SyncBackend().connect_tcp(address, port, seconds)
        reached.append(address)
        return stream

    resolve = guarded_resolver(allow_local_networks=allow_local_networks)
    transport = DeadlineTransport(resolve, connect=connect)
    try:
        host_and_port(endpoint)
        with NodeClient(endpoint, timeout_seconds=PROBE_SECONDS, transport=transport) as node:
            return reached[-1] if node.is_healthy() else None
    except (MalformedError, StepFailedError, ValueError):
        return None
