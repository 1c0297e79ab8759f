"""The rules of suspicion: honest nodes in unlucky pools stay clear, nodes that bring their own viewers do not."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p.numbers import Address
from streamrp2p.suspicion import (
    Probed,
    Relay,
    Suspicion,
    Use,
    clusters,
    count_tickets,
    judge_clusters,
    judge_probes,
    judge_use,
    judge_weights,
    most_streamed_bytes,
    steering_odds,
)
from streamrp2p.verify import Code


def address(number: int) -> Address:
    return Address(number.to_bytes(20))


def relay(number: int, **changes: object) -> Relay:
    plain = Relay(address(number), address(1000 + number), f"192.0.{number}.0/24", 443)
    return replace(plain, **changes)  # type: ignore[arg-type]


RELAYS = [relay(number) for number in range(5)]
FIRST = RELAYS[0].node
Takes = Callable[[random.Random, int, int], bool]
"""Tells whether a viewer of a network makes use of a ticket to a relay; both are numbers."""


def played(
    takes: Takes, *, networks: int, tickets_each: int, seed: int = 1, relays: int = 5
) -> dict[tuple[Address, bytes], Use]:
    """Issue tickets by chance, and count those used."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    uses: dict[tuple[Address, bytes], Use] = {}
    for network in range(networks):
        for _ in range(tickets_each):
            to = chance.randrange(relays)
            key = address(to), network.to_bytes(4)
            uses[key] = uses.get(key, Use()) + Use(1, int(takes(chance, network, to)))
    return uses


def codes(found: list[Suspicion]) -> set[tuple[Code, Address]]:
    return {(suspicion.code, suspicion.node) for suspicion in found}


def judged(uses: dict[tuple[Address, bytes], Use], relays: list[Relay] | None = None) -> set[Code]:
    """Return the codes against the first relay; nobody else may ever meet one."""
    found = codes(list(judge_use(1, relays or RELAYS, uses)))
    assert {node for _, node in found} <= {FIRST}
    return {code for code, _ in found}


HONEST: dict[str, Takes] = {
    "all use what they get": lambda *_: True,
    "most leave at once": lambda chance, *_: chance.random() < 0.2,
    "one relay alone works": lambda _, __, to: to == 0,
    "the others lose a third": lambda chance, _, to: to == 0 or chance.random() < 0.67,
    "half of the others are down": lambda _, __, to: to not in (3, 4),
    "each network fails at some relays": lambda _, network, to: to == 0 or (network + to) % 3 > 0,
    "each network is eager or not": lambda chance, network, _: chance.random() < network % 10 / 10,
}


@pytest.mark.parametrize("name", HONEST)
@pytest.mark.parametrize("networks", [1, 2, 12, 60, 300])
def test_no_honest_relay_is_suspected(name: str, networks: int) -> None:
    uses = played(HONEST[name], networks=networks, tickets_each=3000 // networks)
    assert judged(uses) == set()


def test_a_crowd_in_one_network_beside_a_few_others_suspects_nobody() -> None:
    """A LAN party, or all viewers behind one proxy: they take whatever relay they get."""
    uses = played(lambda *_: True, networks=20, tickets_each=10)
    for number, tickets in enumerate((300, 310, 290, 305, 295)):
        uses[address(number), b"crowd"] = Use(tickets, tickets - 7)
    assert judged(uses) == set()


def test_a_pool_of_one_relay_suspects_nobody() -> None:
    uses = played(lambda *_: True, networks=1, tickets_each=5000, relays=1)
    assert list(judge_use(1, RELAYS[:1], uses)) == []


def honest_beside(steering: Callable[[int], bool], tickets_each: int = 100) -> set[Code]:
    """Judge a pool where networks from 20 on throw tickets of relays away that are not theirs."""

    def takes(chance: random.Random, network: int, to: int) -> bool:
        return to == 0 if steering(network) else chance.random() < 0.9

    return judged(played(takes, networks=30, tickets_each=tickets_each))


def test_viewers_of_one_network_that_throw_others_tickets_away_give_their_relay_away() -> None:
    uses = played(lambda *_: True, networks=20, tickets_each=20)
    uses[FIRST, b"own"] = Use(60, 60)
    for number in range(1, 5):
        uses[address(number), b"own"] = Use(60, 0)
    assert judged(uses) == {Code.ONE_NETWORK}
    (suspicion,) = judge_use(1, RELAYS, uses)
    assert suspicion.evidence["peerTickets"] == 240
    assert suspicion.evidence["peerUsed"] == 0


def test_viewers_of_several_networks_that_throw_others_tickets_away_do_so_too() -> None:
    assert Code.STEERED in honest_beside(lambda network: network >= 20)


def test_steering_shows_though_most_of_the_pools_viewers_steer() -> None:
    assert Code.STEERED in honest_beside(lambda network: network >= 3, tickets_each=80)


def test_a_relay_that_alone_gets_through_a_firewall_is_not_suspected() -> None:
    """Peers are compared on its own port and the web's: another port may be closed to a whole company."""
    relays = [RELAYS[0], *(replace(other, port=8200) for other in RELAYS[1:])]
    uses = played(lambda _, network, to: network > 5 or to == 0, networks=30, tickets_each=100)
    assert judged(uses, relays) == set()


def test_nodes_of_one_operator_are_no_peers_of_each_other() -> None:
    uses = played(lambda _, network, to: network >= 20 or to < 2, networks=30, tickets_each=100)
    relays = [RELAYS[0], replace(RELAYS[1], payout=RELAYS[0].payout), *RELAYS[2:]]
    found = codes(list(judge_use(1, relays, uses)))
    assert found >= {(Code.STEERED, FIRST), (Code.STEERED, RELAYS[1].node)}
    assert {node for _, node in found} == {FIRST, RELAYS[1].node}


@given(st.integers(1, 60), st.integers(1, 300), st.floats(0.5, 1.0), st.data())
def test_steering_odds_are_odds_and_fall_with_what_is_thrown_away(
    own: int, elsewhere: int, expected: float, data: st.DataObject
) -> None:
    used = data.draw(st.integers(0, own))
    fewer, more = sorted(data.draw(st.tuples(*[st.integers(0, elsewhere)] * 2)))
    low, high = (
        steering_odds(Use(own, used), Use(elsewhere, taken), expected) for taken in (fewer, more)
    )
    assert 0 <= low <= high * (1 + 1e-6) <= 1 + 1e-6


def test_steering_odds_hold_for_honest_networks() -> None:
    """Of 800 networks that use each ticket by chance, no more fall below some odds than these say."""
    chance = random.Random(5)  # noqa: S311 - no secret
    found = []
    for _ in range(800):
        share = chance.random()
        own = Use(6, sum(chance.random() < share for _ in range(6)))
        peers = Use(18, sum(chance.random() < share * 0.3 for _ in range(18)))
        found.append(steering_odds(own, peers, 0.9))
    for odds in (0.5, 0.1, 0.01):
        assert sum(one <= odds for one in found) <= odds * len(found)


PROBE = Probed(started_at=0, ended_at=20, bytes_received=10**6, is_corrupt=False)
MUTE = [
    replace(PROBE, started_at=at, ended_at=at + 20, bytes_received=0) for at in (1000, 1300, 1600)
]


def probe_codes(probes: list[Probed], signed_at: list[int]) -> set[Code]:
    return {found.code for found in judge_probes(1, RELAYS[0], probes, signed_at)}


def test_one_corrupt_probe_is_an_accident_and_two_are_not() -> None:
    corrupt = replace(PROBE, is_corrupt=True)
    assert probe_codes([PROBE, corrupt], []) == set()
    assert probe_codes([corrupt, PROBE, corrupt], []) == {Code.PROBE_CORRUPT}


def test_a_relay_that_serves_no_probe_is_suspected_only_while_it_hands_in_receipts() -> None:
    assert probe_codes(MUTE, [1200]) == {Code.PROBE_UNSERVED}
    assert probe_codes(MUTE, []) == set()
    assert probe_codes(MUTE, [999, 1621]) == set()
    assert probe_codes(MUTE[1:], [1400]) == set()
    assert probe_codes([*MUTE, replace(PROBE, ended_at=1700)], [1200]) == set()
    close = [replace(probe, started_at=1580, ended_at=1600) for probe in MUTE]
    assert probe_codes(close, [1590]) == set()


def test_a_session_has_no_more_of_a_stream_than_it_had() -> None:
    assert most_streamed_bytes(100, 1000) == 260_000
    assert most_streamed_bytes(-5, 1000) == 60_000


def test_an_operator_with_more_weight_than_tickets_is_noted_and_not_refused() -> None:
    tickets = Counter({number.node: 20 for number in RELAYS})
    level = {number.node: 100 for number in RELAYS}
    assert list(judge_weights(1, RELAYS, level, tickets)) == []
    (found,) = judge_weights(1, RELAYS, level | {FIRST: 400}, tickets)
    assert (found.code, found.node, found.refuses) == (Code.CONCENTRATION, FIRST, False)
    assert found.evidence == {"nodes": 1, "weightPermille": 500, "ticketsPermille": 200}


def test_clusters_share_a_payout_or_a_network_also_by_way_of_others() -> None:
    first, last = relay(1), relay(2)
    between = relay(3, payout=first.payout, network=last.network)
    nowhere = [relay(4, network=None), relay(5, network=None)]
    assert clusters([first, last, between, *nowhere]) == [
        [first, last, between],
        *([one] for one in nowhere),
    ]
    assert codes(list(judge_clusters([first, last, between, *nowhere]))) == {
        (Code.CLUSTER, node.node) for node in (first, last, between)
    }


def test_tickets_are_counted_by_node() -> None:
    uses = {(FIRST, b"a"): Use(2, 1), (FIRST, b"b"): Use(3), (address(1), b"a"): Use(4)}
    assert count_tickets(uses) == {FIRST: 5, address(1): 4}
