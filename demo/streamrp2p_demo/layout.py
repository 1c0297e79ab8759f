"""Where everything of one run lies, below one folder, and at which ports it listens."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from streamrp2p.durable import write_atomically
from streamrp2p_demo.ports import free_ports

RELAYS = 3
VIEWERS = 6


def loopback(port: int) -> str:
    """Return the base URL of a server on this machine."""
    return f"http://127.0.0.1:{port}"


@dataclass(frozen=True, slots=True)
class Ports:
    """One port for each server."""

    anvil: int
    coordinator: int
    origin: int
    rtmp: int
    relays: tuple[int, ...]
    proxy: int

    @classmethod
    def choose(cls) -> "Ports":
        """Choose ports that nothing listens on now."""
        anvil, coordinator, origin, rtmp, proxy, *relays = free_ports(5 + RELAYS)
        return cls(anvil, coordinator, origin, rtmp, tuple(relays), proxy)


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below the run's folder."""

    root: Path

    @property
    def logs(self) -> Path:
        """A log for each process."""
        return self.root / "logs"

    @property
    def password_file(self) -> Path:
        """The password of every keystore of this run."""
        return self.root / "password"

    @property
    def deployment(self) -> Path:
        """The contracts' addresses."""
        return self.root / "deployment.json"

    @property
    def coordinator(self) -> Path:
        """The coordinator's folder."""
        return self.root / "coordinator"

    @property
    def coordinator_config(self) -> Path:
        """The coordinator's settings."""
        return self.coordinator / "coordinator.toml"

    @property
    def poster_keystore(self) -> Path:
        """The poster's key, one of anvil's."""
        return self.coordinator / "poster.json"

    @property
    def ticket_signer_keystore(self) -> Path:
        """The key that admits viewers."""
        return self.coordinator / "ticket-signer.json"

    @property
    def watcher(self) -> Path:
        """What the watchman remembers."""
        return self.root / "watcher"

    @property
    def watcher_keystore(self) -> Path:
        """The watchman's key, one of anvil's: it pays for challenges and is credited for them."""
        return self.root / "watcher.json"

    @property
    def origin(self) -> Path:
        """The origin's folder."""
        return self.root / "origin"

    @property
    def reports(self) -> Path:
        """What viewers and adversaries report."""
        return self.root / "reports"

    def relay(self, name: str) -> Path:
        """Return a relay's folder."""
        return self.root / name

    def report(self, name: str) -> Path:
        """Return where a process reports."""
        return self.reports / f"{name}.json"

    def make(self) -> str:
        """Make the folders and a password; returns the password."""
        for folder in (self.logs, self.coordinator, self.reports):
            folder.mkdir(parents=True, exist_ok=True)
        password = secrets.token_urlsafe(24)
        write_atomically(self.password_file, password.encode() + b"\n", mode=0o600)
        return password
