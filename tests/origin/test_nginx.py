"""A real nginx takes real encoders, and asks the origin whether it may."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import imageio_ffmpeg
import pytest

from streamrp2p_origin.stream_key import StreamKey
from tests.support.nginx import RunningNginx, running_nginx
from tests.support.origin import (
    RunningOrigin,
    encoding,
    give_origin_key,
    running_origin,
    wait_for,
)
from tests.support.ports import find_free_port

pytestmark = pytest.mark.integration


class Studio:
    """nginx, and an origin for each streamer."""

    def __init__(self, folder: Path, coordinator_url: str, *streamers: str) -> None:
        self.folder = folder
        self.coordinator_url = coordinator_url
        self.port = find_free_port()
        self.callback_ports = {name: find_free_port() for name in streamers}
        for name in streamers:
            (folder / name).mkdir()
            give_origin_key(folder / name)

    @contextmanager
    def origin(self, name: str = "live") -> Iterator[RunningOrigin]:
        options = (
            *("--ingest-server", f"rtmp://127.0.0.1:{self.port}/{name}"),
            *("--callback-port", str(self.callback_ports[name])),
        )
        with running_origin(self.folder / name, self.coordinator_url, *options) as origin:
            assert origin.process.poll() is None, origin.log()
            yield origin

    @contextmanager
    def nginx(self) -> Iterator[RunningNginx]:
        with running_nginx(self.folder / "nginx", self.port, self.callback_ports) as nginx:
            yield nginx

    def key(self, name: str = "live") -> str:
        return StreamKey(self.folder / name).read()

    def url(self, name: str = "live", key: str | None = None) -> str:
        return f"rtmp://127.0.0.1:{self.port}/{name}/{self.key(name) if key is None else key}"

    def rotate(self, *options: str) -> None:
        command = [
            *(sys.executable, "-m", "streamrp2p.cli", "origin", "key", "rotate"),
            *("--dir", str(self.folder / "live"), *options),
        ]
        subprocess.run(command, capture_output=True, check=True)


@pytest.fixture
def studio(tmp_path: Path, coordinator_url: str) -> Studio:
    return Studio(tmp_path, coordinator_url, "live")


def count(origin: RunningOrigin) -> int:
    return origin.playlist().count("#EXTINF")


def test_right_key_is_packaged_and_the_next_encoder_is_too(studio: Studio) -> None:
    with studio.origin() as origin, studio.nginx() as nginx:
        command = [
            *(sys.executable, "-m", "streamrp2p.cli", "origin", "publish-test", "--seconds", "6"),
            *("--rtmp", f"{nginx.url}/live"),
            *("--key-file", str(studio.folder / "live/stream.key")),
        ]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (run.returncode, run.stderr) == (0, "")
        wait_for(lambda: '"encoder_left"' in origin.log())
        assert count(origin) >= 4
        assert httpx.get(f"{origin.url}/healthz").json()["encoder"] == "waiting"
        seen = count(origin)
        with encoding(studio.url()):
            wait_for(lambda: count(origin) >= seen + 2)
        assert studio.key() not in origin.log() + nginx.log()


@pytest.mark.parametrize("key", ["wrong", "x" * 10_000, "%0a%s", "?name=x", "a&b=c"])
def test_wrong_key_is_refused(studio: Studio, key: str) -> None:
    with studio.origin() as origin, studio.nginx():
        with encoding(studio.url(key=key)) as stranger:
            wait_for(lambda: stranger.poll() is not None)
        assert stranger.returncode != 0
        assert '"encoder_connected"' not in origin.log()
        with encoding(studio.url()):
            wait_for(lambda: count(origin) >= 1)


def test_nobody_publishes_while_the_origin_is_away(studio: Studio) -> None:
    StreamKey(studio.folder / "live").create()
    with studio.nginx(), encoding(studio.url()) as encoder:
        wait_for(lambda: encoder.poll() is not None)
    assert encoder.returncode != 0


def test_encoder_that_is_live_survives_a_rotation_and_only_the_new_key_opens(
    studio: Studio,
) -> None:
    with studio.origin() as origin, studio.nginx():
        with encoding(studio.url()) as encoder:
            wait_for(lambda: count(origin) >= 1)
            old = studio.url()
            studio.rotate()
            # Longer than nginx waits between its updates.
            seen = count(origin)
            wait_for(lambda: count(origin) >= seen + 4)
            assert encoder.poll() is None
        wait_for(lambda: '"encoder_left"' in origin.log())
        with encoding(old) as encoder:
            wait_for(lambda: encoder.poll() is not None)
        with encoding(studio.url()):
            wait_for(lambda: origin.log().count("encoder_connected") == 2)


def test_rotate_and_drop_cuts_the_encoder_off(studio: Studio) -> None:
    with studio.origin() as origin, studio.nginx(), encoding(studio.url()) as encoder:
        wait_for(lambda: count(origin) >= 1)
        studio.rotate("--drop")
        wait_for(lambda: '"encoder_left"' in origin.log())
        wait_for(lambda: encoder.poll() is not None)
        assert origin.log().count("encoder_connected") == 1


def test_key_opens_only_its_own_streamers_application(tmp_path: Path, coordinator_url: str) -> None:
    studio = Studio(tmp_path, coordinator_url, "alice", "bob")
    with ExitStack() as stack:
        alice = stack.enter_context(studio.origin("alice"))
        bob = stack.enter_context(studio.origin("bob"))
        stack.enter_context(studio.nginx())
        stack.enter_context(encoding(studio.url("alice")))
        wait_for(lambda: count(alice) >= 1)
        with encoding(studio.url("bob", studio.key("alice"))) as intruder:
            wait_for(lambda: intruder.poll() is not None)
        assert count(bob) == 0
        stack.enter_context(encoding(studio.url("bob")))
        wait_for(lambda: count(bob) >= 1)
        seen = count(alice)
        wait_for(lambda: count(alice) > seen)


def test_second_encoder_is_refused_and_the_first_goes_on(studio: Studio) -> None:
    with studio.origin() as origin, studio.nginx(), encoding(studio.url()) as first:
        wait_for(lambda: count(origin) >= 1)
        with encoding(studio.url()) as second:
            wait_for(lambda: second.poll() is not None)
        assert "another encoder is live" in origin.log()
        seen = count(origin)
        wait_for(lambda: count(origin) >= seen + 2)
        assert first.poll() is None


def test_server_that_starts_anew_is_pulled_from_again(studio: Studio) -> None:
    with studio.origin() as origin:
        with studio.nginx() as nginx, encoding(studio.url()):
            wait_for(lambda: count(origin) >= 1)
            nginx.process.terminate()
            wait_for(lambda: '"encoder_left"' in origin.log())
        seen = count(origin)
        with studio.nginx(), encoding(studio.url()):
            wait_for(lambda: count(origin) >= seen + 2)


def test_origin_that_starts_anew_takes_the_encoder_that_is_there(studio: Studio) -> None:
    with studio.nginx(), ExitStack() as stack:
        with studio.origin() as origin:
            encoder = stack.enter_context(encoding(studio.url()))
            wait_for(lambda: count(origin) >= 1)
        with studio.origin() as origin:
            wait_for(lambda: '"encoder_connected"' in origin.log() or encoder.poll() is not None)
            # An update that found nobody to ask has cut the encoder off; it comes back as encoders do.
            if encoder.poll() is not None:
                stack.enter_context(encoding(studio.url()))
            wait_for(lambda: count(origin) >= 1)


def played_from(address: str, url: str) -> int:
    """Play two seconds from an address of this machine's; ffmpeg's exit code."""
    command = [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error"),
        *("-rw_timeout", "5000000", "-local_addr", address, "-i", url, "-t", "2"),
        *("-c", "copy", "-f", "null", "-"),
    ]
    return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode


def test_nobody_but_the_origins_machine_plays_from_the_server(studio: Studio) -> None:
    with studio.origin() as origin, studio.nginx(), encoding(studio.url()):
        wait_for(lambda: count(origin) >= 1)
        assert played_from("127.0.0.1", studio.url()) == 0
        assert played_from("127.0.0.2", studio.url()) != 0
