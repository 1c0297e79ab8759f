"""What the figures mean for a streamer, a relay and a viewer: one example. Pure."""

from collections.abc import Mapping
from textwrap import fill

from benchmarks.costs.offload import BIT_RATE, CORES, CORES_MORE
from benchmarks.costs.player import ALL_JOBS
from benchmarks.costs.receipts import GB, HOUR_SECONDS, UPWARDS
from benchmarks.costs.report import Section, shown

VIEWERS, RELAYS, HOURS = 100, 3, 2
PRICE_PER_GB = 10
"""Tokens, as in the streamer's guide."""
_MEGABYTES = 1000
"""Of a GB."""
_COLUMNS = 100


def example(sections: Mapping[str, Section]) -> str:
    """Return the text; raises KeyError when a section or a row of it is missing."""
    offload, relay = sections["Origin offload"], sections["Relay CPU, live"]
    mbit, measured_viewers = offload.value(BIT_RATE), offload.value("viewers")
    all_mbit = VIEWERS * mbit
    gb = all_mbit * 1e6 / 8 * HOURS * HOUR_SECONDS / GB
    tokens = gb * PRICE_PER_GB
    origin_mbit, origin_gb = RELAYS * mbit, gb * RELAYS / VIEWERS
    more_viewers = VIEWERS / RELAYS - measured_viewers
    cores = relay.value(CORES) + more_viewers * relay.value(CORES_MORE)
    receipts = gb / RELAYS * sections["Receipts"].value(UPWARDS) / 100 * _MEGABYTES
    device = sections["Player CPU"].value(ALL_JOBS)
    introduction = (
        f"{VIEWERS} viewers watch a stream of {shown(mbit)} Mbit/s for {HOURS} hours, behind {RELAYS} relays that the "
        "origin feeds."
    )
    streamer = (
        f"- **The streamer.** They get {shown(gb)} GB. Without relays the origin sends all of it, at {shown(all_mbit)} "
        f"Mbit/s; with them {shown(origin_gb)} GB, at {shown(origin_mbit)} Mbit/s. At `--price-per-gb {PRICE_PER_GB}` "
        f"the pool pays {shown(tokens)} tokens, unless the budgets of the epochs are less."
    )
    node = (
        f"- **A relay** with a third of the viewers sends {shown(gb / RELAYS)} GB at {shown(all_mbit / RELAYS)} Mbit/s "
        f"and earns {shown(tokens / RELAYS)} tokens. It is busy with {shown(cores)} of a core; receipts that come in "
        f"and batches that go out are {shown(receipts)} MB."
    )
    viewer = (
        f"- **A viewer's** device gets {shown(gb / VIEWERS)} GB, and hashes, signs and verifies with {shown(device)} % "
        "of a core."
    )
    paragraphs = (introduction, "", streamer, node, viewer)
    return "".join(f"{_wrapped(each)}\n" for each in paragraphs)


def _wrapped(paragraph: str) -> str:
    indent = "  " if paragraph.startswith("- ") else ""
    return fill(paragraph, _COLUMNS, subsequent_indent=indent, break_on_hyphens=False)
