"""What a viewer saw, for people and for scripts."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from streamrp2p.viewer.session import ReceiptSession


class Reason(StrEnum):
    """Why a viewer left a relay."""

    CORRUPT_OBJECT = "corrupt-object"
    BAD_PLAYLIST = "bad-playlist"
    STALE_PLAYLIST = "stale-playlist"
    MISSING_OBJECT = "missing-object"
    LATE = "late"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    ORIGIN_FAILED = "origin-failed"
    """The relay says that it gets nothing from the origin."""
    RECEIPT_REFUSED = "receipt-refused"
    UNPAID = "unpaid"
    DRAINING = "draining"
    """The relay is about to stop, and asks its viewers to move."""
    MOVED = "moved"
    """The coordinator gave the next ticket for another relay."""
    RELAY_FOUND = "relay-found"
    """Of the origin alone: a relay was there again."""

    @property
    def is_final(self) -> bool:
        """Whether the relay is not asked again: it served wrong bytes, which no accident explains."""
        return self in (Reason.CORRUPT_OBJECT, Reason.BAD_PLAYLIST)

    @property
    def may_be_no_fault(self) -> bool:
        """Whether it may not be the relay's fault: then it is not avoided for longer each time."""
        return self in (Reason.STALE_PLAYLIST, Reason.ORIGIN_FAILED, Reason.DRAINING)


@dataclass(slots=True)
class Departure:
    """One leaving of a relay. `at_seconds` counts from the beginning of the watch."""

    reason: Reason
    detail: str
    at_seconds: float


@dataclass(slots=True)
class SourceReport:
    """What one relay did, over all sessions with it; `node` is None for the origin, whose bytes nobody is paid for."""

    node: bytes | None
    endpoint: str
    segments: int = 0
    maps: int = 0
    bytes_delivered: int = 0
    bytes_on_time: int = 0
    objects_refused: int = 0
    receipts_accepted: int = 0
    sessions: list[ReceiptSession] = field(default_factory=list)
    departures: list[Departure] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "node": None if self.node is None else "0x" + self.node.hex(),
            "endpoint": self.endpoint,
            "segments": self.segments,
            "maps": self.maps,
            "bytesDelivered": self.bytes_delivered,
            "bytesOnTime": self.bytes_on_time,
            "objectsRefused": self.objects_refused,
            "receiptsAccepted": self.receipts_accepted,
            "sessions": [
                {
                    "sessionId": "0x" + session.session_id.hex(),
                    "epoch": session.ticket.epoch,
                    "receipts": session.receipts,
                    "bytesDelivered": session.bytes_delivered,
                    "bytesOnTime": session.bytes_on_time,
                }
                for session in self.sessions
            ],
            "departures": [
                {
                    "reason": str(departure.reason),
                    "detail": departure.detail,
                    "atSeconds": round(departure.at_seconds, 3),
                }
                for departure in self.departures
            ],
        }


@dataclass(slots=True)
class WatchReport:
    """The result of one watch. `sources` stand in the order in which they were first used."""

    pool_id: int
    viewer: bytes
    began_at: float
    """On the viewer's monotonic clock."""
    rendition: str | None = None
    """The one last watched."""
    watched_seconds: float = 0.0
    startup_seconds: float | None = None
    """From the first request to playback; None if it never began."""
    stalls: int = 0
    stalled_seconds: float = 0.0
    paused_seconds: float = 0.0
    """Because the source had no more."""
    segments_skipped: int = 0
    """They were no longer to be had when the player came to them."""
    tickets: int = 0
    sources: list[SourceReport] = field(default_factory=list)

    @property
    def segments(self) -> int:
        """Verified segments from all sources."""
        return sum(source.segments for source in self.sources)

    @property
    def bytes_delivered(self) -> int:
        """Verified bytes from relays: what receipts were signed for."""
        return sum(each.bytes_delivered for each in self.sources if each.node is not None)

    @property
    def bytes_on_time(self) -> int:
        """Those of them that came before their deadline."""
        return sum(each.bytes_on_time for each in self.sources if each.node is not None)

    def note_departure(self, part: SourceReport, reason: Reason, detail: str, now: float) -> None:
        """Note that a source was left, or could not be joined."""
        part.departures.append(Departure(reason, detail, now - self.began_at))

    def source(self, node: bytes | None, endpoint: str) -> SourceReport:
        """Return the relay's part, a new one if this is its first."""
        for known in self.sources:
            if known.node == node:
                return known
        self.sources.append(SourceReport(node, endpoint))
        return self.sources[-1]

    def shown(self) -> dict[str, Any]:
        """Return the JSON object."""
        from_origin = sum(each.bytes_delivered for each in self.sources if each.node is None)
        return {
            "poolId": self.pool_id,
            "viewer": "0x" + self.viewer.hex(),
            "rendition": self.rendition,
            "watchedSeconds": round(self.watched_seconds, 3),
            "startupSeconds": (
                None if self.startup_seconds is None else round(self.startup_seconds, 3)
            ),
            "stalls": self.stalls,
            "stalledSeconds": round(self.stalled_seconds, 3),
            "pausedSeconds": round(self.paused_seconds, 3),
            "segments": self.segments,
            "segmentsSkipped": self.segments_skipped,
            "tickets": self.tickets,
            "bytesDelivered": self.bytes_delivered,
            "bytesOnTime": self.bytes_on_time,
            "bytesFromOrigin": from_origin,
            "sources": [source.shown() for source in self.sources],
        }
