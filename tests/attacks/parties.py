"""Who takes part in a simulation: nodes and viewers, honest or not, each at an address of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from streamrp2p import api
from streamrp2p.numbers import Address
from streamrp2p.receipt import SessionRecord
from streamrp2p.signatures import address_of
from streamrp2p.typed_data import Domain, SessionTicket
from tests.coordinator import actors


@dataclass
class Node:
    """A name under which a machine relays. What a viewer signed waits in `outbox` until it is handed in."""

    actor: actors.Node
    host: str
    payout: Address
    is_honest: bool
    is_up: bool = True
    serves: "Callable[[Viewer], bool]" = lambda _: True
    outbox: list[SessionRecord] = field(default_factory=list)

    @cached_property
    def address(self) -> Address:
        return self.actor.address

    @property
    def endpoint(self) -> str:
        return f"http://{self.host}:8200"


@dataclass
class Session:
    """One ticket that is used: `viewed` signs its receipts."""

    viewed: actors.Viewer
    node: Node
    sequence: int = 0
    delivered: int = 0

    @property
    def ticket(self) -> SessionTicket:
        return self.viewed.ticket


Claim = Callable[[SessionTicket, int], int]
"""What a viewer signs for at a time, given its ticket: bytes since the session began."""


@dataclass
class Viewer:
    """A player. It asks for a ticket, up to `patience` times until it `takes` a node, and signs what it `claims`.

    `excludes` names the nodes that it asks not to get, given all that are known. `is_sent` tells whether a node
    really sends it what it signs for.
    """

    key: bytes
    host: str | None
    is_honest: bool
    claims: Claim
    takes: Callable[[Node], bool] = lambda _: True
    excludes: Callable[[Sequence[Node]], list[Address]] = lambda _: []
    patience: int = 1
    skew_seconds: int = 0
    is_sent: bool = True
    joins_at: int = 0
    session: Session | None = None

    @cached_property
    def address(self) -> Address:
        return address_of(self.key)

    def open(self, answer: api.Session, node: Node, domain: Domain) -> None:
        """Use a ticket."""
        self.session = Session(
            actors.Viewer(answer.ticket.message(), answer.signature, domain, self.key), node
        )


def steadily(bytes_per_second: int) -> Claim:
    """Watch at the live edge."""
    return lambda ticket, now: bytes_per_second * max(min(now, ticket.expires_at) - ticket.issued_at, 0)  # fmt: skip
