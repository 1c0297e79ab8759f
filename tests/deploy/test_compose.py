"""compose.yaml starts what the command line has, and shows to the world what is for the world."""

import re
import tomllib
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.main import get_command
from typer.testing import CliRunner
from uvicorn.middleware.proxy_headers import _TrustedHosts

import streamrp2p_auditor.cli
import streamrp2p_node.cli
from streamrp2p.cli import build_app
from streamrp2p_coordinator.settings import ENVIRONMENT_PREFIX, Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
ACTORS = ("coordinator", "node", "auditor", "signer")


# It imports every actor, which takes longer than a unit test may.
@pytest.mark.integration
@pytest.mark.parametrize("actor", ACTORS)
def test_actors_options_in_compose_exist(actor: str) -> None:
    words = SERVICES[actor]["command"].split()
    at = next(index for index, word in enumerate(words) if word.startswith("--"))
    asked = CliRunner().invoke(build_app(), [*words[:at], "--help"], env={"COLUMNS": "200"})
    assert asked.exit_code == 0, asked.output
    for option in (word for word in words[at:] if word.startswith("--")):
        assert re.search(rf"{option}\b", asked.output), option


# As above.
@pytest.mark.integration
@pytest.mark.parametrize(
    ("actor", "app"), [("node", streamrp2p_node.cli.app), ("auditor", streamrp2p_auditor.cli.app)]
)
def test_what_compose_hands_on_is_an_option_and_counts_as_none_when_empty(
    actor: str, app: typer.Typer, monkeypatch: pytest.MonkeyPatch
) -> None:
    group: Any = get_command(app)
    context = typer.Context(group)
    command = group.get_command(context, SERVICES[actor]["command"].split()[1])
    options = {option.envvar: option for option in command.params}
    for name in SERVICES[actor]["environment"]:
        monkeypatch.setenv(name, "value")
        assert options[name].value_from_envvar(context) == "value"
        monkeypatch.setenv(name, "")
        assert options[name].value_from_envvar(context) is None


def test_images_get_each_package_that_the_wheel_has() -> None:
    # hatchling passes over a folder that is not there.
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    assert [package for package in packages if f"!{package.split('/')[0]}" not in allowed] == []


def test_the_image_has_tools_for_backups_of_its_database() -> None:
    image = (ROOT / "deploy/actor.Containerfile").read_text()
    (server,) = re.findall(r"^postgres:(\d+)", SERVICES["postgres"]["image"])
    assert re.findall(r"postgresql-client-(\d+)", image) == [server]


def test_a_proxy_on_the_host_is_believed_who_its_clients_are() -> None:
    (config,) = COMPOSE["networks"]["default"]["ipam"]["config"]
    gateway = next(ip_network(config["subnet"]).hosts())
    trusted = _TrustedHosts(SERVICES["coordinator"]["environment"]["FORWARDED_ALLOW_IPS"])
    assert str(gateway) in trusted
    assert "203.0.113.7" not in trusted
    # A node sees all viewers come from there, and bounds nobody for it.
    assert "--max-connections-per-address 0 " in SERVICES["node"]["command"]


def test_settings_in_compose_exist() -> None:
    for name in SERVICES["coordinator"]["environment"].keys() - {"FORWARDED_ALLOW_IPS"}:
        assert name.removeprefix(ENVIRONMENT_PREFIX).lower() in Settings.model_fields


def test_prometheus_scrapes_where_the_actors_show_their_metrics() -> None:
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    targets = {
        job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]
    }
    coordinator = SERVICES["coordinator"]["environment"]["STREAMRP2P_COORDINATOR_METRICS_PORT"]
    ports = {"coordinator": coordinator} | {
        actor: SERVICES[actor]["command"].split("--metrics-port ")[1].split()[0]
        for actor in ("node", "auditor", "signer")
    }
    assert targets == {actor: [f"{actor}:{port}"] for actor, port in ports.items()}


def test_what_is_for_the_operator_alone_is_not_published() -> None:
    published = {name: service.get("ports", []) for name, service in SERVICES.items()}
    assert published["coordinator"] == ["127.0.0.1:8100:8100"]
    assert published["node"] == ["127.0.0.1:8200:8200"]
    assert published["web"] == ["127.0.0.1:8300:8300"]
    assert published["signer"] == ["127.0.0.1:8500:8500"]
    assert published["auditor"] == published["postgres"] == []
    for name in ("prometheus", "grafana"):
        assert all(port.startswith("127.0.0.1:") for port in published[name]), name


def test_a_database_without_a_password_is_on_a_network_of_its_own() -> None:
    assert COMPOSE["networks"]["database"] == {"internal": True}
    on_it = [
        name for name, service in SERVICES.items() if "database" in service.get("networks", [])
    ]
    assert on_it == ["postgres", "coordinator"]
    assert SERVICES["postgres"]["networks"] == ["database"]
