"""What a node does becomes spans, if a collector is named, and says nothing that is secret."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest
from typer.testing import CliRunner
from web3 import Web3
from web3.providers.base import BaseProvider

from streamrp2p.api import SESSION_HEADER
from streamrp2p.chain import Call
from streamrp2p.claim import prove_claim
from streamrp2p.client import UnreachableError
from streamrp2p.keys import create_keystore
from streamrp2p_node import claim_command
from streamrp2p_node.claim_plan import ClaimPlan
from streamrp2p_node.claim_view import Tokens
from streamrp2p_node.cli import app
from streamrp2p_node.errors import OriginError
from streamrp2p_node.folder import Folder
from streamrp2p_node.upstream import Source
from tests.node.conftest import World, close_world, make_world
from tests.node.fake_origin import FakeOrigin
from tests.node.fakes import (
    DOMAIN,
    NODE,
    NODE_KEY,
    ORIGIN,
    ORIGIN_URL,
    POOL,
    Clock,
    FakeCoordinator,
    make_config,
    make_ticket,
    opening_of,
    problem,
)
from tests.node.test_submitter import paid_session
from tests.support.fraud import HONEST
from tests.support.spans import KeptTraces, attributes

SECRET = "key-5f0c"
SOURCE = Source(POOL, ORIGIN_URL, ORIGIN, DOMAIN)


@pytest.fixture
def kept() -> Iterator[KeptTraces]:
    traces = KeptTraces("node")
    yield traces
    traces.close()


@pytest.fixture
async def world(tmp_path: Path, kept: KeptTraces) -> AsyncIterator[World]:
    clock = Clock()
    made = await make_world(
        Folder(tmp_path / "node"), coordinator=FakeCoordinator(clock), origin=FakeOrigin(), clock=clock,
        traces=kept,
    )  # fmt: skip
    await made.view.refresh()
    yield made
    await close_world(made)


async def test_a_request_of_the_api_is_a_span_and_one_for_an_object_is_none(
    world: World, kept: KeptTraces
) -> None:
    ticket, signature = make_ticket()
    headers = {"X-Request-Id": "0123456789abcdef", "Authorization": f"Bearer {SECRET}"}
    opening = opening_of(ticket, signature).dump()
    opened = await world.http.post(f"/v1/sessions?token={SECRET}", json=opening, headers=headers)
    assert opened.status_code == 201
    session = {SESSION_HEADER: "0x" + ticket.session_id.hex()}
    for name in ("source.m3u8", "source-0.m4s"):
        got = await world.http.get(f"/v1/streams/{POOL}/{name}", headers=session)
        assert got.status_code == 200
    await world.http.get(f"/{SECRET}")
    requests = [span for span in kept.spans() if "request.id" in attributes(span)]
    assert [span.name for span in requests] == [
        "POST /v1/sessions",
        "GET /v1/streams/{pool_id}/{name}",
        "unknown unknown",
    ]
    assert attributes(requests[0]) == {
        "request.id": "0123456789abcdef",
        "http.response.status_code": 201,
    }
    assert requests[0].resource.attributes["service.name"] == "streamrp2p-node"
    secrets = (SECRET, ticket.session_id.hex(), signature.hex())
    assert [secret for secret in secrets if secret in kept.said()] == []


async def test_an_object_that_is_fetched_is_a_span_of_its_own_and_one_from_the_cache_is_none(
    world: World, kept: KeptTraces
) -> None:
    stream = world.streams.of(SOURCE)
    with kept.span("request"):
        for _ in range(2):
            assert await stream.data(await stream.find("source-0.m4s")) == world.origin.segment(0)
    fetched = kept.one("fetch object")
    assert attributes(fetched) == {"pool.id": POOL, "upstream": "origin", "object.bytes": 1000}
    assert fetched.parent is None
    assert fetched.status.is_ok


async def test_an_object_that_does_not_come_is_a_failed_span_without_the_reason(
    world: World, kept: KeptTraces
) -> None:
    stream = world.streams.of(SOURCE)
    listed = await stream.find("source-0.m4s")
    world.origin.is_down = True
    with pytest.raises(OriginError, match=r"source-0\.m4s"):
        await stream.data(listed)
    assert not kept.one("fetch object").status.is_ok
    assert [told for told in ("http", "source-0.m4s") if told in kept.said()] == []


async def test_a_batch_that_is_handed_in_is_a_span_with_its_counts(
    world: World, kept: KeptTraces
) -> None:
    await paid_session(world)
    await world.submitter.submit_due()
    assert attributes(kept.one("hand in batch")) == {
        "epoch": 0,
        "batch.number": 1,
        "batch.records": 1,
        "batch.accepted": 1,
        "batch.rejected": 0,
    }
    assert NODE_KEY.hex() not in kept.said()


async def test_a_batch_that_is_not_taken_is_a_failed_span_without_the_reason(
    world: World, kept: KeptTraces
) -> None:
    await paid_session(world)

    def refuse(_: str) -> httpx.Response:
        status, body = problem(503, "down", f"https://rpc.example/{SECRET} does not answer")
        return httpx.Response(status, content=body)

    world.coordinator.fails = refuse
    with pytest.raises(Exception, match=SECRET):
        await world.submitter.submit_due()
    assert not kept.one("hand in batch").status.is_ok
    assert SECRET not in kept.said()


class Silent(BaseProvider):
    """An RPC that cannot be reached, and whose URL is a secret."""

    def make_batch_request(self, requests: Any) -> NoReturn:  # noqa: ANN401 - as web3's
        raise UnreachableError(f"https://rpc.example/{SECRET} does not answer")


def test_a_claim_that_fails_is_a_failed_span_without_the_reason(kept: KeptTraces) -> None:
    web3 = Web3(Silent())
    account = HONEST.bundle.claims[0].account
    proof = prove_claim(HONEST.header, HONEST.bundle.claims, account)
    plan = ClaimPlan(NODE, proof, NODE, (), Call(NODE, b""), None)
    with pytest.raises(UnreachableError, match=SECRET):
        claim_command._send(web3, make_config(0), plan, NODE_KEY, Tokens(web3), kept, is_quiet=True)
    claim = kept.one("claim")
    assert (attributes(claim), claim.status.is_ok) == ({"epoch": HONEST.header.epoch}, False)
    assert SECRET not in kept.said()


@pytest.mark.parametrize(
    ("options", "environment"),
    [
        (("--traces-endpoint", "127.0.0.1:4318"), {}),
        ((), {"STREAMRP2P_TRACES_ENDPOINT": "127.0.0.1:4318"}),
    ],
)
def test_run_refuses_what_is_no_collectors_url(
    tmp_path: Path, options: tuple[str, ...], environment: dict[str, str]
) -> None:
    folder = Folder(tmp_path / "node")
    folder.make()
    create_keystore(folder.keystore, "correct horse", NODE_KEY, scrypt_n=2)
    (tmp_path / "password").write_text("correct horse\n")
    arguments = [
        "run", "--dir", folder.root, "--coordinator", "http://127.0.0.1:9", "--endpoint", "http://127.0.0.1:8",
        "--password-file", tmp_path / "password", *options,
    ]  # fmt: skip
    result = CliRunner().invoke(app, [str(one) for one in arguments], env=environment)
    assert (result.exit_code, "such as http://127.0.0.1:4318/v1/traces" in result.stderr) == (
        2,
        True,
    )
