"""The services: how each is started, where it is, and how it is known to be ready."""

import shutil
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from scripts.stack import postgres
from scripts.stack.folder import Folder, Ports
from scripts.stack.settings import NGINX_RTMP, nginx_settings, write_grafana, write_prometheus
from streamrp2p_demo.anvil import anvil_command
from streamrp2p_demo.commands import Commands
from streamrp2p_demo.layout import loopback

EMBED = Path(__file__).parents[2] / "web/dist/embed"
"""The player's page, as `make web` builds it."""
NODE = "node"
GRAFANA_HOMES = (Path("/usr/share/grafana"), Path("/usr/local/share/grafana"))
STATE_SECONDS = 10
"""How often anvil writes its state, for a machine that goes down."""
DRAIN_SECONDS = 1
POLL_SECONDS = 2
"""How often the watchman looks at the chain."""


@dataclass(frozen=True, slots=True)
class Service:
    """One process. `url` is what a person opens or another service connects to."""

    name: str
    command: Sequence[str]
    url: str
    is_ready: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Services:
    """Every service of a stack, as it is started in its folder."""

    folder: Folder
    ports: Ports
    pool: int = 0
    """Known once the market is open."""

    @property
    def commands(self) -> Commands:
        """The actors' command lines."""
        return Commands(self.folder.layout, self.ports.of_actors())

    @property
    def database_url(self) -> str:
        """The coordinator's database."""
        return postgres.database_url(self.ports.postgres, self.folder.password())

    @property
    def postgres_data(self) -> Path:
        """PostgreSQL's folder."""
        return self.folder.root / "postgres"

    def postgres(self) -> Service:
        """Return the coordinator's database."""
        command = postgres.server_command(self.postgres_data, self.ports.postgres)
        url = self.database_url
        shown = f"postgresql://{postgres.USER}@127.0.0.1:{self.ports.postgres}/{postgres.DATABASE}"
        return Service("postgres", command, shown, lambda: postgres.answers(url))

    def chain(self) -> Service:
        """Return the chain, which compose.yaml has none of: there it is a public one."""
        command = [
            *anvil_command(self.ports.chain),
            *("--state", str(self.folder.chain), "--state-interval", str(STATE_SECONDS)),
            # It would log each call of each actor for as long as the stack runs.
            "--silent",
        ]
        return Service("chain", command, self.commands.rpc, _takes_connections(self.ports.chain))

    def origin(self) -> Service:
        """Return the origin, behind nginx where that is installed, and else listening for encoders itself."""
        command = self.commands.origin(self.pool)
        if has_nginx_rtmp():
            server = f"rtmp://127.0.0.1:{self.ports.rtmp}/live"
            command += [
                *("--ingest-server", server),
                *("--callback-port", str(self.ports.callback)),
            ]
        url = loopback(self.ports.origin)
        return Service("origin", command, url, _answers(f"{url}/healthz"))

    def nginx(self) -> Service:
        """Return the ingest server."""
        folder = self.folder.root / "nginx"
        folder.mkdir(exist_ok=True)
        config = folder / "nginx.conf"
        config.write_text(nginx_settings(folder, self.ports.rtmp, {"live": self.ports.callback}))
        command = ["nginx", "-p", str(folder), "-c", str(config), "-e", "stderr"]
        url = f"rtmp://127.0.0.1:{self.ports.rtmp}/live"
        return Service("nginx", command, url, _takes_connections(self.ports.rtmp))

    def coordinator(self) -> Service:
        """Return the coordinator."""
        command = self.commands.coordinator()
        return _actor("coordinator", command, self.ports.coordinator, self.ports.coordinator_metrics)  # fmt: skip

    def node(self) -> Service:
        """Return the node."""
        endpoint = loopback(self.ports.node)
        command = [
            *self.commands.relay(NODE, self.ports.node, endpoint, None),
            *("--metrics-port", str(self.ports.node_metrics)),
            *("--drain-seconds", str(DRAIN_SECONDS)),
        ]
        return _actor("node", command, self.ports.node, self.ports.node_metrics)

    def auditor(self) -> Service:
        """Return the watchman, who has a key to challenge with."""
        command = [
            *self.commands.watcher(),
            *("--poll", str(POLL_SECONDS), "--metrics-port", str(self.ports.auditor_metrics)),
        ]
        return _actor("auditor", command, self.ports.auditor_metrics, self.ports.auditor_metrics)

    def web(self) -> Service:
        """Return the player's page; its link has this stack's stream."""
        command = [
            *(sys.executable, "-m", "http.server", str(self.ports.web)),
            *("--bind", "127.0.0.1", "--directory", str(EMBED)),
        ]
        page = f"{loopback(self.ports.web)}/embed.html"
        coordinator = httpx.QueryParams(coordinator=self.commands.coordinator_url, pool=self.pool)
        return Service("web", command, f"{page}?{coordinator}", _answers(page))

    def prometheus(self) -> Service:
        """Return Prometheus, which scrapes the three actors."""
        folder = self.folder.root / "prometheus"
        settings = write_prometheus(folder, self.ports)
        url = loopback(self.ports.prometheus)
        command = [
            *("prometheus", f"--config.file={settings}", f"--storage.tsdb.path={folder / 'data'}"),
            f"--web.listen-address=127.0.0.1:{self.ports.prometheus}",
        ]
        return Service("prometheus", command, url, _answers(f"{url}/-/ready"))

    def grafana(self) -> Service:
        """Return Grafana, with the dashboards of deploy/."""
        folder = self.folder.root / "grafana"
        provisioning = write_grafana(folder, self.ports)
        settings = {
            "GF_PATHS_DATA": folder / "data",
            "GF_PATHS_LOGS": folder / "logs",
            "GF_PATHS_PROVISIONING": provisioning,
            "GF_SERVER_HTTP_ADDR": "127.0.0.1",
            "GF_SERVER_HTTP_PORT": self.ports.grafana,
            "GF_ANALYTICS_REPORTING_ENABLED": "false",
            "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        }
        home = next((str(each) for each in GRAFANA_HOMES if each.is_dir()), ".")
        command = ["env", *(f"{name}={value}" for name, value in settings.items())]
        command += ["grafana", "server", "--homepath", home]
        url = loopback(self.ports.grafana)
        return Service("grafana", command, url, _answers(f"{url}/api/health"))

    def init_postgres(self) -> list[str]:
        """Return the command that makes the database's folder."""
        return postgres.init_command(self.postgres_data, self.folder.layout.password_file)


def has_nginx_rtmp() -> bool:
    """Tell whether nginx can take encoders on this machine."""
    return shutil.which("nginx") is not None and NGINX_RTMP.exists()


def _actor(name: str, command: Sequence[str], port: int, metrics_port: int) -> Service:
    return Service(name, command, loopback(port), _answers(f"{loopback(metrics_port)}/readyz"))


def _answers(url: str) -> Callable[[], bool]:
    def is_success() -> bool:
        try:
            return httpx.get(url, timeout=5).is_success
        except httpx.HTTPError:
            return False

    return is_success


def _takes_connections(port: int) -> Callable[[], bool]:
    def connects() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
        except OSError:
            return False
        return True

    return connects
