"""Where a coordinator stands, read from its database and the chain."""

from typing import Any

from streamrp2p.chain import Deployment, connect
from streamrp2p_coordinator.bundles import Bundles
from streamrp2p_coordinator.database import open_existing
from streamrp2p_coordinator.leadership import LEADER_LOCK
from streamrp2p_coordinator.migrate import check_schema
from streamrp2p_coordinator.sdk_chain import SdkChain
from streamrp2p_coordinator.services import system_clock
from streamrp2p_coordinator.settings import Settings
from streamrp2p_coordinator.use_cases.observe import observe


def read_status(settings: Settings) -> dict[str, Any]:
    """Return what an operator wants to see. Changes nothing.

    Raises ConfigurationError when no coordinator of this version ran yet, retryable errors when chain or database
    does not answer.
    """
    deployment = Deployment.load(settings.deployment)
    chain = SdkChain(
        connect(settings.rpc_url, deployment.chain_id), deployment, settings.confirmations
    )
    network = chain.network()
    database = open_existing(settings.database_url)
    try:
        check_schema(database)
        seen = observe(
            database=database,
            chain=chain,
            network=network,
            bundles=Bundles(settings.bundle_dir),
            poster=chain.book().poster,
            clock=system_clock,
        )
        with database.read() as store:
            live = store.transactions.live(seen.book.poster)
            newest_term = store.leader.newest()
        is_led = database.is_held(LEADER_LOCK)
    finally:
        database.close()
    return {
        "leader": newest_term.name if newest_term is not None and is_led else None,
        "leaderTerm": None if newest_term is None else newest_term.number,
        "chainId": deployment.chain_id,
        "newestBlock": seen.newest.number,
        "clockSkewSeconds": seen.time - seen.newest.time,
        "readUntilBlock": None if seen.read_until is None else seen.read_until.number,
        "epoch": network.epochs.at(max(seen.time, network.epochs.genesis)),
        "nextToSettle": seen.settled,
        "nextToCommit": seen.committed,
        "nextToFinalise": seen.final,
        "poster": "0x" + seen.book.poster.hex(),
        "posterBalanceWei": seen.poster_balance_wei,
        "bondWei": seen.book.bond_wei,
        "isBonded": seen.is_bonded,
        "nodes": seen.nodes,
        "healthyNodes": seen.healthy_nodes,
        "openSessions": seen.open_sessions,
        "liveTransactions": [f"{one.purpose} {one.subject}" for one in live],
        "pendingRegistrations": seen.pending_registrations,
    }
