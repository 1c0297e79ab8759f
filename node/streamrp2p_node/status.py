"""What a running node says of itself: GET /v1/status."""

from dataclasses import dataclass

from streamrp2p import api
from streamrp2p.numbers import Address
from streamrp2p_node.coordinator_view import CoordinatorView
from streamrp2p_node.doors import Doors
from streamrp2p_node.presence import Presence, ReachStatus
from streamrp2p_node.relay import Relay
from streamrp2p_node.segment_cache import SegmentCache
from streamrp2p_node.session import Session
from streamrp2p_node.settings import Settings
from streamrp2p_node.store import Store
from streamrp2p_node.streams import Streams
from streamrp2p_node.submitter import Submitter
from streamrp2p_node.upstream import Meter, Traffic


class UpstreamStatus(api.Wire):
    """What came from one kind of upstream since the start of the process: bodies of whatever kind, in bytes."""

    objects_fetched: int
    playlists_fetched: int
    bytes_received: int


class PoolStatus(api.Wire):
    """One pool's traffic: counts since the start of the process, sessions and unpaid bytes of the open epochs.

    `1 - origin.bytes_received / bytes_served` is the part of its traffic that this node takes off the origin.
    """

    pool_id: int
    bytes_served: int
    sessions: int
    unpaid_bytes: int
    path: list[api.AddressHex]
    """The relays that the stream comes through, this node last; empty for a pool that nobody watches here now."""
    upstream: str | None
    """The endpoint of the relay that feeds the stream, "origin", or None while nobody watches."""
    waiting_requests: int
    segments_joined: int
    """Segments put together from their parts, of the stream as it is relayed now."""
    origin: UpstreamStatus
    relays: UpstreamStatus


class CacheStatus(api.Wire):
    """The segment cache."""

    disk_bytes: int
    disk_segments: int
    max_disk_bytes: int
    memory_bytes: int
    has_full_disk: bool


class MonthStatus(api.Wire):
    """What left in the calendar month of UTC, such as `2026-11`; `max_bytes` is None without a cap."""

    name: str
    bytes_served: int
    max_bytes: int | None


class NodeStatus(api.Wire):
    """A node's report. Times are Unix seconds; `epoch` is None before the coordinator's first answer and genesis."""

    node: api.AddressHex
    endpoint: str | None
    reachability: ReachStatus
    coordinator: str
    is_ready: bool
    closed_because: str | None
    started_at: int
    time: int
    clock_skew_seconds: float
    epoch: int | None
    sessions: int
    stopped_sessions: int
    bytes_served: int
    unpaid_bytes: int
    unsubmitted_receipts: int
    credit_bytes: int
    pools: list[PoolStatus]
    last_ack: api.BatchAck | None
    last_error: str | None
    month: MonthStatus
    cache: CacheStatus


@dataclass(frozen=True, slots=True)
class Reporter:
    """Makes the report of a running node."""

    settings: Settings
    node: Address
    started_at: int
    view: CoordinatorView
    store: Store
    relay: Relay
    streams: Streams
    submitter: Submitter
    cache: SegmentCache
    presence: Presence
    doors: Doors

    def report(self) -> NodeStatus:
        """Return the report of now."""
        sessions = list(self.store.book)
        return NodeStatus(
            node=self.node,
            endpoint=self.presence.endpoint,
            reachability=self.presence.status(),
            coordinator=self.settings.coordinator_url,
            is_ready=self.view.is_known,
            closed_because=self.doors.closed_because,
            started_at=self.started_at,
            time=self.view.now(),
            clock_skew_seconds=round(self.view.skew_seconds, 1),
            epoch=self._epoch(),
            sessions=len(sessions),
            stopped_sessions=sum(session.is_stopped for session in sessions),
            bytes_served=self.relay.bytes_served.total(),
            unpaid_bytes=_unpaid(sessions),
            unsubmitted_receipts=self.submitter.due_count(),
            credit_bytes=self.settings.credit_bytes,
            pools=self._pools(sessions),
            last_ack=self.submitter.last_ack,
            last_error=self.submitter.last_error,
            month=MonthStatus(
                name=self.doors.month.name,
                bytes_served=self.doors.month.bytes_served,
                max_bytes=self.doors.max_month_bytes,
            ),
            cache=CacheStatus(
                disk_bytes=self.cache.disk_bytes,
                disk_segments=self.cache.disk_segments,
                max_disk_bytes=self.settings.cache_bytes,
                memory_bytes=self.cache.memory_bytes,
                has_full_disk=self.cache.has_full_disk,
            ),
        )

    def _epoch(self) -> int | None:
        if not self.view.is_known or self.view.now() < self.view.clock.genesis:
            return None
        return self.view.clock.at(self.view.now())

    def _pools(self, sessions: list[Session]) -> list[PoolStatus]:
        pools = {stream.source.pool_id for stream in self.streams} | self.relay.bytes_served.keys()
        own: dict[int, list[Session]] = {pool_id: [] for pool_id in pools} | _by_pool(sessions)
        return [self._pool(pool_id, of_pool) for pool_id, of_pool in sorted(own.items())]

    def _pool(self, pool_id: int, sessions: list[Session]) -> PoolStatus:
        stream = self.streams.find(pool_id)
        traffic = self.streams.traffic.get(pool_id, Traffic())
        return PoolStatus(
            pool_id=pool_id,
            bytes_served=self.relay.bytes_served[pool_id],
            sessions=len(sessions),
            unpaid_bytes=_unpaid(sessions),
            path=[*stream.upstream.path, self.node] if stream else [],
            upstream=(stream.upstream.endpoint or "origin") if stream else None,
            waiting_requests=stream.waiting if stream else 0,
            segments_joined=stream.objects.joined if stream else 0,
            origin=_upstream(traffic.origin),
            relays=_upstream(traffic.relays),
        )


def _upstream(meter: Meter) -> UpstreamStatus:
    return UpstreamStatus(
        objects_fetched=meter.objects,
        playlists_fetched=meter.playlists,
        bytes_received=meter.received_bytes,
    )


def _unpaid(sessions: list[Session]) -> int:
    return sum(session.credit.unpaid_bytes for session in sessions)


def _by_pool(sessions: list[Session]) -> dict[int, list[Session]]:
    pools: dict[int, list[Session]] = {}
    for session in sessions:
        pools.setdefault(session.ticket.pool_id, []).append(session)
    return pools
