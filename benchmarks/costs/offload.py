"""How much of what viewers get the origin need not send, and what live parts cost a relay's processor. Pure."""

from collections.abc import Iterator, Mapping

from benchmarks.costs.report import Kind, Row
from benchmarks.costs.window import Window

BIT_RATE = "each viewer gets, of parts"
CORES = "a relay with all of them as its viewers"
CORES_MORE = "one viewer more"
_MBIT_BYTES = 1e6 / 8


def offload_rows(windows: Mapping[int, Window], in_row: Window) -> Iterator[Row]:
    """Tell of the windows with so many relays, all fed by the origin, and of one in which only the first was."""
    one = windows[1]
    yield Row("viewers", one.viewers, "", Kind.GIVEN)
    yield Row(BIT_RATE, one.got.object_bytes / one.seconds / one.viewers / _MBIT_BYTES, "Mbit/s")
    playlists = one.got.playlist_bytes / one.got.bytes
    yield Row("playlists, of the bytes that viewers get", 100 * playlists, "%")
    for count, window in windows.items():
        yield from _off(f"{_relays(count)} fed by the origin", window, count)
    yield from _off(f"{_relays(len(in_row.flows))}, 1 fed by the origin", in_row, 1)


def relay_rows(windows: Mapping[int, Window], cached: Window) -> Iterator[Row]:
    """Tell what live parts cost a relay: with all viewers, beside nginx, and what of it is each viewer's."""
    one, several = windows[1], windows[max(windows)]
    fewer = several.viewers // max(windows)
    yield Row("viewers", one.viewers, "", Kind.GIVEN)
    own, other = one.core_seconds_per_gbit, cached.core_seconds_per_gbit
    yield Row("node, live parts, playlists, receipts", own, "core seconds/Gbit")
    yield Row("nginx as a cache, live parts, playlists", other, "core seconds/Gbit")
    yield Row("node / nginx", own / other, "", Kind.COMPUTED)
    yield Row(CORES, one.cores, "cores")
    yield Row(f"a relay with {fewer} viewers", several.cores, "cores")
    more = (one.cores - several.cores) / (one.viewers - fewer)
    yield Row(CORES_MORE, more, "cores", Kind.COMPUTED)


def _off(what: str, window: Window, fed: int) -> Iterator[Row]:
    viewers = window.viewers
    yield Row(f"{what}: bytes off the origin", 100 * window.bytes_off_origin, "%")
    yield Row(f"{what}: requests off the origin", 100 * window.requests_off_origin, "%")
    yield Row(f"{what}: 1 - {fed}/{viewers}", 100 * (1 - fed / viewers), "%", Kind.COMPUTED)


def _relays(count: int) -> str:
    return f"{count} relay" if count == 1 else f"{count} relays"
