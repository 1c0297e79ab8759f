"""Looks at real servers on loopback, good and bad, and what must never be connected to."""

import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from streamrp2p import api
from streamrp2p.numbers import Address, Hash
from streamrp2p.reachability import NodeIdentity
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import Domain
from streamrp2p_coordinator.outside import addresses, connections, look
from streamrp2p_coordinator.outside.look import Outside
from streamrp2p_coordinator.services import address_if_up
from tests.coordinator.actors import known_key
from tests.support.certificates import Authority
from tests.support.ports import find_free_port

DOMAIN = Domain(31337, Address(b"\x22" * 20))
KEY, OTHER_KEY = known_key(3), known_key(4)
NODE = address_of(KEY)
NOW = 1_800_000_000
NOT_READY = b'{"type":"urn:streamrp2p:problem:not-ready","title":"","status":503,"detail":"wait"}'
Answer = tuple[int, dict[str, str], bytes]


def identity(nonce: bytes, *, key: bytes = KEY, signed_at: int = NOW, **changed: Any) -> bytes:  # noqa: ANN401
    message = NodeIdentity(address_of(key), Hash(nonce), signed_at)
    signed = api.SignedIdentity(
        identity=api.NodeIdentity(
            node=changed.get("node", message.node), nonce=nonce, signed_at=signed_at
        ),
        signature=sign(message.digest(changed.get("domain", DOMAIN)), key),
    )
    return signed.model_dump_json(by_alias=True).encode()


@contextmanager
def serving(
    respond: Callable[[bytes], Answer], certificate: tuple[Path, Path] | None = None
) -> Iterator[int]:
    """Answer `GET /v1/identity` with `respond(nonce)` on loopback; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            nonce = bytes.fromhex(query.get("nonce", ["0x"])[0][2:])
            status, headers, body = respond(nonce)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass  # Half of these tests hang up.

    server = Server(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        # The handshake is made by the thread of the connection: one that fails must not stop the server.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def good(nonce: bytes) -> Answer:
    return 200, {}, identity(nonce)


def look_at(endpoint: str, *, local: bool = True) -> list[api.CheckStep]:
    return Outside(DOMAIN, lambda: NOW, allow_local_networks=local).look(NODE, endpoint)


def last(endpoint: str, *, local: bool = True) -> tuple[str, bool, str]:
    steps = look_at(endpoint, local=local)
    assert all(step.ok for step in steps[:-1])
    assert steps[-1].ok or steps[-1].fix
    return steps[-1].step, steps[-1].ok, steps[-1].code


@pytest.mark.integration
def test_a_good_node_passes_every_step() -> None:
    with serving(good) as port:
        steps = look_at(f"http://127.0.0.1:{port}")
    assert [(step.step, step.ok, step.code) for step in steps] == [
        ("endpoint", True, "ok"),
        ("dns", True, "ok"),
        ("tcp", True, "ok"),
        ("tls", True, "not-encrypted"),
        ("identity", True, "ok"),
        ("clock", True, "ok"),
    ]


@pytest.mark.integration
@pytest.mark.parametrize(
    ("respond", "code"),
    [
        (lambda nonce: (200, {}, identity(nonce, key=OTHER_KEY)), "other-node"),
        (lambda nonce: (200, {}, identity(nonce, key=OTHER_KEY, node=NODE)), "identity-not-proven"),
        (lambda nonce: (200, {}, identity(bytes(32))), "identity-not-proven"),
        (
            lambda nonce: (200, {}, identity(nonce, domain=Domain(1, DOMAIN.epoch_book))),
            "identity-not-proven",
        ),
        (lambda nonce: (200, {}, b"<html>Router login</html>"), "not-a-node"),
        (lambda nonce: (200, {}, b"x" * 100_000), "not-a-node"),
        (lambda nonce: (200, {"Content-Length": "99999999999"}, b""), "not-a-node"),
        (lambda nonce: (200, {"Content-Encoding": "gzip"}, b"\x1f\x8b"), "not-a-node"),
        (lambda nonce: (404, {}, b""), "not-a-node"),
        (lambda nonce: (401, {}, b"\x1b[2Jlogin"), "not-a-node"),
        (lambda nonce: (301, {"Location": "http://169.254.169.254/"}, b""), "http-redirect"),
        (lambda nonce: (502, {}, b""), "http-bad-gateway"),
        (lambda nonce: (500, {}, b""), "http-unavailable"),
        (
            lambda nonce: (503, {}, NOT_READY),
            "node-not-ready",
        ),
    ],
)  # fmt: skip
def test_what_answers_and_is_not_this_node_is_named(
    respond: Callable[[bytes], Answer], code: str
) -> None:
    with serving(respond) as port:
        assert last(f"http://127.0.0.1:{port}") == ("identity", False, code)


@pytest.mark.integration
@pytest.mark.parametrize("seconds", [-61, 61])
def test_a_wrong_clock_is_named(seconds: int) -> None:
    with serving(lambda nonce: (200, {}, identity(nonce, signed_at=NOW + seconds))) as port:
        steps = look_at(f"http://127.0.0.1:{port}")
    assert (steps[-1].step, steps[-1].ok, steps[-1].code) == ("clock", False, "clock-wrong")
    assert "61 s" in steps[-1].detail


@pytest.mark.integration
def test_a_port_without_a_listener_is_refused() -> None:
    assert last(f"http://127.0.0.1:{find_free_port()}") == ("tcp", False, "tcp-refused")


@pytest.mark.integration
def test_a_port_that_drops_packets_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "CONNECT_SECONDS", 0.2)
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        # A queue that is full: the kernel drops what else would connect.
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            with suppress(BlockingIOError):
                waiting.connect(full.getsockname())
        found = last(f"http://127.0.0.1:{full.getsockname()[1]}")
    assert found == ("tcp", False, "tcp-timeout")


@pytest.mark.integration
@pytest.mark.parametrize("speaks", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"SSH-2.0-OpenSSH\r\n"])
def test_a_server_that_drips_or_is_silent_holds_nobody_up(
    speaks: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look, "HTTP_SECONDS", 0.6)
    stop = threading.Event()

    def drip(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    connection.sendall(speaks)
                    while not stop.wait(0.1):
                        connection.sendall(b"a" if speaks.startswith(b"HTTP") else b"")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=[listener], daemon=True)
        thread.start()
        started = time.monotonic()
        found = last(f"http://127.0.0.1:{listener.getsockname()[1]}")
        seconds = time.monotonic() - started
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)
    assert found == ("identity", False, "http-no-answer")
    assert seconds < 10


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Make an authority that the coordinator knows."""
    made = Authority(tmp_path)
    context = httpx.create_ssl_context
    monkeypatch.setattr(
        httpx, "create_ssl_context", lambda: context(cafile_of(made), trust_env=False)
    )
    return made


def cafile_of(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=os.fspath(authority.certificate))


@pytest.mark.integration
@pytest.mark.parametrize(
    ("names", "options", "code"),
    [
        (["127.0.0.1"], {"from_days": -9, "to_days": -1}, "tls-expired"),
        (["127.0.0.1"], {"from_days": 1}, "tls-not-yet-valid"),
        (["192.0.2.1"], {}, "tls-wrong-name"),
        (["node.example"], {}, "tls-wrong-name"),
        (["127.0.0.1"], {"is_self_signed": True}, "tls-self-signed"),
    ],
)
def test_a_bad_certificate_is_named(
    names: list[str], options: dict[str, Any], code: str, authority: Authority
) -> None:
    with serving(good, authority.issue("node", names, **options)) as port:
        assert last(f"https://127.0.0.1:{port}") == ("tls", False, code)


@pytest.mark.integration
def test_a_good_certificate_passes(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamrp2p.deadline._tls", lambda: cafile_of(authority))
    with serving(good, authority.issue("node", ["127.0.0.1"])) as port:
        steps = look_at(f"https://127.0.0.1:{port}")
    assert [step.code for step in steps] == ["ok"] * 6


@pytest.mark.integration
def test_an_unknown_authority_is_named(tmp_path: Path) -> None:
    with serving(good, Authority(tmp_path).issue("node", ["127.0.0.1"])) as port:
        assert last(f"https://127.0.0.1:{port}") == ("tls", False, "tls-incomplete-chain")


@pytest.mark.integration
def test_https_at_a_port_without_tls_is_named() -> None:
    with serving(good) as port:
        assert last(f"https://127.0.0.1:{port}") == ("tls", False, "tls-broken")


@pytest.mark.integration
def test_http_at_a_port_with_tls_is_named(authority: Authority) -> None:
    with serving(good, authority.issue("node", ["127.0.0.1"])) as port:
        step, ok, code = last(f"http://127.0.0.1:{port}")
    assert (step, ok) == ("identity", False)
    assert code in ("http-no-answer", "not-a-node")


@pytest.mark.integration
@pytest.mark.parametrize(
    "endpoint",
    [
        "http://127.0.0.1:8200",
        "http://127.1:8200",
        "http://2130706433:8200",
        "http://0x7f000001:8200",
        "http://0177.0.0.1:8200",
        "http://[::1]:8200",
        "http://[::ffff:127.0.0.1]:8200",
        "http://0.0.0.0:8200",
        "http://[::]:8200",
        "http://10.0.0.1:8200",
        "http://192.168.1.1",
        "http://172.16.0.1",
        "http://169.254.169.254",
        "http://100.64.0.1:8200",
        "http://224.0.0.1:8200",
        "http://[fe80::1]:8200",
        "http://[fd00::1]:8200",
        "http://[ff02::1]:8200",
        "http://[64:ff9b::a00:1]:8200",
        "http://[2002:c0a8:101::1]:8200",
        "https://localhost:8200",
    ],
)
def test_nothing_that_is_not_public_is_connected_to(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(*_: object, **__: object) -> None:
        raise AssertionError("nothing may be connected to")

    monkeypatch.setattr(socket, "create_connection", connect)
    assert last(endpoint, local=False) == ("dns", False, "address-not-public")
    assert address_if_up(endpoint) is None


@pytest.mark.integration
def test_a_node_is_where_it_answered_its_health_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolved(host: str, port: int, **_: bool) -> list[str]:
        assert host == "node.example"
        return ["127.0.0.2", "127.0.0.1"]

    monkeypatch.setattr(addresses, "judged_addresses", resolved)
    with serving(lambda _: (200, {}, b"")) as port:
        endpoint = f"http://node.example:{port}"
        assert address_if_up(endpoint, allow_local_networks=True) == "127.0.0.1"
    assert address_if_up(endpoint, allow_local_networks=True) is None


@pytest.mark.parametrize("port", [1, 22, 25, 79, 81, 442, 444, 1023])
def test_ports_of_other_services_are_refused(port: int) -> None:
    endpoint = f"http://127.0.0.1:{port}"
    assert last(endpoint) == ("endpoint", False, "port-not-allowed")
    assert address_if_up(endpoint, allow_local_networks=True) is None


def named(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let the name servers give each look-up the next of these answers; returns the list of look-ups."""
    asked: list[str] = []

    def answer(host: str, port: int, **_: object) -> list[Any]:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


def test_one_private_address_among_public_ones_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named(monkeypatch, ["8.8.8.8", "10.0.0.1"])
    assert last("http://node.example", local=False) == ("dns", False, "address-not-public")


def test_a_name_that_changes_after_it_was_judged_leads_nowhere_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = named(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
    connected: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket, "create_connection", connect)
    assert last("http://node.example:8200", local=False) == ("tcp", False, "tcp-refused")
    assert (asked, connected) == (["node.example"], [("8.8.8.8", 8200)])


@pytest.mark.integration
def test_every_connection_of_a_look_goes_to_the_judged_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving(good) as port:
        judged = addresses.judged_addresses

        def once(host: str, port: int, **options: bool) -> list[str]:
            assert host == "node.example"
            return judged("127.0.0.1", port, **options)

        monkeypatch.setattr(look, "judged_addresses", once)
        # No name server knows node.example: a second look-up would fail.
        steps = look_at(f"http://node.example:{port}")
    assert [step.step for step in steps if step.ok] == [
        "endpoint", "dns", "tcp", "tls", "identity", "clock",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "dns-unknown"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "dns-failed"),
        (UnicodeError("label too long"), "dns-unknown"),
    ],
)
def test_a_name_without_an_address_is_named(
    error: Exception, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert last("http://node.example") == ("dns", False, code)


def test_a_name_with_very_many_addresses_is_looked_at_in_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named(monkeypatch, [f"8.8.8.{number}" for number in range(200)])
    found = addresses.judged_addresses("node.example", 80, allow_local_networks=False)
    assert found == ["8.8.8.0", "8.8.8.1", "8.8.8.2", "8.8.8.3"]
