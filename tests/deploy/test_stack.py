"""The stack from packages has the services of compose.yaml, keeps its folder, and says what is in its way."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from scripts.stack.__main__ import app
from scripts.stack.folder import Folder, Ports, StackError
from scripts.stack.run import ORDER
from scripts.stack.settings import nginx_settings, write_grafana, write_prometheus

ROOT = Path(__file__).parents[2]
PORTS = Ports(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)


def test_the_stack_has_the_services_of_compose() -> None:
    services = set(yaml.safe_load((ROOT / "compose.yaml").read_text())["services"])
    # Of the ways to take an encoder it has one; its chain is a public one in production.
    assert set(ORDER) == services - {"embedded", "signer", "srs", "mediamtx"} | {"chain"}


@pytest.mark.integration
def test_a_port_in_use_is_named_before_anything_starts() -> None:
    free = Ports.free()
    free.require_free()
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = replace(free, node=other.getsockname()[1])
        with pytest.raises(StackError, match=rf"{taken.node} \(node\).*--free-ports"):
            taken.require_free()


def test_a_folder_keeps_its_ports_and_its_pool(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert folder.load() is None
    folder.save(PORTS, 7)
    assert folder.load() == (PORTS, 7)


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    with pytest.raises(StackError, match="holds no stack"):
        Folder(tmp_path).load()
    (tmp_path / "stack.json").write_text('{"ports": {"telegraph": 1}, "pool": 1}')
    with pytest.raises(StackError, match="not of this version"):
        Folder(tmp_path).load()


def test_help_says_what_it_does_without_a_chain() -> None:
    asked = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"})
    assert asked.exit_code == 0
    assert "127.0.0.1 alone" in asked.output


def test_prometheus_scrapes_the_stack_s_own_ports(tmp_path: Path) -> None:
    settings = yaml.safe_load(write_prometheus(tmp_path, PORTS).read_text())
    targets = [each["static_configs"][0]["targets"] for each in settings["scrape_configs"]]
    assert targets == [["127.0.0.1:7"], ["127.0.0.1:9"], ["127.0.0.1:10"]]
    assert (tmp_path / "alerts.yml").exists()


def test_grafana_finds_prometheus_and_the_dashboards(tmp_path: Path) -> None:
    provisioning = write_grafana(tmp_path, PORTS)
    (source,) = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())[
        "datasources"
    ]
    assert source["url"] == "http://127.0.0.1:12"
    (provider,) = yaml.safe_load((provisioning / "dashboards/streamrp2p.yml").read_text())[
        "providers"
    ]
    assert list(Path(provider["options"]["path"]).glob("*.json"))


def test_encoders_are_taken_on_loopback_alone(tmp_path: Path) -> None:
    text = nginx_settings(tmp_path, 3, {"live": 4})
    assert "listen 127.0.0.1:3;" in text
    assert "http://127.0.0.1:4/nginx;" in text
    assert ":8090" not in text
