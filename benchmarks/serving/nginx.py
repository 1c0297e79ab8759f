"""nginx as a file server, set up as its documentation advises for speed."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.node.servers import wait_for
from tests.support.ports import find_free_port

CONFIG = """
daemon off;
worker_processes {workers};
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    open_file_cache max=100;
    types {{ video/iso.segment m4s; }}
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {files};
    }}
}}
"""


@contextmanager
def nginx(folder: Path, files: Path, *, workers: int | str) -> Iterator[str]:
    """Serve the files of a folder; the base URL."""
    folder.mkdir()
    port = find_free_port()
    # The parent of the files must be open to the user that nginx's workers run as.
    with running_nginx(
        folder, CONFIG.format(folder=folder, files=files, port=port, workers=workers)
    ):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def running_nginx(folder: Path, config: str) -> Iterator[int]:
    """Run nginx in the foreground, as a configuration with its pid in that folder says; the id of its master."""
    file = folder / "nginx.conf"
    file.write_text(config)
    process = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(file)])
    try:
        wait_for((folder / "nginx.pid").exists)
        yield process.pid
    finally:
        process.terminate()
        process.wait()
