"""Ways to nodes: through proxies by the address that was judged, and into no private network."""

import socketserver
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from threading import Thread

import httpx
import pytest

from streamrp2p_coordinator.errors import ConfigurationError
from streamrp2p_coordinator.probing.routes import routes
from tests.support.loopback import http_server
from tests.support.ports import find_free_port


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.headers["Host"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def asked() -> list[bytes]:
    return []


@pytest.fixture
def proxy(asked: list[bytes]) -> Iterator[str]:
    """Run a proxy that opens a tunnel, but answers one request itself as if it were at its end."""

    class Tunnel(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            head = b"".join(iter(self.rfile.readline, b"\r\n"))
            asked.append(head)
            if b"Basic " not in head:
                self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
                return
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            asked.append(b"".join(iter(self.rfile.readline, b"\r\n")))
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tunnel) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.integration
def test_a_proxy_hears_an_address_and_the_node_hears_nothing_of_the_proxy(
    proxy: str, asked: list[bytes]
) -> None:
    (route,) = routes([f"http://me:pass%20word@{proxy}"], allow_local_networks=True)
    with httpx.Client(transport=route()) as client:
        answer = client.get("http://localhost:8123/v1/x")

    secret = b64encode(b"me:pass word")
    connect = b"CONNECT 127.0.0.1:8123 HTTP/1.1\r\nHost: 127.0.0.1:8123\r\n"
    assert answer.text == "hi"
    assert asked[0].replace(b"[::1]", b"127.0.0.1") == (
        connect + b"Proxy-Authorization: Basic " + secret + b"\r\n"
    )
    assert asked[1].startswith(b"GET /v1/x HTTP/1.1\r\nHost: localhost:8123\r\n")
    assert b"roxy" not in asked[1]


@pytest.mark.integration
def test_a_proxy_that_refuses_or_is_gone_is_a_failed_connection(proxy: str) -> None:
    ways = routes(
        [f"http://{proxy}", f"http://127.0.0.1:{find_free_port()}"], allow_local_networks=True
    )
    for route in ways:
        with httpx.Client(transport=route()) as client, pytest.raises(httpx.ConnectError):
            client.get("http://127.0.0.1:8123/")


@pytest.mark.integration
def test_no_way_leads_into_a_private_network(proxy: str, asked: list[bytes]) -> None:
    with http_server(Server) as url:
        for proxies in ([], [f"http://me:word@{proxy}"]):
            (route,) = routes(proxies, allow_local_networks=False)
            with httpx.Client(transport=route()) as client, pytest.raises(httpx.ConnectError):
                client.get(url)
        (route,) = routes([], allow_local_networks=True)
        with httpx.Client(transport=route()) as client:
            assert client.get(url).text == url.removeprefix("http://")
    assert asked == []


@pytest.mark.parametrize("url", ["socks5://127.0.0.1:1080", "127.0.0.1:3128", "ftp://a.example"])
def test_a_bad_proxy_is_refused_without_telling_its_text(url: str) -> None:
    with pytest.raises(ConfigurationError, match="a proxy for probes is like") as caught:
        routes([url], allow_local_networks=False)
    assert url not in str(caught.value)
