"""What speaks against a node in a pool: the policy of docs/fraud-detection.md, judged on counts. Pure.

A suspicion with a code below FIRST_NOTE makes intake refuse the node's records in that pool before they are
acknowledged; others are told to the operator alone. Whatever viewers do is only noted: somebody who wants an honest
node suspected can send it such viewers.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from streamrp2p.evidence import Facts
from streamrp2p.numbers import Address
from streamrp2p.verify import Code

Network = bytes
"""A viewer's network, IPv4 /24 or IPv6 /48, under a name that tells nobody which it is."""

STEERING_ODDS = 1e-9
"""How likely a node whose viewers take what they get may be noted, in one look at one pool."""
NETWORK_ODDS = 1e-4
"""How likely one network may look as if it threw other nodes' tickets away, to count as one that does."""
PEER_SHARE = 1 / 3
"""What part of the use that other networks make of a node's peers is asked of one: it may fail at two of three."""
MIN_CONTROL_NETWORKS = 3
MIN_CONTROL_TICKETS = 20
MIN_CONTROL_USED = 0.5
"""A peer works if so many other networks had so many tickets to it, and used so large a part of them."""
MIN_SESSIONS = 20
"""Nothing is read into fewer sessions of a node than this."""
MIN_SHARE = 0.25
"""Networks that make a smaller part of a node's sessions than this say nothing about the node."""
MIN_STEERING_NETWORKS = 3
CONCENTRATION_FACTOR = 2
FIRST_NOTE = 110
UNSERVED_PROBES = 3
UNSERVED_SECONDS = 600
CORRUPT_PROBES = 2
BITRATE_FACTOR = 2
"""A viewer who keeps jumping back fetches the same media again, but not twice what is played."""
BITRATE_SLACK_SECONDS = 60
"""A player fills its buffer at the start, and has media of before its ticket."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A rule's verdict on one node in one pool; without a pool, in all."""

    code: Code
    node: Address
    pool_id: int | None
    evidence: Facts

    @property
    def refuses(self) -> bool:
        """Tell whether intake refuses for it; else it is noted for the operator."""
        return self.code < FIRST_NOTE


@dataclass(frozen=True, slots=True)
class Relay:
    """A node as these rules see it. `network` is that of its endpoint, None if it is not known."""

    node: Address
    payout: Address
    network: str | None
    port: int


@dataclass(frozen=True, slots=True)
class Use:
    """How many expired tickets were issued, and how many of them have a receipt for more than nothing."""

    tickets: int = 0
    used: int = 0

    def __add__(self, other: "Use") -> "Use":
        """Return both together."""
        return Use(self.tickets + other.tickets, self.used + other.used)

    def __sub__(self, other: "Use") -> "Use":
        """Return this without the other."""
        return Use(self.tickets - other.tickets, self.used - other.used)


Uses = Mapping[tuple[Address, Network], Use]
"""One pool's tickets by the node that they name and the network that asked."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What a hidden viewer of the coordinator got from a node in one session."""

    started_at: int
    ended_at: int
    bytes_received: int
    is_corrupt: bool


def most_streamed_bytes(elapsed_seconds: int, stream_bytes_per_second: int) -> int:
    """Return the most that one session can have had of a stream after so long (OVER_BITRATE)."""
    seconds = BITRATE_FACTOR * max(elapsed_seconds, 0) + BITRATE_SLACK_SECONDS
    return stream_bytes_per_second * seconds


def judge_probes(
    pool_id: int, relay: Relay, probes: Sequence[Probed], signed_at: Sequence[int]
) -> Iterator[Suspicion]:
    """Judge by the probes of this epoch and the one before: PROBE_CORRUPT, PROBE_UNSERVED.

    `signed_at` are the times of receipts for more than nothing that the node handed in for other viewers of the pool;
    they are looked at only where `unserved_probes` finds some.
    """
    corrupt = sum(probe.is_corrupt for probe in probes)
    if corrupt >= CORRUPT_PROBES:
        evidence = {"probes": len(probes), "corrupt": corrupt}
        yield Suspicion(Code.PROBE_CORRUPT, relay.node, pool_id, evidence)
    unserved = unserved_probes(probes)
    if not unserved:
        return
    first, last = unserved[0].started_at, unserved[-1].ended_at
    receipts = sum(first <= at <= last for at in signed_at)
    if receipts:
        evidence = {"probes": len(unserved), "seconds": last - first, "receipts": receipts}
        yield Suspicion(Code.PROBE_UNSERVED, relay.node, pool_id, evidence)


def unserved_probes(probes: Sequence[Probed]) -> list[Probed]:
    """Return the last probes, oldest first, if they got nothing, are so many and took so long that it counts."""
    newest_first = sorted(probes, key=lambda probe: probe.ended_at, reverse=True)
    unserved = list(takewhile(lambda probe: not probe.bytes_received, newest_first))[::-1]
    if len(unserved) < UNSERVED_PROBES:
        return []
    seconds = unserved[-1].ended_at - unserved[0].started_at
    return unserved if seconds >= UNSERVED_SECONDS else []


def judge_use(pool_id: int, relays: Sequence[Relay], uses: Uses) -> Iterator[Suspicion]:
    """Judge by which tickets were used: ONE_NETWORK, STEERED.

    The coordinator chose the node of each ticket. An honest viewer takes what it gets; one that is there for a certain
    node throws tickets of others away. Compared are therefore, in each network, the tickets to the node and those to
    its peers: nodes of other operators, on the same port or the web's own (so that a firewall treats them alike), that
    serve other networks well.
    """
    known = {relay.node: relay for relay in relays}
    by_network: defaultdict[Network, dict[Address, Use]] = defaultdict(dict)
    by_node: defaultdict[Address, dict[Network, Use]] = defaultdict(dict)
    for (node, network), use in uses.items():
        if node in known:
            by_network[network][node] = by_node[node][network] = use
    controls = {node: _control(networks.values()) for node, networks in by_node.items()}
    for node, networks in by_node.items():
        sessions = sum(use.used for use in networks.values())
        if sessions < MIN_SESSIONS:
            continue
        judged: list[_Judged] = []
        for network, own in networks.items():
            peers = [
                (use, controls[other].without(use))
                for other, use in by_network[network].items()
                if _is_peer(known[other], known[node])
            ]
            judged += _judge_network(own, [peer for peer in peers if peer[1].works])
        yield from _judge_networks(pool_id, node, sessions, judged)


def judge_weights(
    pool_id: int,
    relays: Sequence[Relay],
    weights: Mapping[Address, int],
    tickets: Mapping[Address, int],
) -> Iterator[Suspicion]:
    """Note operators with far more of the pool's weight than of its tickets (CONCENTRATION)."""
    weight, issued = sum(weights.values()), sum(tickets.values())
    if issued < MIN_SESSIONS or not weight:
        return
    for group in clusters(relays):
        own_weight = sum(weights.get(relay.node, 0) for relay in group)
        own_tickets = sum(tickets.get(relay.node, 0) for relay in group)
        is_much = own_weight >= MIN_SHARE * weight
        if is_much and own_weight * issued > CONCENTRATION_FACTOR * own_tickets * weight:
            evidence = {
                "nodes": len(group),
                "weightPermille": own_weight * 1000 // weight,
                "ticketsPermille": own_tickets * 1000 // issued,
            }
            for relay in group:
                yield Suspicion(Code.CONCENTRATION, relay.node, pool_id, evidence)


def judge_clusters(relays: Sequence[Relay]) -> Iterator[Suspicion]:
    """Note nodes of one payout account or one network (CLUSTER)."""
    for group in clusters(relays):
        if len(group) > 1:
            evidence = {
                "nodes": len(group),
                "payouts": len({relay.payout for relay in group}),
                "networks": len({relay.network for relay in group}),
            }
            for relay in group:
                yield Suspicion(Code.CLUSTER, relay.node, None, evidence)


def clusters(relays: Sequence[Relay]) -> list[list[Relay]]:
    """Group nodes that share a payout account or a network, also by way of others; in the order given."""
    groups: list[list[Relay]] = []
    for relay in relays:
        related = [group for group in groups if any(_is_related(relay, other) for other in group)]
        groups = [group for group in groups if group not in related]
        groups.append([*(other for group in related for other in group), relay])
    return groups


def _is_related(one: Relay, other: Relay) -> bool:
    return one.payout == other.payout or (one.network is not None and one.network == other.network)


def _is_peer(other: Relay, relay: Relay) -> bool:
    # A payout tells the operator. A network does not: unrelated nodes are rented in one.
    return other.payout != relay.payout and other.port in (relay.port, 443)


@dataclass(frozen=True, slots=True)
class _Control:
    """What the networks that a node reaches at all make of its tickets.

    A network counts if it used one; that one is left out, or few tickets would look well used.
    """

    networks: int
    use: Use

    @property
    def works(self) -> bool:
        return (
            self.networks >= MIN_CONTROL_NETWORKS
            and self.use.tickets >= MIN_CONTROL_TICKETS
            and self.use.used >= MIN_CONTROL_USED * self.use.tickets
        )

    def without(self, own: Use) -> "_Control":
        return _Control(self.networks - 1, self.use - own + Use(1, 1)) if own.used else self


def _control(uses: Iterable[Use]) -> _Control:
    reached = [use for use in uses if use.used]
    return _Control(len(reached), sum((use - Use(1, 1) for use in reached), Use()))


@dataclass(frozen=True, slots=True)
class _Judged:
    """One network's tickets to a node and to its peers, and how likely an honest one comes to that."""

    odds: float
    own: Use
    elsewhere: Use


def _judge_network(own: Use, peers: Sequence[tuple[Use, _Control]]) -> Iterator[_Judged]:
    elsewhere = sum((use for use, _ in peers), Use())
    if elsewhere.tickets:
        expected = sum(
            use.tickets * control.use.used / control.use.tickets for use, control in peers
        )
        odds = steering_odds(own, elsewhere, expected / elsewhere.tickets)
        yield _Judged(odds, own, elsewhere)


def _judge_networks(
    pool_id: int, node: Address, sessions: int, judged: Sequence[_Judged]
) -> Iterator[Suspicion]:
    steering = [network for network in judged if network.odds <= NETWORK_ODDS]
    if not steering:
        return
    count, surest = len(steering), min(steering, key=lambda network: network.odds)
    enough = max(MIN_SESSIONS, MIN_SHARE * sessions)
    if surest.own.used >= enough and surest.odds * len(judged) < STEERING_ODDS:
        evidence = _evidence(sessions, [surest])
        yield Suspicion(Code.ONE_NETWORK, node, pool_id, evidence)
    # However sure each is: a viewer who reaches this one node alone makes its network look like that.
    if (
        count >= MIN_STEERING_NETWORKS
        and sum(network.own.used for network in steering) >= enough
        and math.comb(len(judged), count) * NETWORK_ODDS**count < STEERING_ODDS
    ):
        yield Suspicion(Code.STEERED, node, pool_id, _evidence(sessions, steering))


def _evidence(sessions: int, networks: Sequence[_Judged]) -> Facts:
    own = sum((network.own for network in networks), Use())
    elsewhere = sum((network.elsewhere for network in networks), Use())
    return {
        "nodeSessions": sessions,
        "networks": len(networks),
        "ownTickets": own.tickets,
        "ownUsed": own.used,
        "peerTickets": elsewhere.tickets,
        "peerUsed": elsewhere.used,
    }


def steering_odds(own: Use, elsewhere: Use, expected_share: float) -> float:
    """Bound how likely a network uses so many of a node's tickets and so few of its peers' by chance.

    However eager its viewers are (a share `u` of tickets used at the node), peers get at least
    `u * PEER_SHARE * expected_share`, where the last is what the other networks use of the peers' tickets. Of all `u`
    the likeliest counts: `P(X >= used) * P(Y <= used elsewhere)`, both by Chernoff's bound of a binomial. The
    product `t` of two independent odds is below `t` with odds `t * (1 - ln t)`, which is returned.
    """
    low, high = 0.0, 1.0

    def log_odds(share: float) -> float:
        peers_share = min(share * PEER_SHARE * expected_share, 1.0)
        return _log_at_least(own, share) + _log_at_most(elsewhere, peers_share)

    # Each of the two is concave in the share, and so is their sum.
    for _ in range(40):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        if log_odds(left) < log_odds(right):
            low = left
        else:
            high = right
    log = min(log_odds((low + high) / 2), 0.0)
    return math.exp(log) * (1 - log)


def _log_at_least(use: Use, share: float) -> float:
    rate = use.used / use.tickets
    return 0.0 if rate <= share else -use.tickets * _divergence(rate, share)


def _log_at_most(use: Use, share: float) -> float:
    rate = use.used / use.tickets
    return 0.0 if rate >= share else -use.tickets * _divergence(rate, share)


def _divergence(rate: float, share: float) -> float:
    """Return the Kullback-Leibler divergence of two coins, in nats."""
    total = 0.0
    for observed, expected in ((rate, share), (1 - rate, 1 - share)):
        if observed > 0:
            if expected <= 0:
                return math.inf
            total += observed * math.log(observed / expected)
    return total


def count_tickets(uses: Uses) -> Counter[Address]:
    """Return how many tickets each node got."""
    tickets: Counter[Address] = Counter()
    for (node, _), use in uses.items():
        tickets[node] += use.tickets
    return tickets
