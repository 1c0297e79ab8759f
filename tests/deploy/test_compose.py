"""compose.yaml starts what the command line has, and shows to the world what is for the world."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from streamrp2p.cli import build_app
from streamrp2p_coordinator.settings import ENVIRONMENT_PREFIX, Settings

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
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


def test_settings_in_compose_exist() -> None:
    for name in SERVICES["coordinator"]["environment"]:
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
    assert published["coordinator"] == ["8100:8100"]
    assert published["node"] == ["8200:8200"]
    assert published["web"] == ["8300:8300"]
    assert published["signer"] == ["127.0.0.1:8500:8500"]
    assert published["auditor"] == published["postgres"] == []
    for name in ("prometheus", "grafana"):
        assert all(port.startswith("127.0.0.1:") for port in published[name]), name


def test_a_database_without_a_password_is_on_a_network_of_its_own() -> None:
    networks = yaml.safe_load((ROOT / "compose.yaml").read_text())["networks"]
    assert networks["database"] == {"internal": True}
    on_it = [
        name for name, service in SERVICES.items() if "database" in service.get("networks", [])
    ]
    assert on_it == ["postgres", "coordinator"]
    assert SERVICES["postgres"]["networks"] == ["database"]
