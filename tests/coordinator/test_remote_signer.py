"""Viewers of a pool whose streamer runs its own signer: asked outside of the database, and believed in nothing."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import BoundedSemaphore

import httpx
import pytest
from structlog.testing import capture_logs

from streamrp2p import api
from streamrp2p.numbers import Address
from streamrp2p.signatures import address_of, check_signer, sign
from streamrp2p.signer_client import SignerClient
from streamrp2p.ticket_signing import TicketRequest
from streamrp2p_coordinator import remote_signer
from streamrp2p_coordinator.database import open_database
from streamrp2p_coordinator.errors import ConfigurationError, TicketSignerError
from streamrp2p_coordinator.migrate import migrate
from streamrp2p_coordinator.remote_signer import ASKS_OF_ONE, RemoteSigner, remote_signers
from tests.coordinator.actors import known_key
from tests.coordinator.world import POSTER_KEY, VIEWER_KEY, World, make_world

STREAMER_KEY = known_key(70)
POOL = 3


class Streamer:
    """A signer of pool 3 without a socket; what it answers can be changed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.asked: list[api.TicketAsk] = []
        self.answer: Callable[[httpx.Request], httpx.Response] = self.signed
        self.outcomes: list[str] = []
        client = SignerClient("http://signer", transport=httpx.MockTransport(self.answered))
        self.remote = RemoteSigner(
            client,
            world.services.poster,
            world.domain,
            world.clock,
            BoundedSemaphore(16),
            self.outcomes.append,
        )

    def answered(self, request: httpx.Request) -> httpx.Response:
        return self.answer(request)

    def signed(self, request: httpx.Request, key: bytes = STREAMER_KEY) -> httpx.Response:
        ask = api.TicketAsk.model_validate_json(request.content)
        self.asked.append(ask)
        ticket = ask.ticket.message()
        signature = sign(ticket.digest(self.world.domain), key)
        answer = api.SignedTicket(session_id=ticket.session_id, signature=signature)
        return httpx.Response(200, json=answer.dump())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Make a coordinator with a pool that is signed for elsewhere, and a node."""
    database = open_database(f"sqlite:///{tmp_path / 'coordinator.db'}")
    migrate(database)
    with closing(database):
        world = make_world(database, tmp_path)
        world.chain.add_pool(POOL, address_of(STREAMER_KEY))
        world.sync()
        world.node()
        yield world


@pytest.fixture
def streamer(world: World) -> Iterator[Streamer]:
    streamer = Streamer(world)
    world.services.remote_signers = {POOL: streamer.remote, 1: streamer.remote}
    with closing(streamer.remote):
        yield streamer


def ask(world: World, pool_id: int = POOL) -> httpx.Response:
    request = api.SessionRequest(pool_id=pool_id, viewer=address_of(VIEWER_KEY))
    return world.request("POST", "/v1/sessions", request)


def load(world: World) -> int:
    (node,) = world.get("/v1/nodes")["nodes"]
    return int(node["openSessions"])


def refused(answer: httpx.Response) -> tuple[int, str, str]:
    slug = answer.json()["type"].removeprefix("urn:streamrp2p:problem:")
    return answer.status_code, slug, answer.headers["Retry-After"]


def test_a_ticket_is_signed_by_the_streamers_signer(world: World, streamer: Streamer) -> None:
    session = api.Session.model_validate_json(ask(world).content)
    ticket = session.ticket.message()
    check_signer(
        ticket.digest(world.domain), session.signature, address_of(STREAMER_KEY), "the streamer"
    )
    (asked,) = streamer.asked
    request = TicketRequest(ticket.session_id, world.clock.now)
    check_signer(
        request.digest(world.domain), asked.signature, address_of(POSTER_KEY), "the poster"
    )
    assert load(world) == 1
    assert streamer.outcomes == ["signed"]


def test_the_chain_decides_who_signs(world: World, streamer: Streamer) -> None:
    assert ask(world, pool_id=1).status_code == 200
    assert streamer.asked == []


def test_while_a_signer_thinks_the_database_is_free(world: World, streamer: Streamer) -> None:
    def writing(request: httpx.Request) -> httpx.Response:
        with world.database.write() as store:
            store.nodes.forget_tickets(0)
        return streamer.signed(request)

    streamer.answer = writing
    assert ask(world).status_code == 200


def test_a_dead_signer_is_no_load_and_is_left_alone_for_a_moment(
    world: World, streamer: Streamer, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def dead(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        raise httpx.ConnectError("nobody listens", request=request)

    streamer.answer = dead
    with capture_logs() as logged:
        answers = [refused(ask(world)) for _ in range(3)]
        assert answers == [(503, "ticket-signer-unavailable", "2")] * 3
        assert len(calls) == 1
        assert load(world) == 0
        assert ask(world, pool_id=1).status_code == 200

        monkeypatch.setattr(streamer.remote, "_rests_until", 0.0)
        streamer.answer = streamer.signed
        assert ask(world).status_code == 200
    assert [line["event"] for line in logged] == [
        "ticket_signer_failed",
        "ticket_signer_recovered",
    ]
    assert streamer.outcomes == ["silent", "silent", "silent", "signed"]


def test_a_refusal_is_for_the_operator_and_logged_once(world: World, streamer: Streamer) -> None:
    problem = api.Problem(
        type="urn:streamrp2p:problem:over-day-budget", title="", status=429, detail="no budget left"
    )
    streamer.answer = lambda _: httpx.Response(429, content=problem.dump_json())
    with capture_logs() as logged:
        answers = [ask(world) for _ in range(3)]
    assert {refused(answer) for answer in answers} == {(503, "ticket-signer-unavailable", "10")}
    assert "budget" not in answers[0].text
    (line,) = logged
    assert (line["pool_id"], "no budget left" in line["reason"]) == (POOL, True)
    assert load(world) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        lambda streamer, request: streamer.signed(request, known_key(71)),
        lambda streamer, request: httpx.Response(200, json={"sessionId": "0x", "signature": "0x"}),
        lambda streamer, request: httpx.Response(200, content=b"x" * 100_000),
        lambda streamer, request: httpx.Response(302, headers={"Location": "http://elsewhere"}),
    ],
    ids=["another key", "no signature", "too much", "elsewhere"],
)
def test_what_is_not_the_pools_signature_is_never_handed_out(
    world: World,
    streamer: Streamer,
    wrong: Callable[[Streamer, httpx.Request], httpx.Response],
) -> None:
    streamer.answer = lambda request: wrong(streamer, request)
    assert refused(ask(world)) == (503, "ticket-signer-unavailable", "10")
    assert load(world) == 0


def test_only_a_few_wait_for_a_signer_at_one_time(world: World, streamer: Streamer) -> None:
    waiting, released = threading.Semaphore(0), threading.Event()

    def slow(request: httpx.Request) -> httpx.Response:
        waiting.release()
        released.wait()
        return streamer.signed(request)

    streamer.answer = slow
    ticket = world.viewer(Address(b"\x01" * 20), pool_id=POOL).ticket
    with ThreadPoolExecutor(ASKS_OF_ONE) as pool:
        asked = [
            pool.submit(streamer.remote.sign, ticket, address_of(STREAMER_KEY))
            for _ in range(ASKS_OF_ONE)
        ]
        for _ in asked:
            waiting.acquire()
        try:
            assert refused(ask(world)) == (503, "ticket-signer-unavailable", "1")
        finally:
            released.set()
        assert len({one.result() for one in asked}) == 1
    assert ask(world).status_code == 200


def test_all_signers_together_hold_no_more_than_their_share_of_the_threads(
    world: World, streamer: Streamer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_signer, "ASKS_OF_ALL", 1)
    made = remote_signers(
        {1: "http://one.example", 2: "http://two.example", 3: "http://one.example"},
        world.services.poster,
        world.domain,
        world.clock,
        lambda _: None,
    )
    assert made[1] is made[3]
    ticket = world.viewer(Address(b"\x01" * 20)).ticket
    with made[1]._turns_of_all, pytest.raises(TicketSignerError) as busy:
        made[2].sign(ticket, address_of(STREAMER_KEY))
    assert busy.value.retry_after_seconds == 1


def test_a_url_that_is_none_is_refused_at_the_start(world: World) -> None:
    with pytest.raises(ConfigurationError, match="ticket_signers: of pool 7"):
        remote_signers(
            {7: "signer.example"},
            world.services.poster,
            world.domain,
            world.clock,
            lambda _: None,
        )
