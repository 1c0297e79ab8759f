"""The embedded ingest over real sockets: who has the key is taken, nobody else."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from streamrp2p_origin.listening import is_listening
from streamrp2p_origin.stream_key import StreamKey
from tests.support.origin import (
    RunningOrigin,
    encoding,
    running_origin,
    wait_for,
)
from tests.support.ports import find_free_port

pytestmark = pytest.mark.integration


@pytest.fixture
def srt_port() -> int:
    return find_free_port()


@pytest.fixture
def origin(folder: Path, coordinator_url: str, srt_port: int) -> Iterator[RunningOrigin]:
    with running_origin(folder, coordinator_url, "--srt-port", str(srt_port)) as running:
        wait_for(lambda: running.process.poll() is not None or running.opened("srt") > 0)
        assert running.process.poll() is None, running.log()
        yield running


def is_live(origin: RunningOrigin) -> bool:
    return "#EXTINF" in origin.playlist()


def rotate(folder: Path, *options: str) -> str:
    command = [
        *(sys.executable, "-m", "streamrp2p.cli", "origin", "key", "rotate"),
        *("--dir", str(folder), *options),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def server_of(origin: RunningOrigin) -> str:
    return origin.rtmp.rpartition("/")[0]


def published(*options: str) -> subprocess.CompletedProcess[str]:
    command = [*(sys.executable, "-m", "streamrp2p.cli", "origin", "publish-test"), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def command_lines(origin: RunningOrigin) -> str:
    return "".join(
        Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ") + "\n"
        for pid in origin.ffmpegs()
    )


@pytest.mark.parametrize(
    "name", ["wrong", "", "x" * 10_000, "x\nInput #0", "%s%n", "0" * 40], ids=lambda name: name[:9]
)
def test_encoder_with_another_key_is_refused_and_the_right_one_comes_after_it(
    origin: RunningOrigin, name: str
) -> None:
    with encoding(f"{server_of(origin)}/{name}") as stranger:
        wait_for(lambda: stranger.poll() is not None)
    assert stranger.returncode != 0
    assert not is_live(origin)
    wait_for(lambda: origin.visits_possible() == 2)
    assert httpx.get(f"{origin.url}/healthz").json()["encoder"] == "waiting"
    assert name.strip() == "" or name not in origin.log()
    with encoding(origin.rtmp):
        wait_for(lambda: is_live(origin))


def test_key_is_in_no_log_and_no_command_line(origin: RunningOrigin, folder: Path) -> None:
    key = StreamKey(folder).read()
    waiting = command_lines(origin)
    assert len(origin.ffmpegs()) == 2, "one listens for RTMP, one for SRT"
    with encoding(origin.rtmp):
        wait_for(lambda: is_live(origin))
        assert key not in waiting + command_lines(origin)
    assert key not in origin.log()


def test_encoder_that_is_live_survives_a_rotation_and_comes_back_with_the_new_key_alone(
    origin: RunningOrigin, folder: Path
) -> None:
    with encoding(origin.rtmp) as encoder:
        wait_for(lambda: is_live(origin))
        rotate(folder)
        seen = origin.playlist().count("#EXTINF")
        wait_for(lambda: origin.playlist().count("#EXTINF") >= seen + 2)
        assert encoder.poll() is None
    wait_for(lambda: origin.visits_possible() == 2)
    with encoding(origin.rtmp) as encoder:
        wait_for(lambda: encoder.poll() is not None)
    assert "encoder_refused" in origin.log()
    wait_for(lambda: origin.visits_possible() == 3)
    with encoding(f"{server_of(origin)}/{StreamKey(folder).read()}"):
        wait_for(lambda: origin.log().count("encoder_connected") == 2)


def test_rotate_and_drop_ends_the_visit_that_is_live(origin: RunningOrigin, folder: Path) -> None:
    with encoding(origin.rtmp) as encoder:
        wait_for(lambda: is_live(origin))
        assert "No encoder is live" in rotate(folder, "--drop")
        wait_for(lambda: encoder.poll() is not None)
    wait_for(lambda: '"encoder_left"' in origin.log())
    assert httpx.get(f"{origin.url}/healthz").json()["status"] == "ok"


def test_srt_encoder_with_the_key_is_packaged(
    origin: RunningOrigin, folder: Path, srt_port: int
) -> None:
    run = published(
        *("--srt", f"srt://127.0.0.1:{srt_port}", "--key-file", str(folder / "stream.key")),
        *("--seconds", "4"),
    )
    assert (run.returncode, run.stderr) == (0, "")
    wait_for(lambda: '"encoder_left"' in origin.log())
    assert origin.playlist().count("#EXTINF") >= 3
    assert '"video": "copy"' in origin.log()
    wait_for(lambda: origin.visits_possible() == 2)


def test_srt_encoder_with_another_key_is_refused_by_the_handshake(
    origin: RunningOrigin, srt_port: int
) -> None:
    run = published(
        *("--srt", f"srt://127.0.0.1:{srt_port}?passphrase={'0' * 40}", "--seconds", "2")
    )
    assert run.returncode == 3
    assert "0" * 40 not in run.stderr
    assert not is_live(origin)
    with encoding(origin.rtmp):
        wait_for(lambda: is_live(origin))


def test_srt_listener_follows_a_rotation(
    origin: RunningOrigin, folder: Path, srt_port: int
) -> None:
    old = StreamKey(folder).read()
    rotate(folder)
    wait_for(lambda: origin.opened("srt") == 2)
    refused = published(*("--srt", f"srt://127.0.0.1:{srt_port}?passphrase={old}"))
    assert refused.returncode == 3
    taken = published(
        *("--srt", f"srt://127.0.0.1:{srt_port}", "--key-file", str(folder / "stream.key")),
        *("--seconds", "3"),
    )
    assert (taken.returncode, taken.stderr) == (0, "")


def test_while_one_encoder_is_live_no_port_is_open(origin: RunningOrigin, srt_port: int) -> None:
    with encoding(origin.rtmp):
        wait_for(lambda: is_live(origin))
        assert not is_listening(srt_port, "udp")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", int(origin.rtmp.split(":")[2].split("/")[0])))


def test_garbage_keeps_no_encoder_out(origin: RunningOrigin, srt_port: int) -> None:
    rtmp_port = int(origin.rtmp.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", rtmp_port)) as stranger:
        stranger.sendall(os.urandom(8192))
        stranger.settimeout(20)
        try:
            while stranger.recv(4096):
                pass
        except ConnectionResetError:
            pass
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for size in (0, 1, 16, 64, 1400):
            stranger.sendto(os.urandom(size), ("127.0.0.1", srt_port))
    wait_for(lambda: origin.visits_possible() == 2)
    with encoding(origin.rtmp):
        wait_for(lambda: is_live(origin))


def test_peer_that_drips_its_handshake_is_cut_off(origin: RunningOrigin) -> None:
    rtmp_port = int(origin.rtmp.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", rtmp_port)) as stranger:
        stranger.settimeout(1)
        deadline = time.monotonic() + 60
        is_open = True
        while is_open:
            assert time.monotonic() < deadline
            try:
                stranger.sendall(b"\x03")
                is_open = stranger.recv(4096) != b""
            except TimeoutError:
                pass
            except OSError:
                is_open = False
    wait_for(lambda: origin.visits_possible() == 2)
    with encoding(origin.rtmp):
        wait_for(lambda: is_live(origin))


def test_encoder_that_stands_still_after_its_key_is_dropped(origin: RunningOrigin) -> None:
    with encoding(origin.rtmp) as encoder:
        wait_for(lambda: is_live(origin))
        encoder.send_signal(signal.SIGSTOP)
        wait_for(lambda: '"encoder_left"' in origin.log(), seconds=40)
