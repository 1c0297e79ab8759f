"""docs/costs.md, made of docs/costs.json. Pure."""

from collections.abc import Iterable, Iterator

from benchmarks.costs.example import example
from benchmarks.costs.report import Section, shown

HEAD = """# Costs

What a stream costs its origin, its relays and its viewers' devices beside the bytes themselves.
`make costs` measures it on your machine, in about three minutes, and `make costs UPDATE=1` writes
this page; `make bench` shows it too. It needs what `make system-packages` installs, and wrk.
Figures of time are a machine's and a moment's: compare what stands in one table. *Computed*
figures follow from the measured ones beside them.
"""
NOTES = {
    "Origin offload": """\
Viewers at the live edge ask a relay for each part and each delta update of the playlist, as the
browser player does, and sign receipts. Bytes are those of all bodies, playlists included: what
the viewers got, and what the relays' own counters say came from the origin. A relay fetches each
part and each playlist once, however many viewers wait, so that K relays that the origin feeds,
with N viewers, leave it K/N of the bytes: 1 - K/N is taken off it. Relays that other relays feed
(`--upstream relays`) take nothing from the origin: K counts the others alone. Viewers who are late
learn of several parts by one request: on a busy machine requests say less than bytes.""",
    "Relay CPU, files": """\
User and system time of the server's processes while wrk reads the same object over and over on 16
connections of the loopback interface; medians of three turns. Core seconds/Gbit are the cores
that 1 Gbit/s takes. The kernel's work to deliver to the reader on the same machine is in it.""",
    "Relay CPU, live": """\
The same of a node that relays a live stream: it also follows and verifies playlists, holds
requests until there is something new, checks receipts and writes each to the disk before it
answers. nginx caches the same stream for as many viewers, who wait for the same parts, without
tickets, receipts or checks of what it passes on. Most of it is by the request and not by the byte.""",
    "Receipts": """\
Whole HTTP messages, headers included, below TLS, as a proxy on the way counts them: of one
Chromium that watches, which pays about every second, and of a node with all the viewers above
that hands in its batches every ten seconds. They come by the second, so their share falls as the
bit rate rises. The journal is kept for 30 days. The bundle holds each session once, whatever its
receipts: a session lasts for an epoch at most.""",
    "Player CPU": """\
Time of the worker in a Chromium that watches through relays: SHA-256 of every object by the
browser's own code; receipts signed and playlists verified in JavaScript. Signing and verifying
come by the second, hashing by the byte. Medians of three windows of 6 s.""",
    "Origin CPU": """\
Processor time of `streamrp2p origin run`, Python and ffmpeg together, with a source that is
copied and a moving test picture at 30 pictures/s. Camera pictures take more to encode: leave half
of the machine free, and look at `top`. A source that must be transcoded adds about a core for
720p.""",
}
"""The sections in the page's order, and how each is measured."""


def page(sections: Iterable[Section]) -> str:
    """Return the text; raises KeyError when a section is missing."""
    by_title = {section.title: section for section in sections}
    parts = [HEAD, f"## Example\n\n{example(by_title)}"]
    for title, note in NOTES.items():
        parts.append("".join(f"{line}\n" for line in _lines(by_title[title], note)))
    return "\n".join(parts)


def _lines(section: Section, note: str) -> Iterator[str]:
    machine = section.machine
    before, after = machine.load
    yield from (f"## {section.title}", "", note, "")
    yield (
        f"`{section.command}`: {machine.processor}, {machine.cores} cores, {machine.date}, "
        f"load {before:g} before and {after:g} after."
    )
    yield from ("", "| what | figure | unit | |", "|---|---:|---|---|")
    for row in section.rows:
        yield f"| {row.name} | {shown(row.value)} | {row.unit} | {row.kind} |"
