"""`streamrp2p node check` against a coordinator over HTTP that really asks the endpoint who is there."""

import json
import logging
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from streamrp2p import api
from streamrp2p_coordinator.outside.look import Outside
from streamrp2p_node.check_command import Findings
from streamrp2p_node.cli import app
from streamrp2p_node.local_checks import (
    MIN_FREE_BYTES,
    check_clock,
    check_disk,
    check_name,
    check_port,
    check_seen_from,
)
from streamrp2p_node.outside_check import with_own_advice
from streamrp2p_node.place import Place
from tests.node.fakes import DOMAIN, GENESIS, NODE, FakeCoordinator, make_config
from tests.node.servers import NodeProcess, serving
from tests.support.certificates import Authority
from tests.support.igd import running_router
from tests.support.ports import find_free_port

HERE = Place("0.0.0.0", 8200, 443, "192.168.1.20", "203.0.113.9")  # noqa: S104 - nothing is bound


class Setting:
    """A coordinator on loopback and a node's folder."""

    def __init__(self, folder: Path, coordinator: FakeCoordinator, url: str) -> None:
        self.node = NodeProcess(folder / "node", url)
        self.node.prepare()
        self.coordinator = coordinator

    def check(self, *options: str, endpoint: str | None = "own") -> Result:
        named = self.node.url if endpoint == "own" else endpoint
        return CliRunner().invoke(
            app,
            [
                *("check", "--dir", str(self.node.folder), "--port", str(self.node.port)),
                *("--coordinator", self.node.coordinator_url),
                *("--password-file", str(self.node.folder.with_suffix(".password"))),
                *(("--endpoint", named) if named else ()),
                *options,
            ],
            env={"STREAMRP2P_NODE_DIR": None, "STREAMRP2P_COORDINATOR": None},
        )

    def report(self, *options: str, endpoint: str | None = "own") -> dict[str, Any]:
        result = self.check("--json", *options, endpoint=endpoint)
        report: dict[str, Any] = json.loads(result.stdout)
        return report | {"exit": result.exit_code}


def ask(endpoint: str) -> list[api.CheckStep]:
    """Look at an endpoint as the coordinator does."""
    return Outside(DOMAIN, lambda: int(time.time()), allow_local_networks=True).look(NODE, endpoint)


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Give the log back as it was: the command sets it up for its own process."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def setting(tmp_path: Path) -> Iterator[Setting]:
    coordinator = FakeCoordinator(time.time, look=ask)
    with serving(coordinator.respond) as url:
        yield Setting(tmp_path, coordinator, url)


@pytest.mark.integration
def test_before_the_node_runs_the_check_answers_in_its_place(setting: Setting) -> None:
    report = setting.report()
    assert (report["exit"], report["isReachable"], report["fixes"]) == (0, True, [])
    assert [step["step"] for step in report["steps"]] == [
        "disk", "clock", "port", "name", "endpoint", "dns", "tcp", "tls", "identity", "clock",
    ]  # fmt: skip
    assert "does not run now" in report["steps"][2]["detail"]


@pytest.mark.integration
def test_while_the_node_runs_the_check_asks_it_and_knows_its_endpoint(setting: Setting) -> None:
    try:
        setting.node.start()
        report = setting.report(endpoint=None)
    finally:
        setting.node.stop()
    assert (report["exit"], report["endpoint"]) == (0, setting.node.url)
    assert "the node listens" in report["steps"][2]["detail"]


@pytest.mark.integration
def test_the_check_answers_with_the_nodes_certificate_in_its_place(
    setting: Setting, tmp_path: Path
) -> None:
    certificate, key = Authority(tmp_path).issue("node", ["127.0.0.1"])
    report = setting.report(
        "--tls-cert",
        str(certificate),
        "--tls-key",
        str(key),
        endpoint=f"https://127.0.0.1:{setting.node.port}",
    )
    (tls,) = (step for step in report["steps"] if step["step"] == "tls")
    assert tls["code"] == "tls-incomplete-chain"


@pytest.mark.integration
def test_what_to_fix_is_printed_with_this_machines_port(setting: Setting) -> None:
    elsewhere = f"http://127.0.0.1:{find_free_port()}"
    result = setting.check(endpoint=elsewhere)
    assert result.exit_code == 1
    assert "FIX   tcp" in result.stdout
    assert "To fix, in this order:\n  1. " in result.stdout
    assert f"port {setting.node.port}" in result.stdout.splitlines()[-1]


@pytest.mark.integration
def test_a_port_that_another_program_has_is_told(setting: Setting) -> None:
    with socket.create_server(("127.0.0.1", setting.node.port)):
        report = setting.report()
    assert report["exit"] == 1
    assert report["steps"][-1]["code"] == "port-taken"
    assert f"sport = :{setting.node.port}" in report["fixes"][0]


@pytest.mark.integration
def test_without_a_coordinator_the_local_checks_still_tell(setting: Setting) -> None:
    setting.node.coordinator_url = f"http://127.0.0.1:{find_free_port()}"
    report = setting.report()
    assert (report["exit"], report["isReachable"]) == (3, None)
    assert [step["step"] for step in report["steps"]] == ["disk", "coordinator", "port", "name"]


@pytest.mark.integration
def test_a_coordinator_that_cannot_look_is_told(setting: Setting) -> None:
    setting.coordinator.look = None
    report = setting.report()
    assert (report["exit"], report["steps"][-1]["code"]) == (3, "coordinator-not-asked")


@pytest.mark.integration
def test_a_wrong_clock_is_told(setting: Setting) -> None:
    setting.coordinator.ahead_seconds = 3600
    report = setting.report()
    assert report["exit"] == 1
    assert "timedatectl" in report["fixes"][0]


@pytest.mark.integration
def test_with_upnp_the_router_is_asked_and_the_mapping_is_given_back(setting: Setting) -> None:
    with running_router() as router:
        target = f"127.0.0.1:{router.ssdp_port}"
        report = setting.report("--upnp-router", target)
        assert router.calls.count("AddPortMapping") == 1
        assert router.mappings == {}
        assert (report["exit"], report["isReachable"]) == (0, True)
        router.external_address = "100.64.0.9"
        report = setting.report("--upnp-router", target, endpoint=None)
    assert (report["exit"], report["endpoint"]) == (1, None)
    assert "public IPv4" in report["fixes"][0]


@pytest.mark.integration
@pytest.mark.parametrize(
    ("options", "endpoint"),
    [
        ((), None),
        ((), "node.example"),
        ((), "http://node.example/"),
        (("--tls-key", "node.key"), "https://node.example"),
        ((), "http://user@node.example"),
        (("--upnp-router", "router"), None),
        (("--upnp-router", "8.8.8.8"), None),
        (("--upnp-router", "192.168.1.1:0"), None),
        (("--upnp-router", "192.168.1.1:x"), None),
        (("--dir", "/nowhere"), "http://node.example"),
    ],
)
def test_wrong_options_are_explained(
    options: tuple[str, ...], endpoint: str | None, setting: Setting
) -> None:
    result = setting.check(*options, endpoint=endpoint)
    assert result.exit_code == 2
    assert result.output.startswith("Error: ")
    assert len(result.output.splitlines()) == 1


@pytest.mark.integration
def test_a_node_with_upnp_registers_what_the_router_gave_and_gives_it_back(
    setting: Setting,
) -> None:
    with running_router() as router:
        setting.node.options = ("--upnp-router", f"127.0.0.1:{router.ssdp_port}")
        try:
            setting.node.start()
            deadline = time.monotonic() + 60
            while NODE not in setting.coordinator.nodes and time.monotonic() < deadline:
                time.sleep(0.05)
            assert setting.coordinator.nodes[NODE].endpoint == setting.node.url
            assert list(router.mappings) == [setting.node.port]
        finally:
            setting.node.stop()
        assert router.mappings == {}


def test_advice_names_this_machine_and_its_ports() -> None:
    step = api.CheckStep(step="tcp", ok=False, code="tcp-timeout", detail="silent", fix="?")
    advice = with_own_advice(step, HERE).fix or ""
    assert "TCP port 443" in advice
    assert "192.168.1.20 port 8200" in advice
    assert "--host 0.0.0.0" not in advice
    alone = with_own_advice(step, Place("127.0.0.1", 8200, 443))
    assert "--host 0.0.0.0" in (alone.fix or "")


@pytest.mark.parametrize("code", ["tls-expired", "unheard-of", ""])
def test_advice_that_this_machine_cannot_better_stays(code: str) -> None:
    step = api.CheckStep(step="tls", ok=False, code=code, detail="", fix="renew it")
    assert with_own_advice(step, HERE) == step


@pytest.mark.parametrize(
    ("addresses", "seen_from", "is_told"),
    [
        (["198.51.100.7"], "198.51.100.7", False),
        (["9.9.9.9"], "8.8.8.8", True),
        (["9.9.9.9"], None, False),
        (["9.9.9.9"], "127.0.0.1", False),
        (["9.9.9.9"], "2606:4700::1", False),
        (["2606:4700::1"], "8.8.8.8", False),
    ],
)
def test_an_endpoint_that_leads_elsewhere_is_noted(
    addresses: list[str], seen_from: str | None, is_told: bool
) -> None:
    step = check_seen_from(addresses, seen_from)
    assert (step is not None) == is_told


@pytest.mark.parametrize(("seconds", "is_ok"), [(0, True), (60, True), (-60, True), (62, False)])
def test_clocks_may_differ_by_a_minute(seconds: float, is_ok: bool) -> None:
    assert check_clock(GENESIS + 0.5 + seconds, make_config(GENESIS)).ok is is_ok


def test_a_disk_without_room_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def free(amount: int) -> None:
        monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": amount}))

    free(MIN_FREE_BYTES - 1)
    assert check_disk(tmp_path, tmp_path, 0).code == "disk-full"
    free(MIN_FREE_BYTES + 1000)
    assert check_disk(tmp_path, tmp_path, 1001).code == "disk-small"
    assert check_disk(tmp_path, tmp_path, 1000).code == "ok"
    monkeypatch.undo()
    assert check_disk(tmp_path / "none", tmp_path, 0).code == "folder-unusable"


def test_who_listens_is_told() -> None:
    assert check_port(HERE, is_running=True, is_taken=False).code == "ok"
    assert check_port(HERE, is_running=False, is_taken=True).code == "port-taken"
    local = Place("127.0.0.1", 8200, 8200)
    assert check_port(local, is_running=True, is_taken=False).code == "listens-locally"


@pytest.mark.integration
def test_a_name_without_an_address_is_told() -> None:
    step, addresses = check_name("http://nowhere.invalid")
    assert (step.ok, step.code, list(addresses)) == (False, "dns-unknown", [])
    assert check_name("http://127.0.0.1:1")[0].code == "address-not-public"
    assert check_name("http://8.8.8.8")[0].code == "ok"


def test_the_exit_code_tells_a_no_from_a_perhaps() -> None:
    bad = api.CheckStep(step="tcp", ok=False, code="tcp-timeout", detail="", fix="forward")
    unasked = bad.model_copy(update={"code": "coordinator-not-asked"})
    assert Findings("http://a", [], is_reachable=True).exit_code == 0
    assert Findings("http://a", [bad], is_reachable=False).exit_code == 1
    assert Findings("http://a", [unasked]).exit_code == 3
    assert Findings("http://a", [unasked, bad]).exit_code == 1
