"""The corrupting relay's public face: honest at first, then one byte wrong in each segment."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest

from streamrp2p_demo.adversaries.corrupting_proxy import (
    ObjectLedger,
    ServedObject,
    command,
    flip_byte,
    is_object,
    read_ledger,
)
from streamrp2p_demo.ports import free_ports
from streamrp2p_demo.processes import Supervisor
from tests.support.loopback import http_server

SEGMENT = bytes(range(100))


def test_a_flipped_segment_keeps_its_length_and_differs_in_one_byte() -> None:
    flipped = flip_byte(SEGMENT)

    assert len(flipped) == 100
    assert [at for at in range(100) if flipped[at] != SEGMENT[at]] == [50]


def test_an_empty_body_stays_empty() -> None:
    assert flip_byte(b"") == b""


@pytest.mark.parametrize(
    ("method", "path", "status", "expected"),
    [
        ("GET", "/v1/streams/1/seg-7.ts", 200, True),
        ("GET", "/v1/streams/1/live.m3u8", 200, False),
        ("GET", "/v1/streams/1/source.m3u8", 200, False),
        ("GET", "/v1/streams/1/path", 200, False),
        ("GET", "/v1/streams/1/seg-7.ts", 402, False),
        ("GET", "/healthz", 200, False),
        ("POST", "/v1/streams/1/seg-7.ts", 200, False),
    ],
)
def test_only_delivered_segments_are_corrupted(
    method: str, path: str, status: int, expected: bool
) -> None:
    assert is_object(method, path, status) is expected


def test_the_ledger_tells_honest_from_corrupt_segments(tmp_path: Path) -> None:
    ledger = ObjectLedger(tmp_path / "served.jsonl", honest_objects=1)

    assert ledger.judge("0xaa", "a.ts", SEGMENT) == SEGMENT
    assert ledger.judge("0xbb", "b.ts", SEGMENT) == flip_byte(SEGMENT)

    assert read_ledger(ledger.path) == [
        ServedObject("0xaa", "a.ts", 100, is_corrupt=False),
        ServedObject("0xbb", "b.ts", 100, is_corrupt=True),
    ]


def test_a_line_that_is_being_written_is_not_read_yet(tmp_path: Path) -> None:
    ledger = ObjectLedger(tmp_path / "served.jsonl", honest_objects=1)
    ledger.judge("0xaa", "a.ts", SEGMENT)
    with ledger.path.open("a") as file:
        file.write('{"session_id": "0xb')

    assert len(read_ledger(ledger.path)) == 1


def test_a_proxy_that_served_nothing_has_an_empty_ledger(tmp_path: Path) -> None:
    assert read_ledger(tmp_path / "none.jsonl") == []


class Relay(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer(200, SEGMENT)

    def do_POST(self) -> None:
        self.answer(200, self.rfile.read(int(self.headers["Content-Length"])))

    def do_OPTIONS(self) -> None:
        self.answer(200, b"")

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def relay() -> Iterator[str]:
    with http_server(Relay) as url:
        yield url


@pytest.mark.integration
def test_a_running_proxy_passes_all_but_segments_unchanged(relay: str, tmp_path: Path) -> None:
    port = free_ports(1)[0]
    ledger = tmp_path / "served.jsonl"
    with Supervisor(tmp_path) as supervisor:
        supervisor.start("proxy", command(port, relay, ledger, honest_objects=1))
        transport = httpx.HTTPTransport(retries=20)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport) as client:
            assert client.get("/v1/streams/1/live.m3u8").content == SEGMENT
            headers = {"StreamrP2P-Session": "0xaa"}
            assert client.get("/v1/streams/1/a.ts", headers=headers).content == SEGMENT
            assert client.get("/v1/streams/1/b.ts", headers=headers).content == flip_byte(SEGMENT)
            assert client.post("/v1/receipts", content=b"signed").content == b"signed"
            assert client.options("/v1/receipts").headers["Access-Control-Allow-Origin"] == "*"

    assert [(entry.session_id, entry.is_corrupt) for entry in read_ledger(ledger)] == [
        ("0xaa", False),
        ("0xaa", True),
    ]


@pytest.mark.integration
def test_a_proxy_whose_relay_is_down_says_so(tmp_path: Path) -> None:
    port, nobody = free_ports(2)
    with Supervisor(tmp_path) as supervisor:
        supervisor.start(
            "proxy",
            command(
                port, f"http://127.0.0.1:{nobody}", tmp_path / "served.jsonl", honest_objects=0
            ),
        )
        transport = httpx.HTTPTransport(retries=20)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport) as client:
            assert client.get("/v1/streams/1/a.ts").status_code == 502
