"""A real nginx with its RTMP module, with the very settings of deploy/nginx.conf on ports of the test's own."""

import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.stack.settings import NGINX_RTMP, nginx_settings
from streamrp2p_origin.listening import is_listening
from tests.support.origin import wait_for

STOP_SECONDS = 10


@dataclass
class RunningNginx:
    """nginx at `rtmp://127.0.0.1:PORT`."""

    process: subprocess.Popen[bytes]
    url: str
    log_file: Path

    def log(self) -> str:
        return self.log_file.read_text()


def require_nginx() -> None:
    if shutil.which("nginx") is None or not NGINX_RTMP.exists():
        pytest.fail(
            "nginx with its RTMP module is missing: make system-packages (as root), "
            "or apt install nginx libnginx-mod-rtmp",
            pytrace=False,
        )


@contextmanager
def running_nginx(
    folder: Path, port: int, callback_ports: Mapping[str, int]
) -> Iterator[RunningNginx]:
    """Run nginx with an application for each name, whose callbacks go to the port that stands beside it."""
    require_nginx()
    folder.mkdir(exist_ok=True)
    config = folder / "nginx.conf"
    config.write_text(nginx_settings(folder, port, callback_ports))
    log_file = folder / "nginx.log"
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            ["nginx", "-p", folder, "-c", config, "-e", "stderr"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(lambda: process.poll() is not None or is_listening(port))
        assert process.poll() is None, log_file.read_text()
        yield RunningNginx(process, f"rtmp://127.0.0.1:{port}", log_file)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
