"""What a probe found. Pure.

A node is blamed only for what the origin, asked by the same way right after, shows to be the node's own doing.
"""

from dataclasses import dataclass
from enum import StrEnum

from streamrp2p.evidence import Facts
from streamrp2p.numbers import Hash
from streamrp2p.viewer.report import Reason

SLOW_SHARE = 4
"""Whose viewer stood still for more than one part in so many of the time is slow."""
OPEN_REFUSALS = frozenset(
    {
        "draining",
        "encoded",
        "node-full",
        "not-ready",
        "off-schedule",
        "over-data-cap",
        "storage-full",
        "too-many-connections",
    }
)
"""Slugs by which a node says openly that it takes nobody now: that is its right. `encoded` is our own word for an
answer that a proxy compressed, as browsers allow, and that a probe cannot read."""


class Outcome(StrEnum):
    """What is said of the node."""

    OK = "ok"
    UNSERVED = "unserved"
    """Not one object of the stream came."""
    CORRUPT = "corrupt"
    """Bytes came under an object's name that are not those that the origin signed for."""
    SLOW = "slow"
    """Some of it came, but a viewer would have stood still."""
    VOID = "void"
    """Nothing: the fault may be the origin's, the probe's own network's, or nobody's."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """Bytes of the right length that are not the object's."""

    name: str
    length_bytes: int
    signed: Hash
    got: Hash


@dataclass(frozen=True, slots=True)
class Visit:
    """What a probe saw of a node. `transfer_micros` adds up the times from each object's request to its last byte."""

    seconds: int
    objects: int = 0
    bytes_received: int = 0
    """Of objects that came whole and right."""
    transfer_micros: int = 0
    first_byte_millis: int = 0
    """The median of the objects."""
    stalled_millis: int = 0
    fault: Reason | None = None
    """Why the probe left before its time."""
    slug: str = ""
    """The node's own word for it."""
    wrong: Wrong | None = None

    @property
    def bytes_per_second(self) -> int:
        """How fast objects came while they were on their way."""
        return (
            self.bytes_received * 1_000_000 // self.transfer_micros if self.transfer_micros else 0
        )

    @property
    def is_stalling(self) -> bool:
        """Whether a viewer would have stood still for much of the time."""
        return self.stalled_millis * SLOW_SHARE > self.seconds * 1000


@dataclass(frozen=True, slots=True)
class Control:
    """What the origin gave when it was asked by the same way right after.

    `is_good`: its playlist, and the object that was wrong or else the newest, came right and faster than it plays.
    `others_answer`: some other node was up at that time; None when there is no other.
    """

    is_good: bool
    bytes_per_second: int = 0
    others_answer: bool | None = None

    @property
    def speaks_against_the_node(self) -> bool:
        """Whether the way to the stream and the prober's own network were in order."""
        return self.is_good and self.others_answer is not False


def judge(visit: Visit, control: Control) -> Outcome:
    """Return what is said of the node."""
    if visit.wrong is not None:
        return Outcome.CORRUPT if control.is_good else Outcome.VOID
    if visit.objects and visit.fault is None and not visit.is_stalling:
        return Outcome.OK
    if visit.slug in OPEN_REFUSALS or visit.fault is Reason.DRAINING:
        return Outcome.OK if visit.objects else Outcome.VOID
    if not control.speaks_against_the_node:
        return Outcome.VOID
    return Outcome.SLOW if visit.objects else Outcome.UNSERVED


def facts(visit: Visit, control: Control) -> Facts:
    """Return what the verdict rests on, without what would name the session."""
    found: dict[str, int | str] = {
        "objects": visit.objects,
        "firstByteMillis": visit.first_byte_millis,
        "stalledMillis": visit.stalled_millis,
        "originBytesPerSecond": control.bytes_per_second,
    }
    if visit.fault is not None:
        found["fault"] = str(visit.fault)
    if visit.slug:
        found["refusal"] = visit.slug
    if visit.wrong is not None:
        found |= {
            "object": visit.wrong.name,
            "objectBytes": visit.wrong.length_bytes,
            "signedSha256": "0x" + visit.wrong.signed.hex(),
            "gotSha256": "0x" + visit.wrong.got.hex(),
        }
    return found
