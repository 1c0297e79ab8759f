"""Measure how long after its last picture was made a part can be read: `python -m benchmarks.part_latency`.

An encoder burns the wall clock into its pictures and pushes them over RTMP; a reader asks the origin for each part of a
rendition by blocking reload, and then looks at the clock in the part's last picture.
"""

import argparse
import json
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from statistics import median, quantiles

import httpx
import imageio_ffmpeg
import numpy as np

from streamrp2p.playlist import Segment, verify_media_playlist
from streamrp2p.signatures import address_of
from tests.support import burnt_clock
from tests.support.media import DOMAIN, ORIGIN_KEY, POOL_ID
from tests.support.origin import coordinator_of_origins, give_origin_key, running_origin

LADDER = "source,240p:400"
RENDITIONS = ("source", "240p")
WARM_UP_SEGMENTS = 2
"""While an encoder connects, what it sent in the meantime is caught up with."""
_CODE = (
    f"scale={burnt_clock.WIDTH}:{burnt_clock.HEIGHT},"
    f"crop={burnt_clock.WIDTH}:{burnt_clock.CODE_LINES}:0:0,"
    f"scale={burnt_clock.COLUMNS}:2:flags=area,format=gray"
)
_BITS = 2 * burnt_clock.COLUMNS
_GREY = 128


def clocks(media: bytes) -> list[int | None]:
    """Return the milliseconds that each picture shows."""
    command = [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-f", "mp4", "-i", "pipe:0"),
        *("-map", "0:v", "-fps_mode", "passthrough", "-vf", _CODE, "-f", "rawvideo", "pipe:1"),
    ]
    raw = subprocess.run(command, input=media, capture_output=True, check=True).stdout
    rows = np.frombuffer(raw, np.uint8).reshape(-1, _BITS) > _GREY
    return [burnt_clock.time_of(row.astype(int).tolist()) for row in rows]


def latencies(url: str, rendition: str, until: float) -> list[float]:
    """Return the milliseconds for each part that is published until a time of the monotonic clock."""
    arrived: dict[str, int] = {}
    found: list[float] = []
    measured = 0
    with httpx.Client(base_url=url, timeout=60) as client:
        query: dict[str, int] = {}
        while time.monotonic() < until:
            response = client.get(f"{rendition}.m3u8", params=query)
            now_millis = time.time_ns() // 1_000_000
            if not response.is_success:
                time.sleep(0.2)
                continue
            playlist = verify_media_playlist(
                response.content,
                pool_id=POOL_ID, rendition=rendition, domain=DOMAIN, origin=address_of(ORIGIN_KEY),
            )  # fmt: skip
            if query:
                for part in playlist.parts:
                    arrived.setdefault(part.object.name, now_millis)
            query = {"_HLS_msn": playlist.next_sequence, "_HLS_part": len(playlist.parts)}
            newest = playlist.segments[-1] if playlist.segments else None
            if newest and newest.media_sequence > measured:
                measured = newest.media_sequence
                if len(playlist.segments) > WARM_UP_SEGMENTS:
                    found += _of_segment(client, newest, arrived)
    return found


def _of_segment(client: httpx.Client, segment: Segment, arrived: dict[str, int]) -> list[float]:
    if segment.map is None or any(part.object.name not in arrived for part in segment.parts):
        return []
    shown = clocks(client.get(segment.map.name).content + client.get(segment.object.name).content)
    found, end_micros = [], 0
    for part in segment.parts:
        end_micros += part.duration_micros
        last = shown[round(end_micros * burnt_clock.FRAMES_PER_SECOND / 1_000_000) - 1]
        if last is not None:
            found.append(float((arrived[part.object.name] - last) & 0xFFFFFFFF))
    return found


def measure(seconds: float) -> dict[str, list[float]]:
    """Push for so long and return each rendition's milliseconds."""
    found: dict[str, list[float]] = {}

    def follow(url: str, rendition: str, until: float) -> None:
        found[rendition] = latencies(url, rendition, until)

    with (
        tempfile.TemporaryDirectory(prefix="part-latency-") as folder,
        coordinator_of_origins() as coordinator,
    ):
        give_origin_key(Path(folder))
        options = ("--ladder", LADDER, "--segment-seconds", "2")
        with running_origin(Path(folder), coordinator, *options) as origin:
            url = f"{origin.url}/v1/streams/{POOL_ID}"
            until = time.monotonic() + seconds
            readers = [
                threading.Thread(target=follow, args=(url, each, until)) for each in RENDITIONS
            ]
            for reader in readers:
                reader.start()
            encoder = subprocess.Popen(burnt_clock.command(origin.rtmp, seconds=seconds))
            try:
                for reader in readers:
                    reader.join()
            finally:
                encoder.terminate()
                encoder.wait()
    return found


def main() -> None:
    """Read the arguments, measure, tell."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.part_latency", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    for rendition, values in measure(parser.parse_args().seconds).items():
        figures = {
            "rendition": rendition,
            "parts": len(values),
            "median_millis": round(median(values)),
            "p95_millis": round(quantiles(values, n=20)[-1]),
            "max_millis": round(max(values)),
        }
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
