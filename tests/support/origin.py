"""A real origin process with real encoders, and servers of a test's own on real sockets."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import imageio_ffmpeg

from streamrp2p_origin.stream_key import StreamKey
from tests.support.loopback import http_server
from tests.support.media import ORIGIN_KEY, FakeWorld
from tests.support.ports import find_free_port
from tests.support.secrets import assert_tells_none

READY_SECONDS = 60
STOP_SECONDS = 10


@contextmanager
def served(handle: Callable[[httpx.Request], httpx.Response], name: str) -> Iterator[str]:
    """Serve an httpx handler, as the host `name`, on a loopback port; its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            request = httpx.Request(
                self.command,
                f"http://{name}{self.path}",
                headers=dict(self.headers.items()),
                content=self.rfile.read(length),
            )
            try:
                response = handle(request)
            except httpx.ConnectError:
                self.close_connection = True
                return
            self.send_response(response.status_code)
            if response.status_code != 204:
                self.send_header("Content-Length", str(len(response.content)))
            self.end_headers()
            self.wfile.write(response.content)

        do_GET = do_POST = _answer  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            pass

    with http_server(Handler) as url:
        yield url


@contextmanager
def coordinator_of_origins() -> Iterator[str]:
    """Serve a coordinator whose pool 7 names ORIGIN_KEY; its URL."""
    with served(FakeWorld()._handle, "coordinator") as url:
        yield url


def give_origin_key(folder: Path, key: bytes = ORIGIN_KEY) -> None:
    """Put an origin key, by default pool 7's, into a folder, as `origin init` would."""
    key_file = folder / "origin.key"
    key_file.write_text("0x" + key.hex())
    key_file.chmod(0o600)


@dataclass
class RunningOrigin:
    """An `origin run` process; `log` are its JSON lines."""

    process: subprocess.Popen[bytes]
    url: str
    rtmp: str
    log_file: Path

    def log(self) -> str:
        return self.log_file.read_text()

    def get(self, name: str, pool_id: int = 7) -> httpx.Response:
        return httpx.get(f"{self.url}/v1/streams/{pool_id}/{name}")

    def playlist(self, rendition: str = "source") -> str:
        """Return a media playlist, or nothing while there is none."""
        response = self.get(f"{rendition}.m3u8")
        return response.text if response.is_success else ""

    def visits_possible(self) -> int:
        """Return how often the RTMP port was opened; an encoder that comes earlier is turned away."""
        return self.opened("rtmp")

    def opened(self, inlet: str) -> int:
        """Return how often the port of `rtmp` or `srt` was opened."""
        lines = (line for line in self.log().splitlines() if '"inlet_listening"' in line)
        return sum(f'"{inlet}"' in line for line in lines)

    def is_open(self) -> bool:
        """Tell whether an encoder can come: to the origin itself, or to an ingest server that asks it."""
        return self.visits_possible() == 1 or "callbacks_listening" in self.log()

    def ffmpegs(self) -> list[int]:
        """Return the pids of its ffmpeg processes."""
        return descendants(self.process.pid)


@contextmanager
def running_origin(
    folder: Path, coordinator_url: str, *options: str, rtmp_port: int | None = None
) -> Iterator[RunningOrigin]:
    """Run an origin of pool 7 with one-second segments until the test ends it or the block does.

    A folder without a stream key gets one.
    """
    key = StreamKey(folder)
    if not key.path.exists():
        key.create()
    port, rtmp_port = find_free_port(), rtmp_port or find_free_port()
    log_file = folder / "origin.log"
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "streamrp2p.cli", "origin", "run", "--dir", str(folder)),
                *("--pool", "7", "--coordinator", coordinator_url, "--port", str(port)),
                *("--rtmp-port", str(rtmp_port), "--segment-seconds", "1", "--json", *options),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    origin = RunningOrigin(
        process,
        f"http://127.0.0.1:{port}",
        f"rtmp://127.0.0.1:{rtmp_port}/live/{key.read()}",
        log_file,
    )
    try:
        wait_for(lambda: process.poll() is not None or "origin_ready" in origin.log())
        wait_for(lambda: process.poll() is not None or origin.is_open())
        yield origin
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        # Whatever the test did to it: it told nobody.
        assert_tells_none(origin.log(), key.read(), ORIGIN_KEY)


@contextmanager
def encoding(url: str, *output: str, seconds: float = 60) -> Iterator[subprocess.Popen[bytes]]:
    """Push a test picture and a tone with ffmpeg's own RTMP client; `output` are its codec options."""
    codecs = output or (
        *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "30"),
        *("-pix_fmt", "yuv420p", "-c:a", "aac"),
    )
    process = subprocess.Popen(
        [
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error"),
            *("-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30"),
            *("-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100"),
            *("-t", str(seconds), *codecs, "-f", "flv", url),
        ],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait()


def descendants(pid: int) -> list[int]:
    """Return the pids of a process's children and theirs."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] != "Z":
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, queue = [], [pid]
    while queue:
        children = parents.get(queue.pop(), [])
        found += children
        queue += children
    return found


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False


def wait_for(is_so: Callable[[], bool], seconds: float = READY_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain"
        time.sleep(0.05)
