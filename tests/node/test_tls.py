"""A real node with a certificate of its own: viewers and commands reach it, and a renewal drops nobody."""

import json
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from streamrp2p_node.cli import app
from tests.node.fakes import FakeCoordinator
from tests.node.servers import NodeProcess, coordinator_answers, serving, wait_for
from tests.node.test_process import ends_with
from tests.support.certificates import Authority

pytestmark = pytest.mark.integration

NAME = "node.example.org"
"""The certificate's only name: commands on this machine come by a loopback address all the same."""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def node(tmp_path: Path, authority: Authority) -> Iterator[NodeProcess]:
    certificate, key = authority.issue("node", [NAME])
    tls = ssl.create_default_context(cafile=str(authority.certificate))
    tls.check_hostname = False
    with serving(coordinator_answers(FakeCoordinator(time.time))) as url:
        options = ("--tls-cert", str(certificate), "--tls-key", str(key))
        made = NodeProcess(tmp_path / "node", url, options, tls=tls)
        made.prepare()
        yield made
        if made.process is not None:
            made.stop()


def status(node: NodeProcess) -> Result:
    arguments = ["status", "--dir", str(node.folder), "--json"]
    return CliRunner().invoke(app, arguments, env={"STREAMRP2P_NODE_DIR": None})


def shown(node: NodeProcess) -> str:
    return ssl.get_server_certificate(("127.0.0.1", node.port))


def test_a_renewed_certificate_is_shown_to_new_viewers_and_drops_none(
    node: NodeProcess, authority: Authority, tmp_path: Path
) -> None:
    node.start()
    assert json.loads(status(node).stdout)["endpoint"] == node.url
    before = shown(node)
    renewed, key = authority.issue("renewed", [NAME])
    with httpx.Client(base_url=node.url, verify=node.tls or False, timeout=20) as viewer:
        stream = viewer.get("/healthz").extensions["network_stream"]
        (tmp_path / "node.pem").write_bytes(renewed.read_bytes())
        (tmp_path / "node.key").write_bytes(key.read_bytes())
        wait_for(lambda: shown(node) == renewed.read_text() != before, node.log.read_text)
        answer = viewer.get("/healthz")
        assert answer.status_code == 200
        assert answer.extensions["network_stream"] is stream
    wait_for(lambda: status(node).exit_code == 0)


def test_a_status_is_not_asked_of_whoever_has_another_certificate(
    node: NodeProcess, authority: Authority
) -> None:
    node.start()
    running = node.folder / "running.json"
    other, _ = authority.issue("other", [NAME])
    told = json.loads(running.read_text())
    running.write_text(json.dumps(told | {"certificate": other.read_text()}))
    assert status(node).exit_code == 3


def test_a_certificate_that_cannot_work_ends_the_node(
    node: NodeProcess, authority: Authority
) -> None:
    certificate, key = authority.issue("old", [NAME], from_days=-9, to_days=-2)
    node.options = ("--tls-cert", str(certificate), "--tls-key", str(key))
    ends_with(node, 2, "expired on", "renew it")
