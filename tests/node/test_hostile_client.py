"""A real node among clients that mean it no good: they get refusals and no file, and a healthy viewer is served."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from streamrp2p.api import SESSION_HEADER
from tests.node.fake_origin import FakeOrigin
from tests.node.fakes import POOL, FakeCoordinator, make_pool
from tests.node.servers import NodeProcess, coordinator_answers, origin_answers, serving
from tests.node.test_process import Setting

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    coordinator = FakeCoordinator(time.time, genesis=int(time.time()) - 15, epoch_seconds=600)
    origin = FakeOrigin()
    folder: Path = tmp_path_factory.mktemp("hostile") / "node"
    with (
        serving(origin_answers(origin)) as origin_url,
        serving(coordinator_answers(coordinator)) as coordinator_url,
    ):
        coordinator.pools = [make_pool(origin_url)]
        node = NodeProcess(folder, coordinator_url, ("--max-connections", "100"))
        node.prepare()
        try:
            node.start()
            yield Setting(coordinator, origin, node)
        finally:
            node.stop()


def exchange(port: int, sent: bytes) -> tuple[int, bytes]:
    """Send bytes as they are, which no well-kept client would; status and body."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(sent)
        answer = b""
        while data := client.recv(65_536):
            answer += data
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), body


@pytest.mark.parametrize(
    "path",
    [
        f"/v1/streams/{POOL}/../../../../etc/passwd",
        f"/v1/streams/{POOL}/..%2f..%2f..%2fetc/passwd",
        f"/v1/streams/{POOL}/..%2f..%2f..%2fetc%2fpasswd",
        f"/v1/streams/{POOL}/%2e%2e%2fnode.keystore.json",
        f"/v1/streams/{POOL}/..%5cnode.keystore.json",
        f"/v1/streams/{POOL}/%252e%252e%252fnode.keystore.json",
        f"/v1/streams/{POOL}/%00",
        f"/v1/streams/{POOL}/source-0.m4s%00.jpg",
        f"/v1/streams/{POOL}/source%0d%0aSet-Cookie:a.m4s",
        f"/v1/streams/{POOL}/%ff%fe.m4s",
        f"/v1/streams/{POOL}/..m3u8",
        f"/v1/streams/{POOL}/..%2fsource.m3u8",
        f"/v1/streams/{POOL}/" + "a" * 8000 + ".m4s",
        f"/v1/streams/{POOL}/" + "a" * 8000 + ".m3u8",
        "/v1/streams/..%2f..%2f/source-0.m4s",
        "/v1/streams/" + "9" * 8000 + "/source-0.m4s",
        "/..%2f..%2fetc/passwd",
    ],
)
def test_no_path_leads_out_of_what_the_playlist_names(setting: Setting, path: str) -> None:
    ticket = setting.ticket(time.time_ns() % 2**32)
    asked = len(setting.origin.requests)
    status, body = exchange(
        setting.node.port,
        f"GET {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n"
        f"{SESSION_HEADER}: 0x{ticket.session_id.hex()}\r\n\r\n".encode(),
    )
    assert status == 404
    assert json.loads(body)["status"] == 404
    # Nor does it lead anywhere at the origin.
    assert all(".." not in name and len(name) < 100 for name in setting.origin.requests[asked:])


def test_hundreds_of_silent_connections_do_not_keep_a_viewer_out(setting: Setting) -> None:
    address = ("127.0.0.1", setting.node.port)
    with ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(socket.create_connection(address, timeout=60))
        ticket = setting.ticket(1)
        assert setting.get(ticket, "source-0.m4s").status_code == 200
