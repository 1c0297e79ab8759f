"""Policy in a running coordinator: who gets tickets, who is suspected, what is refused and with which evidence."""

import json
from dataclasses import replace

import pytest
from httpx import Response

from streamrp2p import api
from streamrp2p.evidence import Appeal
from streamrp2p.numbers import Address, SessionId
from streamrp2p.receipt import SessionRecord
from streamrp2p.signatures import check_signer, sign
from streamrp2p.suspicion import Suspicion
from streamrp2p.verify import Code
from streamrp2p_coordinator import jobs
from streamrp2p_coordinator.choice import choose_relay
from streamrp2p_coordinator.errors import NoRelayError
from streamrp2p_coordinator.jobs import run_epochs
from streamrp2p_coordinator.networks import network_of
from streamrp2p_coordinator.repositories.nodes import StoredNode
from streamrp2p_coordinator.use_cases.find_suspicions import find_suspicions
from tests.coordinator.actors import known_key
from tests.coordinator.world import World

TOKEN = "t" * 40
ADMIN = {"Authorization": f"Bearer {TOKEN}"}


def stored(number: int, address: str | None, open_sessions: int = 0) -> StoredNode:
    """Return a node at a host name, which answered at that address."""
    node = Address(number.to_bytes(20))
    return StoredNode(
        node,
        node,
        f"https://relay-{number}.example",
        0,
        "done",
        is_healthy=True,
        open_sessions=open_sessions,
        checked_at=None,
        unreachable_at=None,
        suspended_at=None,
        network=network_of(address),
    )


FAR, NEAR, NEW = (
    stored(1, "203.0.113.7"),
    stored(2, "198.51.100.7"),
    stored(3, None),
)


def test_networks_are_cut_and_this_machine_is_in_none() -> None:
    assert network_of("203.0.113.7") == network_of("::ffff:203.0.113.9") == "203.0.113.0/24"
    assert network_of("2001:db8:1:2::3") == "2001:db8:1::/48"
    assert [network_of(asker) for asker in ("127.0.0.1", "::1", "testclient", None)] == [None] * 4


def test_a_viewer_is_not_sent_into_its_own_network_unless_there_is_nobody_else() -> None:
    network = network_of("198.51.100.80")
    assert {choose_relay([FAR, NEAR], [], network, ()).node for _ in range(20)} == {FAR.node}
    assert choose_relay([NEAR], [], network, ()) is NEAR
    with pytest.raises(NoRelayError):
        choose_relay([FAR, NEAR], [FAR.node], network, {FAR.node})


def test_only_relays_that_the_network_had_a_ticket_to_can_be_excluded() -> None:
    network = network_of("192.0.2.1")
    nodes, excluded = [FAR, NEAR, NEW], [NEAR.node, NEW.node]
    assert {choose_relay(nodes, excluded, network, ()).node for _ in range(50)} == {
        node.node for node in nodes
    }
    assert choose_relay(nodes, excluded, network, {NEAR.node, NEW.node}) is FAR
    with pytest.raises(NoRelayError):
        choose_relay([FAR], [FAR.node], network, {FAR.node})


def test_many_names_in_one_network_win_no_more_viewers_than_one() -> None:
    names = [stored(number, "203.0.113.9") for number in range(10, 20)]
    busy = replace(names[0], open_sessions=2)
    assert choose_relay([busy, *names[1:], replace(NEAR, open_sessions=1)], []).node == NEAR.node


def admit(world: World) -> None:
    world.services.admin_token = TOKEN


def held(world: World, node: Address) -> None:
    answer = world.request(
        "POST",
        f"/v1/admin/nodes/0x{node.hex()}/hold",
        content=json.dumps({"reason": "two viewers complained"}).encode(),
        headers=ADMIN,
    )
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("seconds", [-1, 0, 31_536_001])
def test_a_hold_lasts_a_second_at_least_and_a_year_at_most(world: World, seconds: int) -> None:
    admit(world)
    answer = world.request(
        "POST",
        f"/v1/admin/nodes/0x{NEAR.node.hex()}/hold",
        content=json.dumps({"reason": "x", "seconds": seconds}).encode(),
        headers=ADMIN,
    )
    assert answer.status_code == 422
    assert "seconds" in answer.json()["detail"]


def test_a_hold_refuses_with_signed_evidence_until_it_is_withdrawn(world: World) -> None:
    admit(world)
    node = world.node()
    viewer = world.viewer(node.address)
    acknowledged, later = viewer.record(1, 1000), viewer.record(2, 2000)
    assert world.submit(node.batch(1, [acknowledged])).rejections == []
    held(world, node.address)
    assert world.services.observe().suspicions == {"suspect": 1}

    answer = world.submit(node.batch(1, [acknowledged, later]))
    (refusal,) = answer.rejections
    assert (refusal.rejection.sequence, refusal.rejection.code) == (2, Code.SUSPECT)
    assert refusal.evidence == {"reason": "two viewers complained"}
    assert "docs/fraud-detection.md#suspect" in refusal.reason
    assert refusal.evidence_signature is not None
    check_signer(
        refusal.evidence_message().digest(world.domain),
        refusal.evidence_signature,
        world.services.poster.address,
        "the poster",
    )
    shown = world.get(f"/v1/accounts/0x{node.address.hex()}/epochs/1")["refusals"]
    assert [one["evidence"] for one in shown] == [refusal.evidence]

    (suspicion,) = world.request("GET", "/v1/admin/suspicions", headers=ADMIN).json()
    path = f"/v1/admin/suspicions/{suspicion['id']}/withdraw"
    assert world.request("POST", path, headers=ADMIN).json() == []
    assert world.submit(node.batch(1, [later])).rejections == []


def test_every_rejection_has_its_facts(world: World) -> None:
    node = world.node()
    viewer = world.viewer(node.address, max_bytes=100)
    (refusal,) = world.submit(node.batch(1, [viewer.record(1, 101)])).rejections
    assert refusal.evidence == {"bytesDelivered": 101, "maxBytes": 100}


def test_more_bytes_than_the_measured_stream_had_are_refused(world: World) -> None:
    node = world.node()
    viewer = world.viewer(node.address)
    with world.database.write() as store:
        store.probes.keep_rate(1, 1, 1000)
    answer = world.submit(node.batch(1, [viewer.record(1, 60_000), viewer.record(2, 60_001)]))
    (refusal,) = answer.rejections
    assert (refusal.rejection.sequence, refusal.rejection.code) == (2, Code.OVER_BITRATE)
    assert refusal.evidence is not None
    assert refusal.evidence["allowedBytes"] == 60_000


def test_a_node_whose_viewers_throw_tickets_away_is_noted_and_not_refused(world: World) -> None:
    keys = [known_key(number) for number in range(10, 14)]
    nodes = [
        world.node(key, endpoint=f"http://198.51.{number}.7:8200")
        for number, key in enumerate(keys)
    ]
    expires_at = world.clock.now + 10
    used: dict[Address, list[SessionRecord]] = {node.address: [] for node in nodes}
    with world.database.write() as store:
        for network in range(30):
            for turn in range(60 if network >= 20 else 8):
                node = nodes[turn % 4]
                name = f"192.0.{network}.0/24"
                viewer = world.viewer(node.address, nonce=network * 100 + turn, seconds=10)
                store.nodes.add_ticket(
                    viewer.ticket.session_id,
                    1,
                    1,
                    node.address,
                    expires_at,
                    store.viewers.name_network(name, world.clock.now),
                )
                if network < 20 or node is nodes[0]:
                    used[node.address].append(viewer.record(1, 1000))
    for node in nodes:
        records = used[node.address]
        for start in range(0, len(records), 50):
            batch = node.batch(1, records[start : start + 50])
            assert world.submit(batch).rejections == []
    world.clock.now += 20
    found = find_suspicions(
        database=world.database, network=world.services.network, clock=world.clock
    )
    assert {(one.code, one.node) for one in found if one.code >= Code.STEERED} == {
        (Code.STEERED, nodes[0].address)
    }
    again = find_suspicions(
        database=world.database, network=world.services.network, clock=world.clock
    )
    assert again == []
    late = world.viewer(nodes[0].address, nonce=9999, key=known_key(99)).record(1, 1000)
    assert world.submit(nodes[0].batch(1, [late])).rejections == []


def test_suspicions_are_looked_for_once_a_minute(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []

    def look(**_: object) -> list[Suspicion]:
        looked.append(world.clock.now)
        return []

    monkeypatch.setattr(jobs, "find_suspicions", look)
    began = world.clock.now
    for passed in (0, 1, 59, 60, 61, 30):
        world.clock.now = began + passed
        run_epochs(world.services)
    assert [now - began for now in looked] == [0, 60, 30]


def test_a_node_appeals_once_and_reads_the_answer(world: World) -> None:
    world.services.admin_token = TOKEN
    node = world.node()
    viewer = world.viewer(node.address, max_bytes=100)
    (refusal,) = world.submit(node.batch(1, [viewer.record(1, 101)])).rejections

    def appeal(text: str, *, sequence: int = 1, at: int = 0, key: bytes = node.key) -> Response:
        message = Appeal(
            node.address,
            SessionId(refusal.rejection.session_id),
            sequence,
            Code.OVER_CREDIT,
            text,
            world.clock.now + at,
        )
        signed = api.SignedAppeal.of(message, sign(message.digest(world.domain), key))
        return world.request("POST", "/v1/appeals", signed)

    assert appeal("it was paid for", key=known_key(77)).status_code == 422
    assert appeal("it was paid for", at=-121).status_code == 422
    assert appeal("it was paid for", sequence=2).status_code == 404
    assert world.get(f"/v1/nodes/0x{node.address.hex()}/appeals") == {"appeals": []}

    filed = appeal("it was paid for").json()
    assert appeal("something else").json() == filed
    (waiting,) = world.request("GET", "/v1/admin/appeals", headers=ADMIN).json()
    assert waiting == filed
    seen = world.services.observe()
    assert (seen.waiting_appeals, seen.suspicions) == (1, {})

    path = f"/v1/admin/appeals/{filed['id']}/answer"
    assert world.request("POST", path, content=b'{"text": "no"}').status_code == 401
    body = b'{"text": "the ticket says 100 bytes"}'
    assert world.request("POST", path, content=body, headers=ADMIN).status_code == 200
    assert world.request("GET", "/v1/admin/appeals", headers=ADMIN).json() == []
    (shown,) = world.get(f"/v1/nodes/0x{node.address.hex()}/appeals")["appeals"]
    assert shown["answer"] == "the ticket says 100 bytes"
    assert shown["appeal"]["text"] == "it was paid for"
