"""Registrations, health, and the choice of a relay."""

import threading
from collections import Counter
from dataclasses import replace

import pytest

from streamrp2p import api
from streamrp2p.signatures import address_of, check_signer
from streamrp2p_coordinator.jobs import run_health
from streamrp2p_coordinator.outside.steps import passed
from streamrp2p_coordinator.services import address_if_up
from tests.coordinator.actors import Node, known_key
from tests.coordinator.world import EPOCH_SECONDS, GENESIS, VIEWER_KEY, World
from tests.support.origin import wait_for

VIEWER = address_of(VIEWER_KEY)
WAIT_SECONDS = 60.0


def slug(world: World, path: str, body: api.Wire) -> tuple[int, str]:
    answer = world.request("POST", path, body)
    return answer.status_code, answer.json().get("type", "").removeprefix("urn:streamrp2p:problem:")


def ask(world: World, *excluded: bytes, pool_id: int = 1) -> api.SessionRequest:
    return api.SessionRequest(pool_id=pool_id, viewer=VIEWER, excluded_nodes=list(excluded))


def open_session(world: World, *excluded: bytes) -> api.Session:
    answer = world.request("POST", "/v1/sessions", ask(world, *excluded))
    assert answer.status_code == 200, answer.text
    return api.Session.model_validate_json(answer.content)


def test_a_registration_is_shown_and_relayed_to_the_chain(world: World) -> None:
    node = world.node()
    shown = api.Node.model_validate(world.get(f"/v1/nodes/0x{node.address.hex()}"))
    world.tick()
    world.tick()
    assert shown == api.Node(
        node=node.address,
        payout=node.address,
        endpoint="http://127.0.0.1:8200",
        nonce=0,
        registration="pending",
        is_healthy=True,
        open_sessions=0,
    )
    assert world.chain.nonces == {node.address: 1}
    with world.database.read() as store:
        assert store.nodes.pending_registrations(10) == []


def test_a_registration_sent_twice_changes_nothing(world: World) -> None:
    node = Node(known_key(3), world.domain)
    first = world.post("/v1/nodes", node.registration())
    second = world.post("/v1/nodes", node.registration())
    for _ in range(4):
        world.tick()
    assert first == second
    assert world.chain.nonces == {node.address: 1}
    assert len(set(world.chain.sent)) == 2  # with the commit of epoch 0


def test_two_registrations_in_a_row_reach_the_chain_in_order(world: World) -> None:
    node = world.node()
    world.post("/v1/nodes", node.registration(nonce=1, endpoint="http://127.0.0.1:8201"))
    for _ in range(6):
        world.tick()
    assert world.chain.nonces == {node.address: 2}
    assert world.get(f"/v1/nodes/0x{node.address.hex()}")["endpoint"] == "http://127.0.0.1:8201"


def test_registrations_that_cannot_hold_are_refused(world: World) -> None:
    node = Node(known_key(3), world.domain)
    cases = {
        "wrong-nonce": node.registration(nonce=1),
        "deadline-over": node.registration(deadline=world.clock.now),
        "invalid-signature": node.registration(signer=known_key(4)),
    }
    assert {name: slug(world, "/v1/nodes", body)[1] for name, body in cases.items()} == {
        name: name for name in cases
    }


def test_a_registration_that_the_chain_missed_can_be_signed_again(world: World) -> None:
    node = Node(known_key(3), world.domain)
    world.post("/v1/nodes", node.registration(deadline=world.clock.now + 5))
    world.clock.now += 10
    world.tick()
    assert world.chain.nonces == {}
    again = world.post("/v1/nodes", node.registration(deadline=world.clock.now + 100))
    for _ in range(3):
        world.tick()
    assert again["nonce"] == 0
    assert world.chain.nonces == {node.address: 1}


def test_what_became_of_a_registration_is_shown(world: World) -> None:
    node = Node(known_key(3), world.domain)
    path = f"/v1/nodes/0x{node.address.hex()}"
    world.post("/v1/nodes", node.registration(deadline=world.clock.now + 5))
    seen = [world.get(path)["registration"]]
    world.clock.now += 10
    world.tick()
    seen.append(world.get(path)["registration"])
    world.post("/v1/nodes", node.registration())
    for _ in range(3):
        world.tick()
    seen.append(world.get(path)["registration"])
    assert seen == ["pending", "failed", "done"]


def test_a_registration_after_one_that_failed_waits_for_nothing(world: World) -> None:
    node = Node(known_key(3), world.domain)
    world.post("/v1/nodes", node.registration(deadline=world.clock.now + 5))
    world.post("/v1/nodes", node.registration(nonce=1))
    world.clock.now += 10
    world.tick()
    world.tick()
    assert world.get(f"/v1/nodes/0x{node.address.hex()}")["registration"] == "failed"
    world.post("/v1/nodes", node.registration(nonce=0))
    for _ in range(3):
        world.tick()
    assert world.chain.nonces == {node.address: 1}


def test_a_registration_waits_for_the_one_before_when_its_block_is_taken_back(world: World) -> None:
    node = Node(known_key(3), world.domain)
    world.post("/v1/nodes", node.registration())
    for _ in range(3):
        world.tick()
    assert world.chain.nonces == {node.address: 1}
    world.post("/v1/nodes", node.registration(nonce=1, payout=VIEWER))
    world.chain.unmine(3)
    world.tick()
    assert world.get(f"/v1/nodes/0x{node.address.hex()}")["registration"] == "pending"
    for _ in range(6):
        world.tick()
    assert world.chain.nonces == {node.address: 2}


def test_registrations_that_cannot_be_relayed_hold_up_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever chooses its addresses and deadlines is not before others for that."""
    monkeypatch.setattr("streamrp2p_coordinator.use_cases.relay_registrations.BATCH", 4)
    nodes = sorted(
        (Node(known_key(number), world.domain) for number in range(200, 209)),
        key=lambda node: node.address,
    )
    *stuck, honest = nodes
    for node in stuck:
        world.post("/v1/nodes", node.registration(deadline=world.clock.now + 5))
        world.post("/v1/nodes", node.registration(nonce=1, deadline=world.clock.now + 80_000))
    world.clock.now += 10
    world.post("/v1/nodes", honest.registration())
    for _ in range(8):
        world.tick()
    assert world.chain.nonces == {honest.address: 1}


def test_a_deadline_is_at_most_a_day_away(world: World) -> None:
    node = Node(known_key(3), world.domain)
    for deadline in (world.clock.now + 86_401, 2**64 - 1):
        answer = world.request("POST", "/v1/nodes", node.registration(deadline=deadline))
        assert answer.status_code == 422
        assert "at most 86400 s away; sign it again" in answer.json()["detail"]
    world.post("/v1/nodes", node.registration(deadline=world.clock.now + 86_400))


def test_a_node_that_changes_its_payout_alone_keeps_its_viewers_coming(world: World) -> None:
    node = world.node()
    changed = world.post("/v1/nodes", node.registration(nonce=1, payout=VIEWER))
    assert changed["isHealthy"]
    moved = world.post("/v1/nodes", node.registration(nonce=2, endpoint="http://127.0.0.1:9"))
    assert not moved["isHealthy"]


def test_endpoints_that_no_viewer_can_use_are_refused(world: World) -> None:
    node = Node(known_key(3), world.domain)
    endpoints = (
        "",
        "relay.example:8200",
        "ftp://relay.example",
        "http://",
        "http://relay.example/",
        "http://user:password@relay.example",
        "http://relay.example?query",
        "http://relay.example:70000",
        "http://[::1",
        "http://relay.example\x00",
        "http://relay.example/\nSet-Cookie:",
        "http://rélay.example",
        "http://relay..example",
        "http://xn--0",
        "http://999.1.1.1",
        "http://" + "a" * 64,
    )
    found = {
        endpoint: slug(world, "/v1/nodes", node.registration(endpoint=endpoint))
        for endpoint in endpoints
    }
    assert found == dict.fromkeys(endpoints, (422, "invalid-request"))


@pytest.mark.parametrize("endpoint", ["http://relay..example", "http://xn--0", "nonsense", ""])
def test_an_endpoint_that_is_no_address_is_down_and_nothing_worse(endpoint: str) -> None:
    assert address_if_up(endpoint) is None


def test_a_node_that_registered_elsewhere_goes_on_with_the_chains_nonce(world: World) -> None:
    node = Node(known_key(3), world.domain)
    world.chain.nonces[node.address] = 5
    assert slug(world, "/v1/nodes", node.registration(nonce=0)) == (409, "wrong-nonce")
    assert world.post("/v1/nodes", node.registration(nonce=5))["nonce"] == 5


def test_viewers_go_to_the_least_loaded_healthy_relay(world: World) -> None:
    first, second = world.node(known_key(10)), world.node(known_key(11))
    down = world.node(known_key(12), endpoint="http://down.example")
    chosen = [open_session(world).ticket.node for _ in range(4)]
    assert chosen.count(first.address) == chosen.count(second.address) == 2
    loads = {node["node"]: node["openSessions"] for node in world.get("/v1/nodes")["nodes"]}
    assert loads == {
        f"0x{first.address.hex()}": 2,
        f"0x{second.address.hex()}": 2,
        f"0x{down.address.hex()}": 0,
    }


def test_excluded_relays_are_not_chosen(world: World) -> None:
    first, second = world.node(known_key(10)), world.node(known_key(11))
    assert {open_session(world, first.address).ticket.node for _ in range(3)} == {second.address}
    answer = world.request("POST", "/v1/sessions", ask(world, first.address, second.address))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")


def test_a_relay_that_went_down_gets_no_viewer(world: World) -> None:
    world.node()
    world.services.probe = lambda endpoint: None
    world.clock.now += world.services.health_seconds
    run_health(world.services)
    assert slug(world, "/v1/sessions", ask(world)) == (503, "no-relay")


def test_a_node_is_up_as_soon_as_it_answers_whoever_else_does_not(world: World) -> None:
    released = threading.Event()

    def probe(endpoint: str) -> str | None:
        if "good" in endpoint:
            return "203.0.113.9"
        released.wait(WAIT_SECONDS)
        return None

    world.services.probe = probe
    nodes = [Node(known_key(number), world.domain) for number in range(300, 365)]
    for node in nodes[:-1]:
        world.post("/v1/nodes", node.registration(endpoint="http://silent.example"))
    world.post("/v1/nodes", nodes[-1].registration(endpoint="http://good.example"))
    round_of_checks = threading.Thread(target=run_health, args=[world.services])
    round_of_checks.start()
    try:
        path = f"/v1/nodes/0x{nodes[-1].address.hex()}"
        wait_for(lambda: bool(world.get(path)["isHealthy"]))
        assert round_of_checks.is_alive()
    finally:
        released.set()
        round_of_checks.join()
    assert sum(node["isHealthy"] for node in world.get("/v1/nodes")["nodes"]) == 1


def asked_for(world: World, rounds: int) -> Counter[str]:
    """Count who is asked in so many rounds, `health_seconds` after each other."""
    asked: list[str] = []
    answers = world.services.probe

    def probe(endpoint: str) -> str | None:
        asked.append(endpoint)
        return answers(endpoint)

    world.services.probe = probe
    for _ in range(rounds):
        world.clock.now += world.services.health_seconds
        run_health(world.services)
    world.services.probe = answers
    return Counter(asked)


UP, DOWN = "http://up.example", "http://down.example"


def test_a_node_that_does_not_answer_is_asked_less_and_less(world: World) -> None:
    world.node(known_key(10), endpoint=UP)
    world.node(known_key(11), endpoint=DOWN)
    assert [asked_for(world, rounds) for rounds in (1, 9, 110)] == [
        {UP: 1, DOWN: 1},
        {UP: 9, DOWN: 3},
        {UP: 110, DOWN: 11},
    ]
    world.services.misses = dict.fromkeys(world.services.misses, 10**6)
    assert asked_for(world, 60)[DOWN] == 1


def test_a_node_that_comes_back_is_asked_at_once(world: World) -> None:
    node = world.node(endpoint=DOWN)
    world.services.misses[node.address] = 50
    assert asked_for(world, 20) == {}
    world.post("/v1/nodes", node.registration(endpoint=DOWN, nonce=1, payout=VIEWER))
    assert asked_for(world, 1) == {DOWN: 1}
    world.services.misses[node.address] = 50
    assert asked_for(world, 20) == {}
    world.services.look = lambda *_: [passed("tcp", "a test says so")]
    world.post("/v1/reachability", node.check(world.clock.now, endpoint=DOWN))
    assert asked_for(world, 1) == {DOWN: 1}


def test_those_that_were_up_wait_for_few_that_were_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamrp2p_coordinator.use_cases.check_health.WORKERS", 3)
    for number in range(10, 16):
        world.node(known_key(number), endpoint=UP)
    for number in range(20, 30):
        down = Node(known_key(number), world.domain)
        world.post("/v1/nodes", down.registration(endpoint=DOWN))
    assert [asked_for(world, 1) for _ in range(4)] == [{UP: 6, DOWN: 3}] * 4
    # All had their turn.
    with world.database.read() as store:
        assert all(node.checked_at is not None for node in store.nodes.all(world.clock.now))


def test_a_clock_that_was_set_back_keeps_nobody_from_being_asked(world: World) -> None:
    world.node(endpoint=UP)
    world.node(known_key(11), endpoint=DOWN)
    world.clock.now -= 3600
    assert asked_for(world, 1) == {UP: 1, DOWN: 1}


def test_a_node_is_in_the_network_where_it_last_answered(world: World) -> None:
    def network() -> str | None:
        run_health(world.services)
        with world.database.read() as store:
            found = store.nodes.find(node.address, world.clock.now)
        assert found is not None
        return found.network

    world.services.probe = {"http://one.example": "203.0.113.9"}.get
    node = world.node(endpoint="http://one.example")
    assert network() == "203.0.113.0/24"
    world.services.probe = lambda endpoint: None
    world.clock.now += world.services.health_seconds
    assert network() == "203.0.113.0/24"
    world.post("/v1/nodes", node.registration(nonce=1, endpoint="http://two.example"))
    assert network() is None


def test_expired_tickets_are_no_load(world: World) -> None:
    node = world.node()
    open_session(world)
    world.clock.now = GENESIS + 2 * EPOCH_SECONDS
    assert world.get(f"/v1/nodes/0x{node.address.hex()}")["openSessions"] == 0


def test_the_ticket_is_signed_and_ends_with_the_epoch(world: World) -> None:
    world.node()
    session = open_session(world)
    ticket = session.ticket.message()
    signer = world.services.ticket_signer.address
    check_signer(ticket.digest(world.domain), session.signature, signer, "the ticket signer")
    assert (ticket.epoch, ticket.viewer, ticket.issued_at) == (1, VIEWER, world.clock.now)
    assert ticket.expires_at == GENESIS + 2 * EPOCH_SECONDS
    assert ticket.max_bytes == 2_000_000 * (70 + 10)


def test_a_long_epoch_does_not_make_long_tickets(world: World) -> None:
    world.node()
    world.services.policy = replace(world.services.policy, ticket_seconds=20)
    ticket = open_session(world).ticket
    assert ticket.expires_at - ticket.issued_at == 20
    assert ticket.max_bytes == 2_000_000 * 30


def test_pools_that_admit_nobody_are_refused(world: World) -> None:
    signer = world.services.ticket_signer.address
    world.node()
    world.chain.add_pool(2, signer, closed_from_epoch=1)
    world.chain.add_pool(3, address_of(known_key(70)))
    world.chain.add_pool(4, signer, funded=0)
    world.chain.add_pool(5, signer, epoch_budget=0)
    world.sync()
    found = {
        pool_id: slug(world, "/v1/sessions", ask(world, pool_id=pool_id)) for pool_id in range(1, 7)
    }
    assert found == {
        1: (200, ""),
        2: (409, "pool-not-open"),
        3: (409, "foreign-ticket-signer"),
        4: (409, "pool-exhausted"),
        5: (409, "pool-exhausted"),
        6: (404, "not-found"),
    }


def test_the_last_known_terms_admit_viewers_until_the_chain_shows_the_new_epoch(
    world: World,
) -> None:
    world.node()
    world.clock.now = GENESIS + 2 * EPOCH_SECONDS
    assert open_session(world).ticket.epoch == 2


def test_pools_are_shown_as_the_chain_has_them(world: World) -> None:
    world.chain.add_pool(2, world.services.ticket_signer.address, closed_from_epoch=1)
    world.sync()
    (first, second) = world.get("/v1/pools")["pools"]
    assert first == world.get("/v1/pools/1")
    assert (first["funded"], first["terms"]["pricePerGB"]) == (str(10**21), str(10**18))
    assert second["closedFromEpoch"] == 1
    assert second["funded"] == str(10**21)


def test_whatever_a_streamer_wrote_as_its_url_holds_up_no_other_pool(world: World) -> None:
    record = world.chain.records[0]
    hostile = replace(record.stream, uri="http://origin\0\N{REPLACEMENT CHARACTER}" + "x" * 100_000)
    world.chain.records[0] = replace(record, stream=hostile)
    world.chain.add_pool(2, world.services.ticket_signer.address)
    world.sync()
    shown = world.get("/v1/pools")["pools"]
    assert [pool["poolId"] for pool in shown] == [1, 2]
    assert shown[0]["originUrl"].startswith("http://origin ")
    assert len(shown[0]["originUrl"]) <= 2048
