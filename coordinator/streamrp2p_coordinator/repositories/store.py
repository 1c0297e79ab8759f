"""The repositories of one transaction."""

from functools import cached_property

from sqlalchemy import Connection, text

from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address
from streamrp2p_coordinator.repositories.batches import Batches
from streamrp2p_coordinator.repositories.epochs import Epochs
from streamrp2p_coordinator.repositories.leaders import Leaders
from streamrp2p_coordinator.repositories.ledger import Ledger
from streamrp2p_coordinator.repositories.nodes import Nodes
from streamrp2p_coordinator.repositories.pools import Pools
from streamrp2p_coordinator.repositories.probes import Probes
from streamrp2p_coordinator.repositories.results import Results
from streamrp2p_coordinator.repositories.sign_ins import SignIns
from streamrp2p_coordinator.repositories.suspicions import Suspicions
from streamrp2p_coordinator.repositories.transactions import Transactions
from streamrp2p_coordinator.repositories.viewers import Viewers


class Store:
    """All repositories over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @cached_property
    def batches(self) -> Batches:
        """Judged batches."""
        return Batches(self._connection)

    @cached_property
    def epochs(self) -> Epochs:
        """Epochs."""
        return Epochs(self._connection)

    @cached_property
    def leader(self) -> Leaders:
        """Who leads."""
        return Leaders(self._connection)

    @cached_property
    def ledger(self) -> Ledger:
        """Sessions, evidence and rejections."""
        return Ledger(self._connection)

    @cached_property
    def nodes(self) -> Nodes:
        """Nodes, registrations and tickets."""
        return Nodes(self._connection)

    @cached_property
    def pools(self) -> Pools:
        """The chain's pools."""
        return Pools(self._connection)

    @cached_property
    def probes(self) -> Probes:
        """Probes, and the streams' rates."""
        return Probes(self._connection)

    @cached_property
    def results(self) -> Results:
        """Settled results."""
        return Results(self._connection)

    @cached_property
    def suspicions(self) -> Suspicions:
        """Suspicions and appeals."""
        return Suspicions(self._connection)

    @cached_property
    def sign_ins(self) -> SignIns:
        """Who is signed in."""
        return SignIns(self._connection)

    @cached_property
    def transactions(self) -> Transactions:
        """The poster's transactions."""
        return Transactions(self._connection)

    @cached_property
    def viewers(self) -> Viewers:
        """What viewers' networks do with their tickets."""
        return Viewers(self._connection)

    def lock_node(self, node: Address) -> None:
        """Let nobody else write for this node until the transaction ends. On SQLite nobody else writes anyway."""
        if self._connection.dialect.name == "postgresql":
            key = int.from_bytes(keccak(b"node" + node)[:8], signed=True)
            self._connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
