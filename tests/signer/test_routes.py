"""The signer's API: what is answered to whom, and in which form."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from streamrp2p import api
from streamrp2p.signatures import address_of
from streamrp2p_signer import routes
from streamrp2p_signer.desk import Desk
from streamrp2p_signer.routes import MAX_BODY_BYTES, make_app
from tests.signer.world import (
    ASKER_KEY,
    DOMAIN,
    NOW,
    STRANGER_KEY,
    TICKET_KEY,
    Told,
    ask,
    make_desk,
    ticket,
)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = make_desk(tmp_path, Told())
    with closing(desk.log):
        yield desk


@pytest.fixture
def counts() -> Counter[str]:
    return Counter()


def exchange(
    desk: Desk,
    counts: Counter[str],
    method: str,
    path: str,
    content: Any = None,  # noqa: ANN401 - httpx's
) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(make_app(desk, counts))
        async with httpx.AsyncClient(transport=transport, base_url="http://signer") as client:
            return await client.request(method, path, content=content)

    return asyncio.run(once())


def post(desk: Desk, counts: Counter[str], request: api.TicketAsk) -> httpx.Response:
    body = request.model_dump_json(by_alias=True).encode()
    return exchange(desk, counts, "POST", "/v1/tickets", body)


def test_it_tells_whose_key_it_has_and_for_whom(desk: Desk, counts: Counter[str]) -> None:
    answer = exchange(desk, counts, "GET", "/v1/signer")
    assert api.SignerFacts.model_validate_json(answer.content) == api.SignerFacts(
        ticket_signer=address_of(TICKET_KEY),
        chain_id=DOMAIN.chain_id,
        epoch_book=DOMAIN.epoch_book,
        pools=[1],
        askers=[address_of(ASKER_KEY)],
    )
    assert exchange(desk, counts, "GET", "/healthz").json() == {"status": "ok"}


def test_a_signed_ticket_is_answered_and_counted(desk: Desk, counts: Counter[str]) -> None:
    answer = post(desk, counts, ask(ticket()))
    assert answer.status_code == 200
    assert answer.json()["sessionId"] == "0x" + ticket().session_id.hex()
    assert counts == {"signed": 1}


def test_a_budget_that_is_used_up_says_when_to_come_again(desk: Desk, counts: Counter[str]) -> None:
    answers = [post(desk, counts, ask(ticket(nonce))) for nonce in range(6)]
    last = answers[-1]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert (last.headers["Retry-After"], last.headers["Content-Type"]) == (
        "3500",
        "application/problem+json",
    )
    problem = api.Problem.model_validate_json(last.content)
    assert problem.type == "urn:streamrp2p:problem:over-epoch-budget"
    assert "raise epoch_budget" in problem.detail
    assert counts == {"signed": 5, "over-epoch-budget": 1}


def test_what_a_stranger_sends_is_refused_and_fills_no_log(
    desk: Desk, counts: Counter[str]
) -> None:
    with capture_logs() as logged:
        answers = [
            post(desk, counts, ask(ticket(), key=STRANGER_KEY)),
            exchange(desk, counts, "POST", "/v1/tickets", b"{"),
            exchange(desk, counts, "POST", "/v1/tickets", b" " * (MAX_BODY_BYTES + 1)),
            exchange(desk, counts, "GET", "/v1/tickets"),
            exchange(desk, counts, "GET", "/"),
        ]
    assert [answer.status_code for answer in answers] == [403, 422, 413, 405, 404]
    assert all(answer.json()["detail"] for answer in answers)
    assert logged == []


def test_what_a_known_asker_is_refused_is_logged(desk: Desk, counts: Counter[str]) -> None:
    with capture_logs() as logged:
        answer = post(desk, counts, ask(ticket(), NOW - 100))
    assert answer.status_code == 409
    assert [(line["event"], line["slug"]) for line in logged] == [
        ("ticket_refused", "request-stale")
    ]


def test_a_body_that_comes_drop_by_drop_is_not_waited_for(
    desk: Desk, counts: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "BODY_SECONDS", 0.01)

    async def drops() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    assert exchange(desk, counts, "POST", "/v1/tickets", drops()).status_code == 408
