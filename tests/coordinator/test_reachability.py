"""POST /v1/reachability: who may ask, how often, and what is remembered of the answer."""

import pytest

from streamrp2p import api
from streamrp2p.signatures import address_of
from streamrp2p_coordinator.jobs import run_health
from streamrp2p_coordinator.outside.rate_limit import MAX_KEYS, RateLimit
from streamrp2p_coordinator.repositories.nodes import UNREACHABLE_SECONDS
from tests.coordinator.actors import Node, known_key
from tests.coordinator.world import VIEWER_KEY, World

ENDPOINT = "http://127.0.0.1:8200"


def ask(world: World, check: api.SignedNodeCheck) -> tuple[int, str]:
    answer = world.request("POST", "/v1/reachability", check)
    return answer.status_code, answer.json().get("type", "").removeprefix("urn:streamrp2p:problem:")


def is_offered(world: World) -> bool:
    request = api.SessionRequest(pool_id=1, viewer=address_of(VIEWER_KEY))
    return world.request("POST", "/v1/sessions", request).status_code == 200


def find(world: World, *, ok: bool) -> None:
    step = api.CheckStep(
        step="tcp", ok=ok, code="ok" if ok else "tcp-timeout", detail="told", fix=""
    )
    world.services.look = lambda node, endpoint: [step]


def test_a_node_that_never_registered_is_looked_at_where_it_says(world: World) -> None:
    node = Node(known_key(3), world.domain)
    seen: list[tuple[bytes, str]] = []
    world.services.look = lambda address, endpoint: seen.append((address, endpoint)) or []  # type: ignore[func-returns-value]
    answer = world.post(
        "/v1/reachability", node.check(world.clock.now, endpoint="https://relay.example")
    )
    assert seen == [(node.address, "https://relay.example")]
    assert api.Reachability.model_validate(answer) == api.Reachability(
        endpoint="https://relay.example",
        is_reachable=True,
        steps=[],
        seen_from="127.0.0.1",
        checked_at=world.clock.now,
    )
    assert world.get("/v1/nodes") == {"nodes": []}


def test_a_node_that_was_not_found_gets_no_viewers_until_it_is(world: World) -> None:
    node = world.node()
    assert is_offered(world)
    find(world, ok=False)
    answer = world.post("/v1/reachability", node.check(world.clock.now))
    assert (answer["isReachable"], answer["steps"][0]["code"]) == (False, "tcp-timeout")
    world.clock.now += world.services.health_seconds
    run_health(world.services)
    assert not is_offered(world)
    assert not world.get(f"/v1/nodes/0x{node.address.hex()}")["isHealthy"]
    find(world, ok=True)
    world.post("/v1/reachability", node.check(world.clock.now))
    assert is_offered(world)


def test_a_look_that_found_nobody_is_forgotten_in_time(world: World) -> None:
    node = world.node()
    find(world, ok=False)
    world.post("/v1/reachability", node.check(world.clock.now))
    world.travel_to(world.clock.now + UNREACHABLE_SECONDS - 1)
    world.sync()
    assert not is_offered(world)
    world.travel_to(world.clock.now + 1)
    world.sync()
    assert is_offered(world)


def test_a_look_is_forgotten_when_the_clock_was_set_back(world: World) -> None:
    node = world.node()
    world.clock.now += 50
    find(world, ok=False)
    world.post("/v1/reachability", node.check(world.clock.now))
    world.clock.now -= 50
    assert is_offered(world)


def test_a_look_at_another_endpoint_says_nothing_of_the_registered_one(world: World) -> None:
    node = world.node()
    find(world, ok=False)
    world.post("/v1/reachability", node.check(world.clock.now, endpoint="http://127.0.0.1:1"))
    assert is_offered(world)


def test_a_node_that_moves_starts_anew(world: World) -> None:
    node = world.node()
    find(world, ok=False)
    world.post("/v1/reachability", node.check(world.clock.now))
    world.post("/v1/nodes", node.registration(nonce=1, endpoint="http://127.0.0.1:8201"))
    run_health(world.services)
    assert is_offered(world)


def test_nobody_else_can_ask_for_a_node(world: World) -> None:
    node = world.node()
    find(world, ok=False)
    assert ask(world, node.check(world.clock.now, signer=known_key(4))) == (
        422,
        "invalid-signature",
    )
    assert is_offered(world)


@pytest.mark.parametrize("seconds", [-121, 121])
def test_an_old_wish_counts_no_more(world: World, seconds: int) -> None:
    node = Node(known_key(3), world.domain)
    assert ask(world, node.check(world.clock.now + seconds)) == (422, "invalid-request")


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "ftp://relay.example",
        "http://user@relay.example",
        "http://relay.example/?q",
        "http://a b",
    ],
)
def test_what_is_no_endpoint_is_refused(world: World, endpoint: str) -> None:
    node = Node(known_key(3), world.domain)
    assert ask(world, node.check(world.clock.now, endpoint=endpoint)) == (422, "invalid-request")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b'{"check": {}, "signature": "0x"}', b"\xff", b"[[["],
)
def test_what_is_no_check_is_refused(world: World, body: bytes) -> None:
    assert world.request("POST", "/v1/reachability", content=body).status_code in (400, 422)


def test_one_node_may_not_ask_without_end(world: World) -> None:
    node = Node(known_key(3), world.domain)
    answers = [ask(world, node.check(world.clock.now)) for _ in range(11)]
    assert answers[:10] == [(200, "")] * 10
    refused = world.request("POST", "/v1/reachability", node.check(world.clock.now))
    assert answers[10] == (429, "too-often")
    assert 0 < int(refused.headers["Retry-After"]) <= 10


def test_many_keys_at_one_address_share_its_limit(world: World) -> None:
    nodes = [Node(known_key(number), world.domain) for number in range(100, 140)]
    answers = [
        ask(world, node.check(world.clock.now, endpoint=f"http://relay{index}.example"))
        for index, node in enumerate(nodes)
    ]
    assert answers[:30] == [(200, "")] * 30
    assert (429, "too-often") in answers[30:]


def test_many_keys_cannot_have_one_host_looked_at(world: World) -> None:
    nodes = [Node(known_key(number), world.domain) for number in range(100, 112)]
    answers = [
        ask(world, node.check(world.clock.now, endpoint=f"http://victim.example:{9000 + index}"))
        for index, node in enumerate(nodes)
    ]
    assert answers == [(200, "")] * 10 + [(429, "too-often")] * 2


def test_looks_at_one_time_are_bounded(world: World) -> None:
    node = Node(known_key(3), world.domain)
    slots = world.services.checks.slots
    held = 0
    while slots.acquire(blocking=False):
        held += 1
    assert ask(world, node.check(world.clock.now)) == (503, "unavailable")
    assert held == 8
    slots.release()
    assert ask(world, node.check(world.clock.now)) == (200, "")


def test_a_bucket_refills_and_the_oldest_is_dropped() -> None:
    now = [0.0]
    limit = RateLimit(2, 10.0, lambda: now[0])
    assert [limit.take("a"), limit.take("a"), limit.take("a")] == [0, 0, 10]
    now[0] = 10.0
    assert [limit.take("a"), limit.take("a")] == [0, 10]
    assert limit.take("b", "a") == 10
    assert [limit.take("b"), limit.take("b"), limit.take("b")] == [0, 0, 10]
    for number in range(MAX_KEYS):
        limit.take(number)
    assert len(limit._full_at) == MAX_KEYS
