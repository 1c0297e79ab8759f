"""Every command line of the run, as its users would type it."""

import json
import sys
from dataclasses import dataclass

from streamrp2p.numbers import Address
from streamrp2p_demo.layout import Layout, Ports, loopback
from streamrp2p_demo.market import Grid

RATE_SLACK_SECONDS = 6
SUBMIT_SECONDS = 2
WATCH_SECONDS = 0.5
SEGMENT_SECONDS = 1
VIDEO_KBIT = 250
ENCODER_SECONDS = 1_800
"""Longer than any run: the encoder is stopped."""


def streamrp2p(*arguments: object) -> list[str]:
    """Return the command line of a `streamrp2p` command, run by this very Python."""
    return [sys.executable, "-m", "streamrp2p.cli", *map(str, arguments)]


@dataclass(frozen=True, slots=True)
class Commands:
    """Command lines with this run's folders and ports."""

    layout: Layout
    ports: Ports

    @property
    def rpc(self) -> str:
        """The chain's RPC URL."""
        return loopback(self.ports.anvil)

    @property
    def coordinator_url(self) -> str:
        """The coordinator's base URL."""
        return loopback(self.ports.coordinator)

    def init_relay(self, name: str) -> list[str]:
        """Make a relay's own key."""
        layout = self.layout
        return streamrp2p(
            *("node", "init", "--dir", layout.relay(name)),
            *("--password-file", layout.password_file, "--json"),
        )

    def init_origin(self) -> list[str]:
        """Make the origin's key."""
        return streamrp2p("origin", "init", "--dir", self.layout.origin, "--json")

    def coordinator(self) -> list[str]:
        """Take receipts in, settle, post."""
        return streamrp2p("coordinator", "run", "--config", self.layout.coordinator_config)

    def origin(self, pool_id: int) -> list[str]:
        """Take RTMP, publish signed HLS."""
        return streamrp2p(
            *("origin", "run", "--dir", self.layout.origin, "--pool", pool_id),
            *("--rpc", self.rpc, "--deployment", self.layout.deployment),
            *("--rtmp-port", self.ports.rtmp, "--port", self.ports.origin),
            *("--segment-seconds", SEGMENT_SECONDS),
        )

    def encoder(self) -> list[str]:
        """Encode a test picture and a tone and push them over RTMP."""
        url = f"rtmp://127.0.0.1:{self.ports.rtmp}/live"
        return streamrp2p(
            *("origin", "publish-test", "--rtmp", url),
            *("--key-file", self.layout.origin / "stream.key"),
            *("--seconds", ENCODER_SECONDS, "--bitrate", VIDEO_KBIT),
        )

    def relay(self, name: str, port: int, endpoint: str, payout: Address | None) -> list[str]:
        """Relay and earn."""
        return streamrp2p(
            *("node", "run", "--dir", self.layout.relay(name)),
            *("--coordinator", self.coordinator_url, "--endpoint", endpoint),
            *("--host", "127.0.0.1", "--port", port),
            *("--password-file", self.layout.password_file),
            *("--submit-seconds", SUBMIT_SECONDS),
            *(("--payout", "0x" + payout.hex()) if payout else ()),
        )

    def viewer(self, name: str, pool_id: int, seconds: int) -> list[str]:
        """Watch for some seconds, then report."""
        return streamrp2p(
            *("viewer", "watch", "--coordinator", self.coordinator_url),
            *("--pool", pool_id, "--seconds", seconds, "--json", self.layout.report(name)),
        )

    def audit(self, epoch: int) -> list[str]:
        """Recompute an epoch."""
        return streamrp2p(
            *("audit", "epoch", epoch, "--coordinator", self.coordinator_url),
            *("--rpc", self.rpc, "--deployment", self.layout.deployment, "--json"),
        )

    def watcher(self) -> list[str]:
        """Judge every header as soon as it is committed, and challenge those that are wrong."""
        return streamrp2p(
            *("audit", "watch", "--coordinator", self.coordinator_url),
            *("--rpc", self.rpc, "--deployment", self.layout.deployment),
            *("--state", self.layout.watcher, "--poll", WATCH_SECONDS, "--challenge"),
            *("--keystore", self.layout.watcher_keystore),
            *("--password-file", self.layout.password_file),
        )

    def claim(self, name: str) -> list[str]:
        """Claim what a relay has earned."""
        return streamrp2p(
            *("node", "claim", "--dir", self.layout.relay(name)),
            *("--coordinator", self.coordinator_url, "--rpc", self.rpc),
            *("--password-file", self.layout.password_file, "--yes", "--json"),
        )

    def coordinator_config(self, grid: Grid, **more: str | int) -> str:
        """Return the coordinator's settings file; `more` comes on top or instead."""
        layout = self.layout
        settings: dict[str, str | int] = {
            "database_url": f"sqlite:///{layout.coordinator / 'coordinator.db'}",
            "rpc_url": self.rpc,
            "deployment": str(layout.deployment),
            "poster_keystore": str(layout.poster_keystore),
            "poster_password_file": str(layout.password_file),
            "ticket_signer_keystore": str(layout.ticket_signer_keystore),
            "ticket_signer_password_file": str(layout.password_file),
            "host": "127.0.0.1",
            "port": self.ports.coordinator,
            "rate_slack_seconds": RATE_SLACK_SECONDS,
            "ticket_seconds": grid.epoch_seconds,
            "confirmations": 0,
            "tick_seconds": 1,
            "health_seconds": 2,
            "allow_local_networks": True,
            "bundle_dir": str(layout.coordinator / "bundles"),
            **more,
        }
        # A JSON string or number is a TOML one too.
        return "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
