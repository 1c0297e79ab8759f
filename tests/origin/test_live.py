"""A real origin, fed by real encoders over RTMP."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import imageio_ffmpeg
import pytest

from streamrp2p.playlist import (
    MediaPlaylist,
    Segment,
    matches,
    verify_media_playlist,
    verify_multivariant_playlist,
)
from streamrp2p.signatures import address_of
from tests.support.media import DOMAIN, ORIGIN_KEY, POOL_ID
from tests.support.origin import (
    RunningOrigin,
    encoding,
    is_alive,
    running_origin,
    wait_for,
)

pytestmark = pytest.mark.integration

ENCODER = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p")


@pytest.fixture
def origin(folder: Path, coordinator_url: str) -> Iterator[RunningOrigin]:
    with running_origin(folder, coordinator_url) as running:
        assert running.process.poll() is None, running.log()
        yield running


def verified(origin: RunningOrigin, rendition: str = "source") -> MediaPlaylist:
    return verify_media_playlist(
        origin.playlist(rendition).encode(),
        pool_id=POOL_ID, rendition=rendition, domain=DOMAIN, origin=address_of(ORIGIN_KEY),
    )  # fmt: skip


def segment_count(origin: RunningOrigin) -> int:
    return origin.playlist().count("#EXTINF")


def whole(origin: RunningOrigin, segment: Segment) -> bytes:
    """Return a segment behind its map: what a decoder needs."""
    assert segment.map is not None
    return origin.get(segment.map.name).content + origin.get(segment.object.name).content


def codecs(data: bytes, folder: Path) -> list[str]:
    """Decode a segment whole and return its codecs; an error of the decoder fails the test."""
    path = folder / "segment.mp4"
    path.write_bytes(data)
    run = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-i", path, "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "error" not in run.stderr.lower()
    return re.findall(r"Stream #0:\d.*: (?:Video|Audio): (\w+)", run.stderr.split("Output")[0])


def test_encoders_stream_is_served_signed_and_playable(origin: RunningOrigin, folder: Path) -> None:
    command = [
        *(sys.executable, "-m", "streamrp2p.cli", "origin", "publish-test", "--rtmp", origin.rtmp),
        *("--seconds", "6", "--bitrate", "800"),
    ]
    encoder = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (encoder.returncode, encoder.stderr) == (0, "")
    wait_for(lambda: segment_count(origin) >= 6)
    playlist = verified(origin)
    assert 5.5 < sum(each.duration_micros for each in playlist.segments) / 1e6 < 6.5
    for vouched in playlist.objects():
        assert matches(vouched, origin.get(vouched.name).content)
    for segment in playlist.segments:
        response = origin.get(segment.object.name)
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response.headers["Content-Type"] == "video/iso.segment"
        assert codecs(whole(origin, segment), folder) == ["h264", "aac"]
        bits_per_second = len(response.content) * 8 / (segment.duration_micros / 1e6)
        assert 600_000 < bits_per_second < 1_400_000
    assert '"video": "copy"' in origin.log()


def test_encoder_that_comes_back_continues_the_numbers_with_a_discontinuity(
    origin: RunningOrigin,
) -> None:
    with encoding(origin.rtmp):
        wait_for(lambda: segment_count(origin) >= 2)
    wait_for(lambda: origin.visits_possible() == 2)
    before = verified(origin)
    with encoding(origin.rtmp):
        wait_for(lambda: segment_count(origin) >= len(before.segments) + 2)
        after = verified(origin)
    names = [each.object.name for each in after.segments]
    assert names[: len(before.segments)] == [each.object.name for each in before.segments]
    assert [each.media_sequence for each in after.segments] == list(
        range(before.media_sequence, before.media_sequence + len(names))
    )
    begins = [each.is_discontinuity for each in after.segments]
    assert begins.index(True) == len(before.segments)
    assert begins.count(True) == 1
    assert after.segments[0].map != after.segments[-1].map


def test_playlist_is_signed_anew_while_no_encoder_is_there(origin: RunningOrigin) -> None:
    with encoding(origin.rtmp):
        wait_for(lambda: segment_count(origin) >= 1)
    wait_for(lambda: origin.visits_possible() == 2)
    before = verified(origin)
    wait_for(lambda: verified(origin).published_at >= before.published_at + 3)
    assert verified(origin).segments == before.segments


def test_restarted_origin_gives_no_number_twice(folder: Path, coordinator_url: str) -> None:
    with running_origin(folder, coordinator_url) as first, encoding(first.rtmp):
        wait_for(lambda: segment_count(first) >= 2)
        before = verified(first)
    with running_origin(folder, coordinator_url) as second:
        assert second.playlist() == ""
        with encoding(second.rtmp):
            wait_for(lambda: segment_count(second) >= 1)
            after = verified(second)
    assert after.media_sequence >= before.media_sequence + len(before.segments)
    assert not set(before.objects()) & set(after.objects())


def test_origin_killed_with_sigkill_leaves_no_ffmpeg_behind(origin: RunningOrigin) -> None:
    with encoding(origin.rtmp):
        wait_for(lambda: segment_count(origin) >= 1)
        left = origin.ffmpegs()
        assert len(left) >= 2, "one takes RTMP, one packages, one may make a thumbnail"
        origin.process.send_signal(signal.SIGKILL)
        origin.process.wait()
        wait_for(lambda: not any(map(is_alive, left)), seconds=5)


def test_sigterm_stops_ffmpeg_and_ends_well(origin: RunningOrigin) -> None:
    with encoding(origin.rtmp):
        wait_for(lambda: segment_count(origin) >= 1)
        left = origin.ffmpegs()
        origin.process.terminate()
        assert origin.process.wait(10) == 0
        assert not any(map(is_alive, left))


def test_other_codecs_are_transcoded(origin: RunningOrigin, folder: Path) -> None:
    with encoding(origin.rtmp, "-c:v", "flv1", "-g", "300", "-c:a", "libmp3lame"):
        wait_for(lambda: segment_count(origin) >= 2)
    data = whole(origin, verified(origin).segments[-1])
    assert codecs(data, folder) == ["h264", "aac"]
    assert "browsers play H.264" in origin.log()


def test_encoder_without_picture_is_dropped_with_a_reason(origin: RunningOrigin) -> None:
    with encoding(origin.rtmp, "-vn", "-c:a", "aac", seconds=15):
        wait_for(lambda: "sends no video that can be read" in origin.log())
    health = httpx.get(f"{origin.url}/healthz")
    assert health.status_code == 503
    assert "add a video source" in health.json()["detail"]
    wait_for(lambda: origin.visits_possible() == 2)
    with encoding(origin.rtmp):
        wait_for(lambda: segment_count(origin) >= 1)
    assert httpx.get(f"{origin.url}/healthz").json()["status"] == "ok"


def test_key_frames_too_far_apart_are_named_and_cured_at_the_next_visit(
    origin: RunningOrigin,
) -> None:
    sparse = (*ENCODER, "-g", "120", "-sc_threshold", "0", "-c:a", "aac")
    with encoding(origin.rtmp, *sparse):
        wait_for(lambda: segment_count(origin) >= 1)
    assert verified(origin).segments[0].duration_micros > 3_500_000
    assert "set the encoder's key frame interval to 1 s" in origin.log()
    wait_for(lambda: origin.visits_possible() == 2)
    seen = segment_count(origin)
    with encoding(origin.rtmp, *sparse):
        wait_for(lambda: segment_count(origin) >= seen + 2)
    assert verified(origin).segments[seen].duration_micros < 1_200_000


def test_stranger_who_says_nothing_does_not_keep_the_encoder_out(origin: RunningOrigin) -> None:
    port = int(origin.rtmp.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port)) as stranger:
        while stranger.recv(4096):
            pass
    wait_for(lambda: origin.visits_possible() == 2)
    with encoding(origin.rtmp):
        wait_for(lambda: segment_count(origin) >= 1)


def test_ports_in_use_are_named_with_the_option_that_changes_them(
    folder: Path, coordinator_url: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running_origin(folder, coordinator_url, rtmp_port=port) as origin:
            assert origin.process.wait(10) == 2
            assert f"the RTMP port {port} on 127.0.0.1 cannot be used" in origin.log()
            assert "--rtmp-port" in origin.log()
        with running_origin(folder, coordinator_url, "--port", str(port)) as origin:
            assert origin.process.wait(10) == 2
            assert f"the HTTP port {port} on 127.0.0.1 cannot be used" in origin.log()


def test_second_origin_in_one_folder_is_refused(
    origin: RunningOrigin, folder: Path, coordinator_url: str, tmp_path: Path
) -> None:
    command = [
        *(sys.executable, "-m", "streamrp2p.cli", "origin", "run", "--dir", str(folder)),
        *("--pool", "7", "--coordinator", coordinator_url, "--port", "0", "--rtmp-port", "1"),
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert f"another origin runs in {folder}" in run.stderr


def test_origin_key_that_the_pool_does_not_name_is_refused(
    folder: Path, coordinator_url: str
) -> None:
    (folder / "origin.key").write_text("0x" + "55" * 32)
    with running_origin(folder, coordinator_url) as origin:
        assert origin.process.wait(10) == 2
        assert "pool 7 names the origin key 0x" in origin.log()
        assert "55" * 32 not in origin.log()


def test_coordinator_that_is_down_is_worth_another_try(folder: Path) -> None:
    with running_origin(folder, "http://127.0.0.1:9") as origin:
        assert origin.process.wait(20) == 3
        assert "is not reachable" in origin.log()


def test_publish_test_says_what_to_check_when_nobody_listens(free_port: int) -> None:
    url = f"rtmp://127.0.0.1:{free_port}/live/secret"
    command = [
        *(sys.executable, "-m", "streamrp2p.cli", "origin", "publish-test"),
        *("--rtmp", url, "--seconds", "2"),
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 3
    assert "check that the origin runs" in run.stderr
    assert "secret" not in run.stderr


def test_missing_ffmpeg_is_named(folder: Path, coordinator_url: str) -> None:
    command = [
        *(sys.executable, "-m", "streamrp2p.cli", "origin", "run", "--dir", str(folder)),
        *("--pool", "7", "--coordinator", coordinator_url, "--json"),
    ]
    environment = {**os.environ, "IMAGEIO_FFMPEG_EXE": "/nowhere/ffmpeg"}
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert run.returncode == 2
    assert "/nowhere/ffmpeg is not an executable ffmpeg" in run.stderr


def test_log_lines_are_json(origin: RunningOrigin) -> None:
    events = [json.loads(line) for line in origin.log().splitlines()]
    assert events[0]["event"] == "origin_ready"
    assert events[0]["url"] == origin.url


def test_ffmpeg_that_dies_is_started_again(origin: RunningOrigin) -> None:
    with encoding(origin.rtmp):
        wait_for(lambda: segment_count(origin) >= 1)
        for pid in origin.ffmpegs():
            # The origin ends the second as soon as it notices that the first is gone.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: origin.visits_possible() == 2)
    seen = segment_count(origin)
    with encoding(origin.rtmp):
        wait_for(lambda: segment_count(origin) > seen)


def test_stream_without_sound_is_served(origin: RunningOrigin, folder: Path) -> None:
    with encoding(origin.rtmp, *ENCODER, "-g", "30", "-an"):
        wait_for(lambda: segment_count(origin) >= 2)
    data = whole(origin, verified(origin).segments[-1])
    assert codecs(data, folder) == ["h264"]


def test_encoder_that_falls_silent_is_dropped_and_the_port_opens_again(
    origin: RunningOrigin,
) -> None:
    with encoding(origin.rtmp) as encoder:
        wait_for(lambda: segment_count(origin) >= 1)
        encoder.send_signal(signal.SIGSTOP)
        wait_for(lambda: '"encoder_left"' in origin.log(), seconds=25)
        wait_for(lambda: origin.visits_possible() == 2)


def test_any_hls_player_plays_the_playlist_across_a_discontinuity(origin: RunningOrigin) -> None:
    for visit in (1, 2):
        wait_for(lambda visit=visit: origin.visits_possible() == visit)  # type: ignore[misc]
        with encoding(origin.rtmp, seconds=3) as encoder:
            encoder.wait()
    wait_for(lambda: "#EXT-X-DISCONTINUITY\n" in origin.playlist())
    url = f"{origin.url}/v1/streams/{POOL_ID}/live.m3u8"
    command = [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", "-live_start_index"),
        # The first visit has 90 pictures. How far the second is behind it depends on the machine.
        *("0", "-i", url, "-map", "0:v:0", "-frames:v", "100"),
        *("-progress", "pipe:1", "-f", "null", "-"),
    ]
    player = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert int(re.findall(r"^frame=(\d+)$", player.stdout, re.MULTILINE)[-1]) >= 100
    assert "rror" not in player.stderr


def test_every_rendition_plays_from_the_multivariant_playlist(
    folder: Path, coordinator_url: str
) -> None:
    with running_origin(folder, coordinator_url, "--ladder", "source,120p:100") as origin:
        with encoding(origin.rtmp, seconds=5) as encoder:
            encoder.wait()
        wait_for(lambda: origin.visits_possible() == 2)
        multivariant = verify_multivariant_playlist(
            origin.get("live.m3u8").content,
            pool_id=POOL_ID, domain=DOMAIN, origin=address_of(ORIGIN_KEY),
        )  # fmt: skip
        source, small = multivariant.variants
        assert (source.rendition, source.width, source.height) == ("source", 320, 180)
        assert (small.rendition, small.width, small.height) == ("120p", 214, 120)
        assert source.frame_rate_millihertz == small.frame_rate_millihertz == 30_000
        assert source.bandwidth_bits_per_second > small.bandwidth_bits_per_second
        lists = [verified(origin, each.rendition).segments for each in multivariant.variants]
        assert [each.media_sequence for each in lists[0]] == [
            each.media_sequence for each in lists[1]
        ]
        assert [each.thumbnail for each in lists[0]] == [each.thumbnail for each in lists[1]]
        assert lists[0][0].thumbnail is not None
        command = [
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "warning"),
            *("-live_start_index", "0", "-i", f"{origin.url}/v1/streams/{POOL_ID}/live.m3u8"),
            *("-map", "0", "-t", "4", "-progress", "pipe:1", "-f", "null", "-"),
        ]
        player = subprocess.run(command, capture_output=True, text=True, check=True)
        assert player.stderr == ""
        assert int(re.findall(r"^frame=(\d+)$", player.stdout, re.MULTILINE)[-1]) == 120


def test_next_part_is_sent_when_it_is_there(origin: RunningOrigin) -> None:
    with encoding(origin.rtmp):
        wait_for(lambda: segment_count(origin) >= 2)
        for _ in range(3):
            before = verified(origin)
            wanted = f"_HLS_msn={before.next_sequence}&_HLS_part={len(before.parts)}"
            response = origin.get(f"source.m3u8?{wanted}&_HLS_skip=YES")
            assert response.is_success
            after = verified(origin)
            assert (after.next_sequence, len(after.parts)) > (
                before.next_sequence,
                len(before.parts),
            )


def rate_warnings(origin: RunningOrigin) -> list[dict[str, str]]:
    events = [json.loads(line) for line in origin.log().splitlines()]
    return [each for each in events if each["event"] == "pool_rate_low"]


def test_a_pool_whose_rate_does_not_cover_the_stream_is_warned_of_once(
    folder: Path, coordinator_url: str
) -> None:
    with running_origin(folder, coordinator_url, "--ladder", "source,90p:100") as origin:
        # The pool of these tests has 10,000 bytes per second. What the ladder states is known at once.
        warnings = rate_warnings(origin)
        assert [each["rendition"] for each in warnings] == ["90p"]
        with encoding(origin.rtmp):
            wait_for(lambda: origin.log().count("pool_rate_low") == 2)
            seen = segment_count(origin)
            wait_for(lambda: segment_count(origin) > seen + 1)
        warnings = rate_warnings(origin)
        assert [each["rendition"] for each in warnings] == ["90p", "source"]
        assert "streamrp2p pool stream --max-bytes-per-second" in warnings[1]["advice"]
