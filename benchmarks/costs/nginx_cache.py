"""nginx as a plain cache before an origin: a relay's work without tickets, receipts and checks of what it passes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.serving.nginx import running_nginx
from tests.support.ports import find_free_port

CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_cache_path {folder}/cache keys_zone=live:10m max_size=100m use_temp_path=off;
    upstream origin {{ server 127.0.0.1:{origin_port}; keepalive 8; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_cache live;
            proxy_cache_key $uri$is_args$args;
            # Viewers who wait for the same part make one request of the origin.
            proxy_cache_lock on;
            proxy_cache_lock_timeout 10s;
            proxy_ignore_headers Cache-Control;
            proxy_cache_valid 200 1s;
        }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Cache:
    """A running one."""

    url: str
    pid: int


@contextmanager
def nginx_cache(origin_port: int) -> Iterator[Cache]:
    """Run nginx until the block ends."""
    with TemporaryDirectory(prefix="costs-nginx-") as name:
        folder = Path(name)
        # Its workers may run as another user.
        folder.chmod(0o755)
        port = find_free_port()
        config = CONFIG.format(folder=folder, origin_port=origin_port, port=port)
        with running_nginx(folder, config) as pid:
            yield Cache(f"http://127.0.0.1:{port}", pid)
