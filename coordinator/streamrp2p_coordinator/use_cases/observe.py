"""Look where database and chain stand: what an operator watches, in one place for metrics, alerts and `status`."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import disk_usage

from streamrp2p.numbers import Address
from streamrp2p_coordinator.bundles import Bundles
from streamrp2p_coordinator.chain import Block, Book, Chain
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.network import Clock, Network
from streamrp2p_coordinator.repositories.transactions import Purpose

MAX_REGISTRATIONS = 1000
"""Beyond so many registrations that wait to be relayed, their number is of no interest."""
MAX_APPEALS = 1000
"""As many appeals that wait to be answered."""


@dataclass(frozen=True, slots=True)
class Observation:
    """Where a coordinator stands. Times are Unix seconds, amounts wei.

    The epochs below each of `ended` (intake is over), `settled`, `committed` and `final` came as far.
    """

    time: int
    newest: Block
    read_until: Block | None
    book: Book
    poster_balance_wei: int
    ended: int
    settled: int
    live_transactions: Mapping[Purpose, int]
    pending_registrations: int
    """Of how many nodes one waits for the chain."""
    nodes: int
    healthy_nodes: int
    open_sessions: int
    suspicions: Mapping[str, int]
    """How many hold, by the name of their code."""
    waiting_appeals: int
    disk_free_bytes: Mapping[str, int]
    """Room for `bundles`, and for `database` if it is on this machine."""

    @property
    def committed(self) -> int:
        """Return how many epochs have a header on chain."""
        return self.book.next_epoch

    @property
    def final(self) -> int:
        """Return how many epochs are final."""
        return self.book.finalised_epochs

    @property
    def is_bonded(self) -> bool:
        """Tell whether the poster may commit."""
        return self.book.bond_wei >= self.book.required_bond_wei


def observe(
    *,
    database: Database,
    chain: Chain,
    network: Network,
    bundles: Bundles,
    poster: Address,
    clock: Clock,
) -> Observation:
    """Return where things stand now. Raises retryable errors when chain or database does not answer."""
    now = clock()
    newest, book, balance_wei = chain.newest(), chain.book(), chain.balance(poster)
    with database.read() as store:
        read_until = store.pools.read_until()
        settled = store.epochs.first_unsettled()
        live = store.transactions.live(poster)
        registrations = store.nodes.pending_registrations(MAX_REGISTRATIONS)
        nodes = store.nodes.all(now)
        suspicions = store.suspicions.open(now)
        appeals = store.suspicions.unanswered_appeals(MAX_APPEALS)
    return Observation(
        time=now,
        newest=newest,
        read_until=read_until,
        book=book,
        poster_balance_wei=balance_wei,
        ended=_ended(network, now),
        settled=settled,
        live_transactions=Counter(transaction.purpose for transaction in live),
        pending_registrations=len(registrations),
        nodes=len(nodes),
        healthy_nodes=sum(node.is_healthy for node in nodes),
        open_sessions=sum(node.open_sessions for node in nodes),
        suspicions=Counter(stored.suspicion.code.name.lower() for stored in suspicions),
        waiting_appeals=len(appeals),
        disk_free_bytes=_disk_free({"bundles": bundles.folder, "database": database.folder}),
    )


def _disk_free(folders: Mapping[str, Path | None]) -> Mapping[str, int]:
    return {name: disk_usage(folder).free for name, folder in folders.items() if folder is not None}


def _ended(network: Network, now: int) -> int:
    epochs = network.epochs
    before_grace = now - epochs.intake_grace_seconds
    return epochs.at(before_grace) if before_grace >= epochs.genesis else 0
