"""What happened at viewers and relays in some seconds. Pure."""

from dataclasses import dataclass

_GBIT_BYTES = 1e9 / 8


@dataclass(slots=True)
class Got:
    """What viewers got. Bytes are those of bodies."""

    object_bytes: int = 0
    playlist_bytes: int = 0
    requests: int = 0

    @property
    def bytes(self) -> int:
        """All bytes."""
        return self.object_bytes + self.playlist_bytes

    def copy(self) -> "Got":
        """Return what was got until now."""
        return Got(self.object_bytes, self.playlist_bytes, self.requests)

    def __sub__(self, other: "Got") -> "Got":
        return Got(
            self.object_bytes - other.object_bytes,
            self.playlist_bytes - other.playlist_bytes,
            self.requests - other.requests,
        )


@dataclass(frozen=True, slots=True)
class Flow:
    """What a relay had received, sent, written of receipts, and used of the processor at some moment.

    Bytes received are those of all bodies, bytes served those of objects: its own counters.
    """

    origin_bytes: int
    origin_requests: int
    served_bytes: int
    journal_bytes: int
    cpu_seconds: float

    def __sub__(self, other: "Flow") -> "Flow":
        return Flow(
            self.origin_bytes - other.origin_bytes,
            self.origin_requests - other.origin_requests,
            self.served_bytes - other.served_bytes,
            self.journal_bytes - other.journal_bytes,
            self.cpu_seconds - other.cpu_seconds,
        )


@dataclass(frozen=True, slots=True)
class Window:
    """So many viewers at relays, each of which has its flow."""

    seconds: float
    viewers: int
    got: Got
    flows: tuple[Flow, ...]

    @property
    def bytes_off_origin(self) -> float:
        """The part of the viewers' bytes that the origin did not send."""
        return 1 - sum(flow.origin_bytes for flow in self.flows) / self.got.bytes

    @property
    def requests_off_origin(self) -> float:
        """The part of the viewers' requests that it did not answer."""
        return 1 - sum(flow.origin_requests for flow in self.flows) / self.got.requests

    @property
    def served_bytes(self) -> int:
        """What the relays sent of objects."""
        return sum(flow.served_bytes for flow in self.flows)

    @property
    def cpu_seconds(self) -> float:
        """What the relays used of the processor."""
        return sum(flow.cpu_seconds for flow in self.flows)

    @property
    def core_seconds_per_gbit(self) -> float:
        """What a Gbit of objects took of the processor."""
        return self.cpu_seconds / (self.served_bytes / _GBIT_BYTES)

    @property
    def cores(self) -> float:
        """Which part of a core each relay used."""
        return self.cpu_seconds / len(self.flows) / self.seconds
