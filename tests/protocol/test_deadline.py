"""A server that drips its answer, headers too, is left in time."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpcore
import pytest

from streamrp2p.http_api import HttpApi, UnreachableError
from streamrp2p.node_client import NodeClient

pytestmark = pytest.mark.integration

DRIPS = 40
DRIP_SECONDS = 0.1


@contextmanager
def server(*, beginning: bytes, drip: bytes = b"", end: bytes = b"") -> Iterator[str]:
    """Answer each connection with `beginning`, then DRIPS times with `drip`, then with `end`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer(connection: socket.socket) -> None:
            with connection:
                connection.recv(65_536)
                try:
                    connection.sendall(beginning)
                    for _ in range(DRIPS if drip else 0):
                        time.sleep(DRIP_SECONDS)
                        connection.sendall(drip)
                    connection.sendall(end)
                except OSError:
                    return

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=[connection], daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("beginning", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n", b""])
def test_answer_that_drips_is_left_when_its_time_is_over(beginning: bytes) -> None:
    with server(beginning=beginning, drip=b"H") as url, HttpApi(url, timeout_seconds=1.0) as http:
        began = time.monotonic()
        with pytest.raises(UnreachableError, match="did not answer in time"):
            http.exchange("GET", "/x", max_seconds=0.3)
        assert time.monotonic() - began < DRIPS * DRIP_SECONDS / 2


def test_name_with_many_silent_addresses_takes_no_longer_than_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def connect_tcp(
        _: object, _host: str, _port: int, timeout: float, *rest: object
    ) -> httpcore.NetworkStream:
        time.sleep(timeout)
        raise httpcore.ConnectTimeout

    addresses = [(socket.AF_INET, 0, 0, "", (f"192.0.2.{last}", 1)) for last in range(100)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses)
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect_tcp)
    with HttpApi("http://many.example:1", timeout_seconds=0.2) as http:
        began = time.monotonic()
        with pytest.raises(UnreachableError):
            http.exchange("GET", "/x", max_seconds=0.5)
        assert time.monotonic() - began < 2.0


def test_name_is_reached_at_the_address_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    with server(beginning=whole) as url:
        port = int(url.rsplit(":", 1)[1])
        addresses = [
            (socket.AF_INET, 0, 0, "", (host, port)) for host in ("127.0.0.2", "127.0.0.1")
        ]
        real = socket.getaddrinfo
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda host, *rest, **more: (
                addresses if host == "two.example" else real(host, *rest, **more)
            ),
        )
        with HttpApi(f"http://two.example:{port}") as http:
            assert http.exchange("GET", "/x").body == b"hi"


@pytest.mark.parametrize("beginning", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_node_that_drips_its_health_is_not_healthy(beginning: bytes) -> None:
    with (
        server(beginning=beginning, drip=b"H") as url,
        NodeClient(url, timeout_seconds=0.3) as node,
    ):
        began = time.monotonic()
        assert not node.is_healthy()
        assert time.monotonic() - began < DRIPS * DRIP_SECONDS / 2


def test_each_exchange_has_its_own_time() -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    with server(beginning=whole) as url, HttpApi(url) as http:
        assert http.exchange("GET", "/x", max_seconds=0.2).body == b"hi"
        time.sleep(0.3)
        assert http.exchange("GET", "/x", max_seconds=5.0).body == b"hi"
