"""Bring a stack up in its order, and make what its first start needs."""

import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from scripts.stack.folder import Folder, Ports, StackError
from scripts.stack.services import EMBED, NODE, Service, Services, has_nginx_rtmp
from streamrp2p.chain import connect
from streamrp2p.durable import write_atomically
from streamrp2p.keys import create_keystore
from streamrp2p.numbers import Address
from streamrp2p_demo.anvil import CHAIN_ID, find_anvil, known_key
from streamrp2p_demo.layout import loopback
from streamrp2p_demo.market import WATCHER, Grid, let_time_mine
from streamrp2p_demo.processes import Supervisor
from streamrp2p_demo.progress import Progress
from streamrp2p_demo.stack import Relay, Stack
from streamrp2p_origin.stream_key import STREAM_KEY_FILE

GRID = Grid(epoch_seconds=120, intake_grace_seconds=15, challenge_seconds=60, response_seconds=10)
"""Short enough to see epochs become final, long enough for a machine that does everything."""
FOUNDATION = ("chain", "postgres")
"""What the others stand on, so it is stopped after them."""
READY_SECONDS = 120.0
"""A dozen programs start at the same time, on a machine that may be slow."""
ALIVE_SECONDS = 0.5
ORDER = (
    *FOUNDATION, "origin", "nginx", "coordinator", "node", "auditor", "web", "prometheus", "grafana",
)  # fmt: skip
"""Every service that a stack can have."""


@dataclass(frozen=True, slots=True)
class Running:
    """What runs, and why something does not."""

    services: Sequence[Service]
    supervisor: Supervisor
    left_out: Mapping[str, str]
    ports: Ports
    pool: int

    def publishing(self, folder: Folder) -> list[str]:
        """Return the command that pushes a test picture for half a minute."""
        return [
            *("streamrp2p", "origin", "publish-test", "--rtmp", self._ingest),
            *("--key-file", str(folder.layout.origin / STREAM_KEY_FILE)),
        ]

    def as_json(self, folder: Folder) -> dict[str, Any]:
        """Return what a program that starts a stack wants to know."""
        return {
            "pool": self.pool,
            "ingest": self._ingest,
            "streamKeyFile": str(folder.layout.origin / STREAM_KEY_FILE),
            "ports": asdict(self.ports),
            "services": {each.name: each.url for each in self.services},
            "leftOut": dict(self.left_out),
        }

    @property
    def _ingest(self) -> str:
        return f"rtmp://127.0.0.1:{self.ports.rtmp}/live"

    def wait_until_stopped(self) -> None:
        """Look that every process is alive; raises ProcessDiedError when one is not, StoppedError on a signal."""
        while True:
            self.supervisor.check()
            time.sleep(ALIVE_SECONDS)


@contextmanager
def running_stack(folder: Folder, progress: Progress, *, free_ports: bool) -> Iterator[Running]:
    """Start the services, yield when all are ready, and stop them, the foundation last.

    Raises StackError, MissingToolError or another StreamrP2PError after what was started is stopped.
    """
    find_anvil()
    if not (EMBED / "embed.html").exists():
        raise StackError("the player is not built; run: make web")
    kept = folder.load()
    ports, pool = kept or (Ports.free() if free_ports else Ports(), 0)
    ports.require_free()
    left_out = _left_out()
    with Supervisor(folder.layout.logs) as supervisor:
        password = folder.layout.make() if kept is None else folder.password()
        stack = Stack(supervisor, folder.layout, ports.of_actors(), GRID, progress, password)
        try:
            services = Services(folder, ports, pool)
            if kept is None:
                supervisor.run_all({"initdb": services.init_postgres()})
                _make_keys(stack, services)
            started = _start(stack, [services.chain(), services.postgres()])
            web3 = connect(stack.commands.rpc, CHAIN_ID)
            if kept is None:
                pool = stack.open_market(web3).pool_id
                services = Services(folder, ports, pool)
                settings = stack.commands.coordinator_config(
                    GRID,
                    database_url=services.database_url,
                    metrics_port=ports.coordinator_metrics,
                )
                write_atomically(folder.layout.coordinator_config, settings.encode(), mode=0o600)
                folder.save(ports, pool)
            else:
                let_time_mine(web3)
            started += _start(stack, [services.coordinator(), services.origin()])
            rest = [name for name in ORDER if name not in {*left_out, *(s.name for s in started)}]
            started += _start(stack, [getattr(services, name)() for name in rest])
            yield Running(started, supervisor, left_out, ports, pool)
        finally:
            progress.tell("stopping every process")
            supervisor.stop(
                [each for each in reversed(supervisor.children) if each.name not in FOUNDATION]
            )
    if left := supervisor.left_behind():
        raise StackError(f"still running: {', '.join(left)}; stop them yourself")


def _left_out() -> dict[str, str]:
    found = {}
    if not has_nginx_rtmp():
        found["nginx"] = (
            "not installed with its RTMP module, so the origin listens for encoders itself; "
            "Debian: apt install nginx libnginx-mod-rtmp"
        )
    for name in ("prometheus", "grafana"):
        if shutil.which(name) is None:
            found[name] = f"not installed: there is no `{name}` on PATH"
    return found


def _start(stack: Stack, services: Sequence[Service]) -> list[Service]:
    """Start some, then wait until all are ready."""
    for each in services:
        stack.supervisor.start(each.name, each.command)
    for each in services:
        is_ready = each.is_ready
        stack.wait_for(each.name, lambda: is_ready() or None, READY_SECONDS)  # noqa: B023
        stack.progress.tell(f"{each.name:<12} {each.url}")
    return list(services)


def _make_keys(stack: Stack, services: Services) -> None:
    """Make the keys of origin, node and watchman."""
    made = stack.supervisor.run_all(
        {
            "init-origin": stack.commands.init_origin(),
            "init-node": stack.commands.init_relay(NODE),
        }
    )
    stack.origin_key = _address(json.loads(made["init-origin"])["address"])
    node = _address(json.loads(made["init-node"])["node"])
    port = services.ports.node
    stack.relays.append(Relay(NODE, node, port, loopback(port)))
    create_keystore(stack.layout.watcher_keystore, stack.password, known_key(WATCHER))


def _address(text: str) -> Address:
    return Address(bytes.fromhex(text.removeprefix("0x")))
