"""Which rendition to watch. Pure."""

from collections.abc import Sequence

from streamrp2p.playlist import Variant
from streamrp2p.viewer.errors import RenditionError

BITS_PER_BYTE = 8


def chosen(variants: Sequence[Variant], name: str | None, max_bytes_per_second: int) -> Variant:
    """Return the variant called `name`; without a name the highest whose bandwidth the pool's rate covers.

    If it covers none, the lowest. Raises RenditionError when no variant has the name.
    """
    if name is not None:
        for each in variants:
            if each.rendition == name:
                return each
        there = ", ".join(each.rendition for each in variants)
        raise RenditionError(f"the stream has no rendition {name}: choose one of {there}")
    rising = sorted(variants, key=lambda each: each.bandwidth_bits_per_second)
    covered = [
        each
        for each in rising
        if each.bandwidth_bits_per_second <= max_bytes_per_second * BITS_PER_BYTE
    ]
    return (covered[-1:] or rising[:1])[0]
