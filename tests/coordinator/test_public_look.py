"""What the doctor says of a coordinator's public URL: its certificate, and who answers there."""

import json
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from streamrp2p.numbers import Address
from streamrp2p_coordinator.public_look import public
from streamrp2p_coordinator.settings import Settings
from streamrp2p_coordinator.web.examples import config
from tests.support.certificates import Authority
from tests.support.ports import find_free_port

POSTER = Address(bytes.fromhex(str(config()["poster"])[2:]))
NOW = int(time.time())
pytestmark = pytest.mark.integration


class Api(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps(config()).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@contextmanager
def serving(certificate: tuple[Path, Path]) -> Iterator[str]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    with HTTPServer(("127.0.0.1", 0), Api) as server:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"https://localhost:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def look(url: str | None, authority: Authority, poster: Address = POSTER) -> dict[str, str]:
    settings = Settings(
        rpc_url="http://127.0.0.1:1",
        deployment=Path("deployment.json"),
        poster_keystore=Path("poster.json"),
        ticket_signer_keystore=Path("ticket-signer.json"),
        public_url=url,
    )
    trusted = ssl.create_default_context(cafile=str(authority.certificate))
    return {
        found.check: f"{found.level}: {found.advice}"
        for found in public(settings, poster, lambda: NOW, trusted)
    }


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_a_good_certificate_and_this_coordinator_behind_it(authority: Authority) -> None:
    with serving(authority.issue("good", ["localhost"])) as url:
        assert [text[:2] for text in look(url, authority).values()] == ["ok", "ok"]
        other = look(url, authority, Address(b"\x01" * 20))
    assert other["public URL"].startswith("fail: a coordinator of another poster")


@pytest.mark.parametrize(
    ("days", "names", "told"),
    [
        (5, ["localhost"], "warn: its certificate ends in 5 days; renew it"),
        (-0.5, ["localhost"], "fail: nobody trusts the certificate of localhost: certificate has"),
        (30, ["other.example"], "fail: nobody trusts the certificate of localhost: Hostname"),
    ],
)
def test_a_certificate_that_ends_soon_has_ended_or_is_anothers(
    authority: Authority, days: float, names: list[str], told: str
) -> None:
    with serving(authority.issue("bad", names, to_days=days)) as url:
        assert look(url, authority)["public URL's TLS"].startswith(told)


def test_no_url_no_tls_and_nobody_there(authority: Authority) -> None:
    port = find_free_port()
    assert look(None, authority)["public URL"].startswith("warn: public_url is not set")
    plain = look(f"http://127.0.0.1:{port}", authority)
    assert plain["public URL's TLS"].startswith("warn: public_url has no TLS")
    assert plain["public URL"].startswith("fail: no coordinator answers")
    silent = look(f"https://127.0.0.1:{port}", authority)
    assert silent["public URL's TLS"].startswith("fail: nothing speaks TLS at 127.0.0.1")
