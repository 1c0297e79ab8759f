"""What an operator chooses for a running node."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from streamrp2p.numbers import Address
from streamrp2p_node.errors import SettingsError

MIB = 1024 * 1024
DEFAULT_CACHE_BYTES = 2048 * MIB
"""About an hour of one 5 Mbit/s stream."""
DEFAULT_CREDIT_BYTES = 16 * MIB
"""What a viewer can walk away with; some seconds of a good picture."""
DEFAULT_SUBMIT_SECONDS = 10.0
DEFAULT_PLAYLIST_SECONDS = 0.3
MAX_ENDPOINT_LENGTH = 256
ORIGIN, RELAYS = "origin", "relays"


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of `streamrp2p node run`; checked by `check`."""

    folder: Path
    coordinator_url: str
    endpoint: str
    host: str = "127.0.0.1"
    port: int = 8200
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
    max_sessions: int = 10_000
    keep_days: int = 30
    """How long journals and batches of past epochs stay: they are the node's evidence."""
    flush_seconds: float = 5.0
    """How long a stopping node tries to hand in its last receipts."""

    def check(self) -> None:
        """Raise SettingsError for the first setting that cannot work."""
        parts = urlsplit(self.endpoint)
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or self.endpoint.endswith("/")
        ):
            raise SettingsError(
                f"--endpoint must be a public base URL such as https://node.example.org "
                f"without a trailing slash, got {self.endpoint!r}"
            )
        if len(self.endpoint) > MAX_ENDPOINT_LENGTH:
            raise SettingsError(f"--endpoint must have at most {MAX_ENDPOINT_LENGTH} characters")
        if self.upstream not in (ORIGIN, RELAYS):
            raise SettingsError(f"--upstream must be {ORIGIN} or {RELAYS}, got {self.upstream!r}")
        if self.submit_seconds <= 0:
            raise SettingsError("--submit-seconds must be above 0")
        if self.cache_bytes < 0 or self.credit_bytes < 1:
            raise SettingsError("--cache-bytes must not be negative, --credit-bytes at least 1")
