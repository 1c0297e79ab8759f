"""How an operator wants the stream packaged. Pure."""

from dataclasses import dataclass

from streamrp2p_origin.ladder import DEFAULT_LADDER, Ladder, parse
from streamrp2p_origin.window import MAX_SEGMENTS


@dataclass(frozen=True, slots=True)
class Packaging:
    """Which renditions, and how long segments, parts and the window that viewers can go back in are, in seconds.

    Raises ValueError, which says what to change, when the lengths do not go together.
    """

    ladder: Ladder = parse(DEFAULT_LADDER)  # noqa: RUF009 - it cannot be changed
    segment_seconds: float = 2.0
    part_seconds: float = 0.5
    dvr_seconds: float = 600.0

    def __post_init__(self) -> None:
        if self.part_seconds > self.segment_seconds:
            raise ValueError(
                f"parts of {self.part_seconds:g} s are longer than segments of {self.segment_seconds:g} s: "
                "choose a smaller --part-seconds"
            )
        if self.dvr_seconds > MAX_SEGMENTS * self.segment_seconds:
            raise ValueError(
                f"a playlist lists {MAX_SEGMENTS} segments at most, {MAX_SEGMENTS * self.segment_seconds:g} s: "
                "choose a smaller --dvr-seconds or a larger --segment-seconds"
            )
