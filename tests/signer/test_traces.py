"""A signer's requests and tickets become spans, if a collector is named, and say nothing that is secret."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from streamrp2p import api
from streamrp2p.signatures import address_of
from streamrp2p_signer.cli import app
from streamrp2p_signer.desk import Desk
from streamrp2p_signer.folder import Folder
from streamrp2p_signer.routes import make_app
from tests.signer.process import Signer
from tests.signer.world import STRANGER_KEY, TICKET_KEY, Told, ask, make_desk, ticket
from tests.support.collector import collecting
from tests.support.ports import find_free_port
from tests.support.secrets import RPC_KEY
from tests.support.spans import KeptTraces, attributes

SECRET = "key-5f0c"
STRANGE_POOL = 987_654_321


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = make_desk(tmp_path, Told())
    with closing(desk.log):
        yield desk


@pytest.fixture
def kept() -> Iterator[KeptTraces]:
    with closing(KeptTraces("signer")) as traces:
        yield traces


def exchange(desk: Desk, kept: KeptTraces, request: httpx.Request) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(make_app(desk, Counter(), kept))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.send(request)

    return asyncio.run(once())


def asking(asked: api.TicketAsk) -> httpx.Request:
    headers = {"X-Request-Id": "0123456789abcdef", "Authorization": f"Bearer {SECRET}"}
    url = f"http://signer/v1/tickets?token={SECRET}"
    return httpx.Request("POST", url, headers=headers, json=asked.dump())


def test_a_signed_ticket_is_a_span_within_its_requests(desk: Desk, kept: KeptTraces) -> None:
    asked = ask(ticket())
    signature = exchange(desk, kept, asking(asked)).json()["signature"]
    request, signed = kept.one("POST /v1/tickets"), kept.one("sign ticket")
    assert attributes(request) == {
        "request.id": "0123456789abcdef",
        "http.response.status_code": 200,
    }
    assert attributes(signed) == {"pool.id": 1, "epoch": 5}
    assert signed.parent == request.context
    assert signed.resource.attributes["service.name"] == "streamrp2p-signer"
    hidden = (SECRET, TICKET_KEY.hex(), signature[2:], ticket().session_id.hex())
    assert [secret for secret in hidden if secret in kept.said()] == []


def test_a_ticket_that_is_refused_is_a_failed_span_with_nothing_that_was_asked(
    desk: Desk, kept: KeptTraces
) -> None:
    asked = ask(ticket(pool_id=STRANGE_POOL), key=STRANGER_KEY)
    assert exchange(desk, kept, asking(asked)).status_code == 403
    refused = kept.one("sign ticket")
    assert (attributes(refused), refused.status.is_ok) == ({}, False)
    assert attributes(kept.one("POST /v1/tickets"))["http.response.status_code"] == 403
    assert [secret for secret in (SECRET, str(STRANGE_POOL)) if secret in kept.said()] == []


def test_a_path_or_method_of_a_strangers_own_makes_no_name(desk: Desk, kept: KeptTraces) -> None:
    exchange(desk, kept, httpx.Request("GET", f"http://signer/{SECRET}"))
    exchange(desk, kept, httpx.Request("KEY-5F0C", "http://signer/healthz"))
    assert [span.name for span in kept.spans()] == ["unknown unknown", "unknown /healthz"]
    assert SECRET not in kept.said().lower()


SETTINGS = f"""\
chain_id = 31337
epoch_book = "0x{"b0" * 20}"
genesis = 864000
epoch_seconds = 3600
askers = ["0x{"01" * 20}"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Make a signer's folder as `init` does, without a chain."""
    folder = Folder(tmp_path)
    folder.settings.write_text(SETTINGS)
    folder.key.touch(mode=0o600)
    # Of a key with a short number, digits would be found anywhere.
    folder.key.write_text(secrets.token_hex(32))
    return folder


def test_run_refuses_what_is_no_collectors_url(folder: Folder) -> None:
    arguments = ["run", "--dir", str(folder.root), "--traces-endpoint", "127.0.0.1:4318"]
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, "such as http://127.0.0.1:4318/v1/traces" in result.stderr) == (
        2,
        True,
    )


@pytest.mark.integration
def test_a_collector_is_sent_what_a_signer_did_and_its_url_is_in_no_log(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = find_free_port()
    folder.settings.write_text(f"port = {port}\n{SETTINGS}")
    signer = Signer(folder.root, port, address_of(folder.load_key()))
    with collecting() as collector:
        monkeypatch.setenv("STREAMRP2P_TRACES_ENDPOINT", f"{collector.url}?key={RPC_KEY}")
        try:
            signer.start()
            assert signer.stop() == 0
        finally:
            signer.end()
    named = (b"streamrp2p-signer", b"GET /v1/signer")
    assert [name for name in named if name not in collector.body] == []
