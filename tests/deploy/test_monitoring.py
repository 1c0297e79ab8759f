"""Dashboards and alerts ask for metrics that there are, in a language that Prometheus understands."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.generators.metrics import registries, shown

ROOT = Path(__file__).parents[2]
ALERTS = ROOT / "deploy/prometheus/alerts.yml"
DASHBOARDS = sorted((ROOT / "deploy/grafana/dashboards").glob("*.json"))
TARGET_LABELS = {"job", "instance", "le"}
"""Prometheus' own, and the histograms'."""
METRIC = re.compile(r"\b(up|(?:streamrp2p|process)_[a-z_]+)\b(?:\{([^}]*)\})?")


def known_metrics() -> dict[str, set[str]]:
    """Return each sample's name with its labels."""
    found = {"up": set[str]()}
    for registry in registries().values():
        for one in shown(registry):
            suffixes = ("_bucket", "_sum", "_count") if one.kind == "histogram" else ("",)
            found |= {one.name + suffix: set(one.labels) for suffix in suffixes}
    return found


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(file.read_text())["panels"]
    return found


def queries(file: Path) -> list[str]:
    return [
        target["expr"].replace("$__rate_interval", "5m").replace("$actor", file.stem)
        for panel in panels(file)
        for target in panel["targets"]
    ]


def all_queries() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    for file in DASHBOARDS:
        yield from queries(file)


def test_each_metric_and_label_that_is_asked_for_exists() -> None:
    known = known_metrics()
    asked = list(all_queries())
    assert len(asked) > 70
    for query in asked:
        metrics = METRIC.findall(query)
        assert metrics, query
        labels = set.union(*(known[name] for name, _ in metrics)) | TARGET_LABELS
        for name, selector in metrics:
            selected = set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", selector))
            assert selected <= known[name] | TARGET_LABELS, query
        for grouped in re.findall(r"\b(?:by|on) \(([^)]*)\)", query):
            assert {label.strip() for label in grouped.split(",")} <= labels, query


def test_legends_and_texts_name_labels_that_exist() -> None:
    known = known_metrics()
    for file in DASHBOARDS:
        for panel in panels(file):
            for target in panel["targets"]:
                metrics = METRIC.findall(target["expr"])
                labels = set.union(*(known[name] for name, _ in metrics)) | TARGET_LABELS
                assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= labels, target
    for rule in rules():
        metrics = METRIC.findall(rule["expr"])
        labels = set.union(*(known[name] for name, _ in metrics)) | TARGET_LABELS
        text = " ".join(rule["annotations"].values())
        assert set(re.findall(r"\$labels\.(\w+)", text)) <= labels, rule


@pytest.mark.parametrize("actor", ["coordinator", "node", "auditor", "signer"])
def test_every_metric_of_an_actor_is_on_its_dashboard_or_in_an_alert(actor: str) -> None:
    asked = " ".join(all_queries())
    unseen = [
        one.name
        for one in shown(registries()[actor])
        if one.name.startswith("streamrp2p_") and one.name not in asked
    ]
    # Of these a rate or a number is shown that says the same.
    assert set(unseen) <= {
        f"streamrp2p_{actor}_{name}"
        for name in ("block", "epochs", "registrations_pending", "unsent_bytes_total", "fetched_objects_total")
    }  # fmt: skip


def test_every_alert_says_how_urgent_it_is_and_what_to_do() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names)) >= 20
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "warn"), rule
        assert set(rule["annotations"]) == {"summary", "action"}, rule


def test_panels_lie_side_by_side_and_have_names_of_their_own() -> None:
    assert [file.stem for file in DASHBOARDS] == ["auditor", "coordinator", "node", "signer"]
    for file in DASHBOARDS:
        found = panels(file)
        assert len({panel["title"] for panel in found}) == len(found)
        assert len({panel["id"] for panel in found}) == len(found)
        places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in found}
        assert len(places) == len(found)
        assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in found)


def promtool(*arguments: str | Path) -> str:
    if shutil.which("promtool") is None:
        pytest.fail(
            "promtool is missing: make system-packages (as root), or apt install prometheus",
            pytrace=False,
        )
    run = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_each_actor_that_is_scraped_is_told_of_when_it_is_down() -> None:
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    watched = {f'up{{job="{job["job_name"]}"}} == 0' for job in config["scrape_configs"]}
    assert watched == {rule["expr"] for rule in rules() if rule["alert"].endswith("Down")}


@pytest.mark.integration
def test_prometheus_takes_its_settings_and_the_alerts_go_off_when_they_should() -> None:
    assert "29 rules found" in promtool(
        "check", "config", ROOT / "deploy/prometheus/prometheus.yml"
    )
    assert "SUCCESS" in promtool("test", "rules", ROOT / "deploy/prometheus/alerts_test.yml")


@pytest.mark.integration
def test_prometheus_understands_what_the_dashboards_ask(tmp_path: Path) -> None:
    asked = [query for file in DASHBOARDS for query in queries(file)]
    records = [{"record": f"panel:{number}", "expr": one} for number, one in enumerate(asked)]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": records}]}))
    assert f"{len(asked)} rules found" in promtool("check", "rules", file)
