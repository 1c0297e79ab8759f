"""What an origin's processor does to package a stream, by its ladder: ffmpeg and Python together."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.costs.film import Film
from benchmarks.costs.processes import cpu_seconds
from benchmarks.costs.report import Row
from streamrp2p_origin.ladder import DEFAULT_LADDER
from tests.support.origin import (
    RunningOrigin,
    coordinator_of_origins,
    give_origin_key,
    running_origin,
    wait_for,
)

SOURCES = ((1280, 720, 3000), (1920, 1080, 6000))
"""Width, height and kbit/s."""
LADDERS = ("source", DEFAULT_LADDER)
FILM_SECONDS = 4
SECONDS = 6.0


def measure(folder: Path) -> Iterator[Row]:
    """Package each source with every ladder; the origins of one source run at the same time."""
    for width, height, kbit in SOURCES:
        film = Film.make(folder / f"{height}.flv", width, height, kbit, seconds=FILM_SECONDS)
        for ladder, cores in zip(LADDERS, _cores(folder / str(height), film), strict=True):
            yield Row(
                f"source {width}x{height}, {kbit // 1000} Mbit/s, ladder `{ladder}`", cores, "cores"
            )


def _cores(folder: Path, film: Film) -> list[float]:
    with ExitStack() as running:
        coordinator = running.enter_context(coordinator_of_origins())
        origins = []
        for number, ladder in enumerate(LADDERS):
            own = folder / str(number)
            own.mkdir(parents=True)
            give_origin_key(own)
            options = ("--ladder", ladder, "--segment-seconds", "2")
            origin = running.enter_context(running_origin(own, coordinator, *options))
            running.enter_context(film.pushed(origin.rtmp))
            origins.append(origin)
        for origin in origins:
            wait_for(lambda origin=origin: _is_steady(origin))  # type: ignore[misc]
        began_at = time.monotonic()
        before = [cpu_seconds(origin.process.pid) for origin in origins]
        time.sleep(SECONDS)
        after = [cpu_seconds(origin.process.pid) for origin in origins]
        seconds = time.monotonic() - began_at
    return [(end - begin) / seconds for begin, end in zip(before, after, strict=True)]


def _is_steady(origin: RunningOrigin) -> bool:
    """Tell whether the first segment is out: what starting costs is behind it."""
    return "segment_published" in origin.log()
