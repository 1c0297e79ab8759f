"""Command lines and settings of the run: everything on the loopback interface, no secret in any of them."""

import tomllib
from pathlib import Path

import pytest

from streamrp2p.numbers import Address
from streamrp2p_demo.commands import Commands
from streamrp2p_demo.layout import Layout, Ports
from streamrp2p_demo.market import Grid

PORTS = Ports(anvil=1, coordinator=2, origin=3, rtmp=4, relays=(5, 6, 7), proxy=8)


def test_a_relay_registers_its_public_endpoint_and_payout_address() -> None:
    commands = Commands(Layout(Path("/run")), PORTS)

    command = commands.relay("relay-1", 5, "http://127.0.0.1:8", Address(bytes([1]) * 20))

    assert command[command.index("--endpoint") + 1] == "http://127.0.0.1:8"
    assert command[command.index("--payout") + 1] == "0x" + "01" * 20
    assert "--payout" not in commands.relay("relay-1", 5, "http://127.0.0.1:8", None)


def test_the_encoder_pushes_to_the_origin_s_rtmp_port() -> None:
    command = Commands(Layout(Path("/run")), PORTS).encoder()

    assert any(part.startswith("rtmp://127.0.0.1:4/live") for part in command)


def test_the_coordinator_s_settings_are_toml_with_tickets_of_one_epoch() -> None:
    settings = tomllib.loads(
        Commands(Layout(Path("/run")), PORTS).coordinator_config(Grid(20, 3, 8))
    )

    assert settings["ticket_seconds"] == 20
    assert (settings["host"], settings["port"]) == ("127.0.0.1", 2)


@pytest.mark.parametrize("name", ["relay-1", "relay-2"])
def test_a_claim_names_the_password_s_file_and_not_the_password(tmp_path: Path, name: str) -> None:
    layout = Layout(tmp_path)
    password = layout.make()

    command = Commands(layout, PORTS).claim(name)

    assert str(layout.password_file) in command
    assert password not in " ".join(command)
    assert layout.password_file.stat().st_mode & 0o077 == 0
