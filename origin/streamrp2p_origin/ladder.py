"""Which renditions of a stream are made, as an operator writes them: `source,480p:1200,240p:400`. Pure."""

import re
from collections.abc import Collection
from dataclasses import dataclass

SOURCE = "source"
DEFAULT_LADDER = "source,480p:1200,240p:400"
MAX_RUNGS = 6
"""Each costs the origin's machine an encoder."""
MIN_KBIT, MAX_KBIT = 50, 50_000
MIN_HEIGHT, MAX_HEIGHT = 64, 4320

_RUNG = re.compile(r"(source|([1-9][0-9]{0,4})p)(?::([0-9]{1,9}))?")


@dataclass(frozen=True, slots=True)
class Rung:
    """One rendition. `height` is in pixels, `kbit` the picture's kbit/s; the source has no height of its own."""

    name: str
    height: int | None
    kbit: int | None


@dataclass(frozen=True, slots=True)
class Ladder:
    """The wanted renditions, the source first."""

    rungs: tuple[Rung, ...]

    def fitting(self, source_height: int, kept: Collection[str] = ()) -> tuple[Rung, ...]:
        """Return the rungs for a source of this height: itself and what is smaller.

        Names in `kept` stay even so, no larger than the source: a player does not look for new names.
        """
        return tuple(
            Rung(rung.name, min(rung.height, source_height), rung.kbit) if rung.height else rung
            for rung in self.rungs
            if rung.height is None or rung.height < source_height or rung.name in kept
        )


def parse(text: str) -> Ladder:
    """Read `source[:KBIT],HEIGHTp:KBIT,...`. Raises ValueError that says what to write instead."""
    rungs = tuple(_rung(each.strip()) for each in text.split(","))
    names = [rung.name for rung in rungs]
    if rungs[0].name != SOURCE:
        raise ValueError(f"a ladder begins with {SOURCE}, such as {DEFAULT_LADDER}")
    if len(set(names)) != len(names):
        raise ValueError(f"each rendition may stand once in a ladder, {text!r} repeats one")
    if len(rungs) > MAX_RUNGS:
        raise ValueError(f"a ladder has at most {MAX_RUNGS} renditions, {text!r} has {len(rungs)}")
    return Ladder(rungs)


def _rung(text: str) -> Rung:
    match = _RUNG.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{text!r} is no rendition: write {SOURCE}, or height and kbit/s such as 480p:1200"
        )
    height = int(match[2]) if match[2] else None
    kbit = int(match[3]) if match[3] else None
    if height is not None and kbit is None:
        raise ValueError(f"{text!r} lacks its bit rate in kbit/s, such as {text}:1200")
    if height is not None and not MIN_HEIGHT <= height <= MAX_HEIGHT:
        raise ValueError(f"{text!r}: heights of {MIN_HEIGHT} to {MAX_HEIGHT} pixels can be made")
    if kbit is not None and not MIN_KBIT <= kbit <= MAX_KBIT:
        raise ValueError(f"{text!r}: bit rates of {MIN_KBIT} to {MAX_KBIT} kbit/s can be made")
    return Rung(match[1], height, kbit)
