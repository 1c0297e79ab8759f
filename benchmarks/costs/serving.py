"""What a relay's processor does for a Gbit that it sends, beside nginx's with the same files."""

import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.costs.processes import cpu_seconds
from benchmarks.costs.report import Kind, Row
from benchmarks.serving.load import Load
from benchmarks.serving.nginx import nginx
from benchmarks.serving.node import node

KIB = 1024
LENGTHS = (200 * KIB, 1024 * KIB)
"""Of the objects: a part of half a second of 3 Mbit/s, and two seconds of 4 Mbit/s."""
CONNECTIONS = 16
SECONDS = 1.0
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class _Server:
    name: str
    url: str
    headers: dict[str, str]
    pid: int


def measure(folder: Path) -> Iterator[Row]:
    """Fetch objects over and over, from both servers in turn."""
    # The workers of nginx may run as another user.
    folder.chmod(0o755)
    load = Load.make(folder)
    for length in LENGTHS:
        found: dict[str, list[float]] = {}
        with ExitStack() as running:
            servers = _servers(folder / str(length), length, running)
            for _ in range(ROUNDS):
                for server in servers:
                    found.setdefault(server.name, []).append(_core_seconds_per_gbit(load, server))
        median = {name: statistics.median(values) for name, values in found.items()}
        what = f"objects of {length // KIB} KiB"
        for name, value in median.items():
            yield Row(f"{name}, {what}", value, "core seconds/Gbit")
        yield Row(f"node / nginx, {what}", median["node"] / median["nginx"], "", Kind.COMPUTED)


def _core_seconds_per_gbit(load: Load, server: _Server) -> float:
    before = cpu_seconds(server.pid)
    fetched = load.fetched(
        server.url, connections=CONNECTIONS, seconds=SECONDS, headers=server.headers
    )
    return (cpu_seconds(server.pid) - before) / (fetched.length_bytes * 8 / 1e9)


def _servers(folder: Path, length: int, running: ExitStack) -> list[_Server]:
    files = folder / "files"
    files.mkdir(parents=True)
    (files / "seg0.ts").write_bytes(bytes(length))
    own = running.enter_context(node(folder / "node", length))
    url = running.enter_context(nginx(folder / "nginx", files, workers="auto"))
    pid = int((folder / "nginx" / "nginx.pid").read_text())
    return [
        _Server("node", own.object_url, own.headers, own.pid),
        _Server("nginx", f"{url}/seg0.ts", {}, pid),
    ]
