"""Measure how far picture and sound lie apart: `python -m benchmarks.av_sync --seconds 3600`.

An encoder flashes and beeps once a second, through RTMP and a whole origin, in real time. Each rendition is read back
over HTTP as it is published and decoded; an offset above 0 is a beep after its flash. The exit code is 1 when
one is above the limit or events are missing.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from itertools import islice
from pathlib import Path

from benchmarks.av_sync.onsets import offsets, read_events
from benchmarks.av_sync.reading import Stream, published_segments
from benchmarks.av_sync.result import Result, verdict
from benchmarks.av_sync.source import PERIOD_SECONDS, pushing
from streamrp2p.signatures import address_of
from tests.support.media import DOMAIN, ORIGIN_KEY, POOL_ID
from tests.support.origin import coordinator_of_origins, give_origin_key, running_origin

LADDER = "source,120p:150"
RENDITIONS = ("source", "120p")
LIMIT_MILLIS = 40.0
BATCH_SEGMENTS = 5
"""Decoded at once: starting a decoder costs more than what it does here."""
TAIL_SECONDS = 10.0
"""For the last segments to be published once the encoder has left."""
REPORT_SECONDS = 60.0


def follow(stream: Stream, rendition: str, until: float, result: Result) -> None:
    """Measure a rendition until a time of the monotonic clock."""
    published = published_segments(stream, rendition, until)
    while batch := list(islice(published, BATCH_SEGMENTS)):
        # One visit has one map.
        flashes, beeps = read_events(batch[0][0] + b"".join(segment for _, segment in batch))
        result.add(len(flashes), offsets(flashes, beeps, PERIOD_SECONDS))


def measure(seconds: float) -> dict[str, Result]:
    """Push for so long and return what each rendition showed."""
    results = {rendition: Result() for rendition in RENDITIONS}
    with (
        tempfile.TemporaryDirectory(prefix="av-sync-") as folder,
        coordinator_of_origins() as coordinator,
    ):
        give_origin_key(Path(folder))
        options = ("--ladder", LADDER, "--segment-seconds", "2")
        with running_origin(Path(folder), coordinator, *options) as origin:
            stream = Stream(
                f"{origin.url}/v1/streams/{POOL_ID}", POOL_ID, DOMAIN, address_of(ORIGIN_KEY)
            )
            until = time.monotonic() + seconds + TAIL_SECONDS
            with pushing(origin.rtmp, seconds):
                readers = [
                    threading.Thread(target=follow, args=(stream, rendition, until, result))
                    for rendition, result in results.items()
                ]
                for reader in readers:
                    reader.start()
                while any(reader.is_alive() for reader in readers):
                    for reader in readers:
                        reader.join(REPORT_SECONDS / len(readers))
                    print(json.dumps(_summary(results)), flush=True)
    return results


def _summary(results: dict[str, Result]) -> dict[str, object]:
    return {rendition: result.summary() for rendition, result in results.items()}


def main() -> None:
    """Read the arguments, measure, tell."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.av_sync", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--limit-millis", type=float, default=LIMIT_MILLIS)
    arguments = parser.parse_args()
    results = measure(arguments.seconds)
    faults = verdict(results, arguments.seconds / PERIOD_SECONDS, arguments.limit_millis)
    print(json.dumps({"result": _summary(results), "faults": faults}, indent=2))
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
