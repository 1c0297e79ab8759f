"""Send a hidden viewer to a node, and keep what it found."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from streamrp2p import api
from streamrp2p.errors import MalformedError
from streamrp2p.http_api import ApiError, UnreachableError
from streamrp2p.node_client import NodeClient
from streamrp2p.numbers import Address
from streamrp2p.playlist import MediaObject, MediaPlaylist
from streamrp2p.signatures import address_of
from streamrp2p.viewer.admission import new_viewer_key
from streamrp2p.viewer.freshness import Freshness
from streamrp2p.viewer.report import Reason, SourceReport
from streamrp2p.viewer.session import CoordinatorTime, ReceiptSession
from streamrp2p.viewer.source import Source
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.network import Clock, Network, Policy, Signer
from streamrp2p_coordinator.probing.control import ask_origin, read_stream
from streamrp2p_coordinator.probing.outcome import Outcome, Visit, facts, judge
from streamrp2p_coordinator.probing.routes import Route
from streamrp2p_coordinator.probing.schedule import (
    FORGOTTEN_SECONDS,
    LEAST_WATCH_SECONDS,
    Candidate,
    choose,
    watch_seconds,
)
from streamrp2p_coordinator.probing.viewing import REQUEST_SECONDS, Viewing
from streamrp2p_coordinator.probing.wire import BrowserTransport
from streamrp2p_coordinator.repositories.pools import KnownPool
from streamrp2p_coordinator.repositories.probes import StoredProbe
from streamrp2p_coordinator.use_cases.measure_streams import origin_of
from streamrp2p_coordinator.use_cases.open_session import open_session

LAST_SECONDS = 15
"""Of an epoch, in which no probe goes on: its last receipt must still find the way into a batch."""
STALE_SECONDS = 8.0


def probe_node(
    *,
    database: Database,
    network: Network,
    policy: Policy,
    ticket_signer: Signer,
    clock: Clock,
    route: Route,
    site: str,
    median_seconds: float,
    chance: Random,
    should_stop: Callable[[], bool] = lambda: False,
) -> StoredProbe | None:
    """Watch a node of a stream that is on the air, both chosen by chance; None when there is nothing to probe now.

    The node gets a viewer's ticket, and is paid for what it serves. Raises StreamrP2PError as `open_session` does.
    """
    now = clock()
    if now < network.epochs.genesis:
        return None
    epoch = network.epochs.at(now)
    most_seconds = min(network.epochs.end(epoch) - now - LAST_SECONDS, policy.ticket_seconds // 2)
    found = _choose(database, epoch, now, ticket_signer.address, chance)
    if found is None or most_seconds < LEAST_WATCH_SECONDS:
        return None
    pool, node = found
    try:
        origin = origin_of(pool, network, route)
    except MalformedError:
        return None
    try:
        stream = read_stream(origin)
        if not stream:
            return None
        key = new_viewer_key()
        admitted = open_session(
            api.SessionRequest(pool_id=pool.pool_id, viewer=address_of(key), excluded_nodes=[]),
            database=database,
            network=network,
            policy=policy,
            ticket_signer=ticket_signer,
            # Only pools of the lent key are chosen: a streamer's own budget is for its viewers.
            remote_signers={},
            clock=clock,
            only=node,
        )
        session = ReceiptSession(admitted.ticket.message(), network.domain, key)
        with database.write() as store:
            probe_id = store.probes.begin(pool.pool_id, node, session.session_id, now)
        seconds = watch_seconds(median_seconds, most_seconds, chance)
        wire = BrowserTransport(route(), site)
        viewing = _Viewer(pool, network, policy, wire, clock)
        visit = viewing.visit(admitted, session, stream[0], seconds, should_stop)
        return _judged(database, probe_id, node, visit, origin, stream, clock, should_stop)
    finally:
        origin.close()


def _choose(
    database: Database, epoch: int, now: int, own_signer: Address, chance: Random
) -> tuple[KnownPool, Address] | None:
    with database.read() as store:
        pools = []
        for pool in store.pools.all():
            terms = store.pools.terms_of(pool.pool_id, epoch)
            if pool.is_open(epoch) and terms is not None and terms.ticket_signer == own_signer:
                pools.append(pool)
        if not pools:
            return None
        pool = chance.choice(pools)
        weights = store.probes.weights(pool.pool_id, (epoch - 1, epoch))
        last = store.probes.last_of_each_node(now - FORGOTTEN_SECONDS)
        nodes = [node.node for node in store.nodes.all(now) if node.is_healthy]
    candidates = []
    for node in nodes:
        before = last.get(node)
        is_doubtful = before is not None and before.outcome not in (Outcome.OK, Outcome.VOID)
        probed_at = None if before is None else before.started_at
        candidates.append(Candidate(node, weights.get(node, 0), probed_at, is_doubtful))
    chosen = choose(candidates, now, chance)
    return None if chosen is None else (pool, chosen.node)


@dataclass(frozen=True, slots=True)
class _Viewer:
    """A viewer of one pool behind a transport that looks like a browser."""

    pool: KnownPool
    network: Network
    policy: Policy
    wire: BrowserTransport
    clock: Clock

    def visit(
        self,
        admitted: api.Session,
        session: ReceiptSession,
        at_origin: MediaPlaylist,
        seconds: float,
        should_stop: Callable[[], bool],
    ) -> Visit:
        """Open the session and watch. `at_origin` was just read there: a node's playlist may not be much older."""
        try:
            client = NodeClient(
                admitted.endpoint, timeout_seconds=REQUEST_SECONDS, transport=self.wire
            )
        except MalformedError:
            self.wire.close()
            return Visit(0, fault=Reason.UNREACHABLE)
        freshness = Freshness(STALE_SECONDS)
        freshness.fault(b"", at_origin, time.monotonic())
        report = SourceReport(session.ticket.node, admitted.endpoint)
        try:
            opened = client.open_session(
                api.OpenSession(ticket=admitted.ticket, signature=admitted.signature)
            )
            viewing = Viewing(
                source=Source(client, self.pool, self.network.domain, report, session),
                session=session,
                wire=self.wire,
                freshness=freshness,
                pool=self.pool,
                time=CoordinatorTime(self.clock(), time.monotonic()),
                credit_bytes=opened.credit_bytes,
                rate_slack_seconds=self.policy.rate_slack_seconds,
                clock=time,
            )
            return viewing.watch(seconds, should_stop)
        except UnreachableError:
            return Visit(0, fault=Reason.UNREACHABLE)
        except ApiError as error:
            return Visit(0, fault=Reason.REFUSED, slug=error.slug)
        finally:
            client.close()


def _judged(
    database: Database,
    probe_id: int,
    node: Address,
    visit: Visit,
    origin: Source,
    stream: Sequence[MediaPlaylist],
    clock: Clock,
    should_stop: Callable[[], bool],
) -> StoredProbe:
    """Ask the origin the same, and keep what is to be said of the node."""
    with database.read() as store:
        others = [each for each in store.nodes.all(clock()) if each.node != node]
    others_answer = any(each.is_healthy for each in others) if others else None
    wrong = visit.wrong
    wanted = None if wrong is None else MediaObject(wrong.name, wrong.length_bytes, wrong.signed)
    control = ask_origin(origin, stream[0].rendition, wanted, others_answer=others_answer)
    outcome = Outcome.VOID if should_stop() else judge(visit, control)
    with database.write() as store:
        store.probes.end(
            probe_id,
            outcome,
            seconds=visit.seconds,
            bytes_received=visit.bytes_received,
            bytes_per_second=visit.bytes_per_second,
            evidence=facts(visit, control),
        )
        return store.probes.find(probe_id)
