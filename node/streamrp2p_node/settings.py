"""What an operator chooses for a running node."""

from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from zoneinfo import ZoneInfo

from streamrp2p.cli_options import DEFAULT_METRICS_HOST
from streamrp2p.errors import MalformedError
from streamrp2p.foreign_text import printable, shown_url
from streamrp2p.http_api import check_base_url
from streamrp2p.numbers import Address
from streamrp2p_node.errors import SettingsError
from streamrp2p_node.schedule import Schedule

SSDP_PORT = 1900
MIB = 1024 * 1024
DEFAULT_CACHE_BYTES = 2048 * MIB
"""About an hour of one 5 Mbit/s stream."""
DEFAULT_CREDIT_BYTES = 16 * MIB
"""What a viewer can walk away with; some seconds of a good picture."""
DEFAULT_DRAIN_SECONDS = 30.0
DEFAULT_SUBMIT_SECONDS = 10.0
DEFAULT_PLAYLIST_SECONDS = 0.3
DEFAULT_MAX_CONNECTIONS = 800
"""Below the 1024 files that a process may usually open."""
DEFAULT_MAX_CONNECTIONS_PER_ADDRESS = 64
"""Ten viewers behind one router."""
MAX_ENDPOINT_LENGTH = 256
ORIGIN, RELAYS = "origin", "relays"


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of `streamrp2p node run`; checked by `check`."""

    folder: Path
    coordinator_url: str
    endpoint: str | None
    """Where viewers reach the node; None: where the router says, with `upnp`."""
    host: str = "127.0.0.1"
    port: int = 8200
    upnp: bool = False
    """Let the router map the port."""
    upnp_target: tuple[str, int] | None = None
    """The router's IPv4 address and SSDP port, where a search of the whole local network finds none."""
    tls_cert: Path | None = None
    """The node's own certificate chain, PEM, with `tls_key`; None: plain HTTP, for a proxy before it."""
    tls_key: Path | None = None
    rpc_url: str | None = None
    """The chain, to check the coordinator's word against; None: it is believed."""
    payout: Address | None = None
    cache_bytes: int = DEFAULT_CACHE_BYTES
    memory_bytes: int = 64 * MIB
    credit_bytes: int = DEFAULT_CREDIT_BYTES
    submit_seconds: float = DEFAULT_SUBMIT_SECONDS
    refresh_seconds: float = 5.0
    playlist_seconds: float = DEFAULT_PLAYLIST_SECONDS
    upstream: str = ORIGIN
    """Where streams come from: ORIGIN, or RELAYS for other relays and the origin as the last resort."""
    prefetches: bool = True
    """Fetch new parts of what is watched before the first viewer asks."""
    notify_urls_file: Path | None = None
    """Apprise URLs, one a line, in a file of mode 600: who is told when something is wrong."""
    metrics_port: int | None = None
    """Where the operator finds /metrics, /healthz and /readyz; None: nowhere."""
    metrics_host: str = DEFAULT_METRICS_HOST
    traces_endpoint: str | None = None
    """Where traces go by OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces; without it none are made."""
    max_sessions: int = 10_000
    max_connections: int = DEFAULT_MAX_CONNECTIONS
    max_connections_per_address: int = DEFAULT_MAX_CONNECTIONS_PER_ADDRESS
    """Of an address but loopback; 0: as many as of all."""
    keep_days: int = 30
    """How long journals and batches of past epochs stay: they are the node's evidence."""
    max_month_bytes: int | None = None
    """What may be served in a calendar month of UTC; None: no bound."""
    schedule: Schedule | None = None
    """The hours of the week in which viewers are served; None: all."""
    time_zone: ZoneInfo | None = None
    """Of the schedule; None: this machine's."""
    max_bytes_per_second: int | None = None
    """What may leave for all viewers together; None: no bound."""
    drain_seconds: float = DEFAULT_DRAIN_SECONDS
    """How long a stopping node serves those who still watch."""
    flush_seconds: float = 5.0
    """How long a stopping node tries to hand in its last receipts."""

    def check(self) -> None:
        """Raise SettingsError for the first setting that cannot work."""
        if self.endpoint is not None:
            check_endpoint(self.endpoint)
        elif not self.upnp:
            raise SettingsError(
                "say where viewers reach this node with --endpoint https://node.example.org, or let your "
                "router open the way with --upnp"
            )
        check_tls(self.tls_cert, self.tls_key)
        if self.tls_cert is not None and not (self.endpoint or "").startswith("https://"):
            raise SettingsError(
                "with --tls-cert viewers come by https alone: name the URL that the certificate is for with "
                "--endpoint https://node.example.org:8200"
            )
        if self.upstream not in (ORIGIN, RELAYS):
            raise SettingsError(f"--upstream must be {ORIGIN} or {RELAYS}, got {self.upstream!r}")
        if self.max_connections < 1 or self.max_connections_per_address < 0:
            raise SettingsError(
                "--max-connections must be at least 1, --max-connections-per-address at least 0 (no bound)"
            )
        if self.drain_seconds < 0:
            raise SettingsError("--drain-seconds must not be negative; 0 stops at once")
        if self.time_zone is not None and self.schedule is None:
            raise SettingsError(
                "--time-zone is the schedule's: give the hours with --schedule, or leave it out"
            )
        if self.submit_seconds <= 0:
            raise SettingsError("--submit-seconds must be above 0")
        if self.cache_bytes < 0 or self.credit_bytes < 1:
            raise SettingsError("--cache-bytes must not be negative, --credit-bytes at least 1")


def check_endpoint(endpoint: str) -> None:
    """Raise SettingsError for what no viewer can use as a base URL."""
    try:
        valid = check_base_url(endpoint) == endpoint
    except MalformedError:
        valid = False
    if not valid:
        raise SettingsError(
            f"--endpoint must be a public base URL such as https://node.example.org without a trailing slash, "
            f"user, query or fragment, got {shown_url(endpoint, 300)!r}"
        )
    if len(endpoint) > MAX_ENDPOINT_LENGTH:
        raise SettingsError(f"--endpoint must have at most {MAX_ENDPOINT_LENGTH} characters")


def check_tls(certificate: Path | None, key: Path | None) -> None:
    """Raise SettingsError for one without the other."""
    if (certificate is None) != (key is None):
        raise SettingsError("--tls-cert and --tls-key belong together; give both or none")


def parse_router(text: str) -> tuple[str, int]:
    """Return the address and port of `--upnp-router`; raises SettingsError."""
    host, _, port = text.partition(":")
    try:
        address = IPv4Address(host)
        number = int(port) if port else SSDP_PORT
    except ValueError:
        address, number = IPv4Address(0), 0
    if not address.is_private or not 0 < number < 1 << 16:
        raise SettingsError(
            f"--upnp-router must be an address of your own network such as 192.168.1.1, got {printable(text, 100)!r}"
        )
    return str(address), number


def parse_time_zone(name: str) -> ZoneInfo:
    """Return a time zone such as `Europe/Berlin`; raises SettingsError."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise SettingsError(
            f"--time-zone must be a name such as Europe/Berlin or UTC, got {printable(name, 60)!r}"
        ) from None
