"""What attackers do. Each has some machines, each with an address, and may rent more addresses in other networks."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count

from streamrp2p.numbers import Address, Signature
from streamrp2p.receipt import SessionRecord
from streamrp2p.signatures import CURVE_ORDER, sign
from streamrp2p.typed_data import Domain, SessionTicket
from tests.attacks.parties import Claim, Node, Viewer, steadily
from tests.attacks.population import Scale
from tests.attacks.simulation import (
    MAX_BYTES_PER_SECOND,
    OTHER_POOL,
    STREAM_BYTES_PER_SECOND,
    WATCHING,
    Simulation,
)

RENTED_ADDRESSES = 128
PERSISTENCE = 8
"""How many tickets in a row a bot throws away."""


@dataclass(frozen=True, slots=True)
class Attack:
    """`begin` brings the attacker into a simulation. `machines` could be as many honest nodes."""

    name: str
    what: str
    begin: Callable[[Simulation, Scale], object]
    machines: int = 1


def home(machine: int, number: int) -> str:
    """Return an address in a machine's own network; the machine itself has number 10."""
    return f"198.19.{machine}.{number}"


def rented(number: int) -> str:
    """Return an address in a network of its own that is the attacker's for money."""
    return f"198.19.{100 + number}.7"


def own_nodes(simulation: Simulation, machines: int) -> list[Node]:
    """Let each machine relay under one name."""
    return [simulation.add_node(home(each, 10), is_honest=False) for each in range(machines)]


def bots(
    simulation: Simulation,
    hosts: list[str],
    claims: Claim = WATCHING,
) -> list[Viewer]:
    """Let programs pose as viewers, to whom the attacker's nodes send nothing."""
    viewers = [simulation.add_viewer(host, is_honest=False, claims=claims) for host in hosts]
    for viewer in viewers:
        viewer.is_sent = False
    return viewers


def loyal(viewer: Viewer, nodes: list[Node], *, names_others: bool) -> None:
    """Let a viewer use tickets of these nodes alone, and perhaps ask for no others."""
    own = {node.address for node in nodes}
    viewer.takes = lambda node: node.address in own
    viewer.patience = PERSISTENCE
    if names_others:
        viewer.excludes = lambda known: [each.address for each in known if each.address not in own][:64]  # fmt: skip


def self_dealing_at_home(simulation: Simulation, scale: Scale) -> None:
    nodes = own_nodes(simulation, 1)
    for bot in bots(simulation, [home(0, 20 + each) for each in range(scale.bots)]):
        loyal(bot, nodes, names_others=True)


def self_dealing_from_rented_networks(simulation: Simulation, scale: Scale) -> None:
    nodes = own_nodes(simulation, 1)
    for bot in bots(simulation, [rented(each) for each in range(scale.bots)]):
        loyal(bot, nodes, names_others=True)


def serving_nobody_else(simulation: Simulation, scale: Scale) -> None:
    self_dealing_from_rented_networks(simulation, scale)
    for node in simulation.nodes:
        if not node.is_honest:
            node.serves = lambda viewer: not viewer.is_honest


def inflation_at_once(simulation: Simulation, scale: Scale) -> None:
    inflate(simulation, scale, lambda ticket, _: ticket.max_bytes)


def inflation_at(bytes_per_second: int) -> Callable[[Simulation, Scale], None]:
    return lambda simulation, scale: inflate(simulation, scale, steadily(bytes_per_second))


def inflate(simulation: Simulation, scale: Scale, most: Claim) -> None:
    """Let viewers sign for more than they get, at the attacker's node alone: the others count what they send."""
    own = {node.address for node in own_nodes(simulation, 1)}
    bots(
        simulation,
        [rented(each) for each in range(scale.bots)],
        lambda ticket, now: (most if ticket.node in own else WATCHING)(ticket, now),
    )


def sybil(names: int) -> Callable[[Simulation, Scale], None]:
    def begin(simulation: Simulation, scale: Scale) -> None:
        first = simulation.add_node(home(0, 10), is_honest=False)
        for number in range(1, names):
            simulation.add_node(home(0, 10 + number), is_honest=False, payout=first.payout)

    return begin


def sybil_in_rented_networks(simulation: Simulation, scale: Scale) -> None:
    simulation.add_node(home(0, 10), is_honest=False)
    for number in range(4):
        simulation.add_node(rented(number), is_honest=False)


def ring(simulation: Simulation, scale: Scale) -> None:
    nodes = own_nodes(simulation, 3)
    for bot in bots(simulation, [rented(each) for each in range(scale.bots)]):
        loyal(bot, nodes, names_others=False)


def ring_that_moves(simulation: Simulation, scale: Scale) -> None:
    """Let each bot ask for each ticket from another address; it rents one at a time."""
    ring(simulation, scale)
    moving = [viewer for viewer in simulation.viewers if not viewer.is_honest]
    turns = count()

    def act(_: Simulation) -> None:
        turn = next(turns)
        for number, bot in enumerate(moving):
            bot.host = rented((number + turn * len(moving)) % RENTED_ADDRESSES)

    simulation.acts.append(act)


def empty_tickets(simulation: Simulation, scale: Scale) -> None:
    (node,) = own_nodes(simulation, 1)
    for bot in bots(simulation, [rented(each) for each in range(scale.bots)]):
        bot.takes = lambda _: False
        bot.excludes = lambda _: [node.address]


def framing(simulation: Simulation, scale: Scale) -> None:
    own_nodes(simulation, 1)
    victim = next(node for node in simulation.nodes if node.is_honest)
    for bot in bots(simulation, [rented(each) for each in range(scale.bots)]):
        bot.is_sent = True
        loyal(bot, [victim], names_others=False)


def framing_at_home(simulation: Simulation, scale: Scale) -> None:
    framing(simulation, scale)
    for each, bot in enumerate(viewer for viewer in simulation.viewers if not viewer.is_honest):
        bot.host = home(0, 20 + each)


def wash(networks: int | None) -> Callable[[Simulation, Scale], None]:
    def begin(simulation: Simulation, scale: Scale) -> None:
        own_nodes(simulation, 1)
        hosts = [rented(each % networks if networks else each) for each in range(scale.bots)]
        for bot in bots(simulation, hosts):
            bot.is_sent = True

    return begin


def replay(simulation: Simulation, scale: Scale) -> None:
    (thief,) = own_nodes(simulation, 1)
    simulation.acts.append(Replay(thief))


@dataclass
class Replay:
    """Hands in again what was handed in before, changed by as little as may make it count once more."""

    thief: Node
    old: SessionRecord | None = None

    def __call__(self, simulation: Simulation) -> None:
        own = simulation.handed_in[self.thief.address]
        others = [simulation.handed_in[node.address] for node in simulation.nodes if node.is_honest]
        stolen: dict[int, list[SessionRecord]] = defaultdict(list)
        for record in [newest[-1] for newest in (own, *others[:2]) if newest]:
            for variant in self.variants(record, simulation.world.domain):
                stolen[variant.ticket.epoch].append(variant)
        if self.old is not None:
            stolen[self.old.ticket.epoch].append(self.old)
        for epoch, records in stolen.items():
            simulation.hand_in(self.thief, epoch, records)
        self.old = self.old or (own[0] if own else None)

    def variants(self, record: SessionRecord, domain: Domain) -> list[SessionRecord]:
        ticket = record.ticket
        return [
            record,
            _with_ticket(record, node=self.thief.address),
            _with_ticket(record, epoch=ticket.epoch + 1),
            _with_ticket(record, pool_id=OTHER_POOL),
            _with_ticket(record, nonce=ticket.nonce + 1),
            replace(record, ticket_signature=malleated(record.ticket_signature)),
            replace(record, receipt_signature=malleated(record.receipt_signature)),
            self.of_another_chain(record, domain),
        ]

    def of_another_chain(self, record: SessionRecord, domain: Domain) -> SessionRecord:
        """Sign a ticket for oneself as the signer of a chain where one lends oneself the pool."""
        other = Domain(domain.chain_id + 1, domain.epoch_book)
        ticket = replace(record.ticket, node=self.thief.address)
        key = self.thief.actor.key
        return replace(record, ticket=ticket, ticket_signature=sign(ticket.digest(other), key))


def _with_ticket(record: SessionRecord, **changed: int | Address) -> SessionRecord:
    ticket: SessionTicket = replace(record.ticket, **changed)  # type: ignore[arg-type]
    return replace(record, ticket=ticket)


def malleated(signature: Signature) -> Signature:
    """Return the other signature of the same message by the same key: anybody can make it."""
    s, v = int.from_bytes(signature[32:64]), signature[64]
    return Signature(signature[:32] + (CURVE_ORDER - s).to_bytes(32) + bytes([55 - v]))


ATTACKS = (
    Attack(
        "self-dealing at home",
        "Viewers in the node's own network ask for no other node. They watch nothing and sign for all.",
        self_dealing_at_home,
    ),
    Attack(
        "self-dealing from rented networks",
        "The same viewers, each from an address in a network of its own.",
        self_dealing_from_rented_networks,
    ),
    Attack(
        "serving nobody else",
        "The same, and the node turns away every real viewer.",
        serving_nobody_else,
    ),
    Attack(
        "replay",
        "Each record again: for another epoch, node, pool, chain and ticket, and with malleated signatures.",
        replay,
    ),
    Attack(
        "inflation at once",
        "Viewers sign at once for all that a ticket allows.",
        inflation_at_once,
    ),
    Attack(
        "inflation at the pool's rate",
        "Viewers sign for the pool's rate, six times the stream's.",
        inflation_at(MAX_BYTES_PER_SECOND),
    ),
    Attack(
        "inflation at twice the stream's rate",
        "Viewers sign for twice what the stream has.",
        inflation_at(2 * STREAM_BYTES_PER_SECOND),
    ),
    *(
        Attack(
            f"sybil, {names} names",
            f"One machine relays under {names} names, at addresses of one network, for one payout account.",
            sybil(names),
        )
        for names in (2, 5, 20)
    ),
    Attack(
        "sybil, 5 names in rented networks",
        "The same machine under 5 names, with a network and a payout account for each.",
        sybil_in_rented_networks,
    ),
    Attack(
        "collusion",
        "Three operators' viewers, in rented networks, throw tickets away until they get one of the three.",
        ring,
        machines=3,
    ),
    Attack(
        "collusion that moves",
        "The same, and each of their viewers changes its network every few minutes.",
        ring_that_moves,
        machines=3,
    ),
    Attack(
        "empty tickets",
        "Viewers ask for tickets of all other nodes and use none: the others look busy.",
        empty_tickets,
    ),
    Attack(
        "framing",
        "Viewers in rented networks really watch, at one honest node alone, so that it looks like a cheat.",
        framing,
    ),
    Attack(
        "framing from one network",
        "The same viewers, all in one network.",
        framing_at_home,
    ),
    Attack(
        "wash traffic from two networks",
        "Viewers that nobody sits at take whatever node they get, and really fetch.",
        wash(2),
    ),
    Attack(
        "wash traffic from many networks",
        "The same from an address in a network of its own each.",
        wash(None),
    ),
)
