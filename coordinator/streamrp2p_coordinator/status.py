"""Where a coordinator stands, read from its database and the chain."""

from typing import Any

from streamrp2p.chain import Deployment, connect
from streamrp2p_coordinator.database import open_database
from streamrp2p_coordinator.migrate import migrate
from streamrp2p_coordinator.sdk_chain import SdkChain
from streamrp2p_coordinator.services import system_clock
from streamrp2p_coordinator.settings import Settings


def read_status(settings: Settings) -> dict[str, Any]:
    """Return what an operator wants to see. Raises retryable errors when chain or database does not answer."""
    deployment = Deployment.load(settings.deployment)
    chain = SdkChain(
        connect(settings.rpc_url, deployment.chain_id), deployment, settings.confirmations
    )
    network, book, newest = chain.network(), chain.book(), chain.newest()
    now = system_clock()
    database = open_database(settings.database_url)
    try:
        migrate(database)
        with database.read() as store:
            read_until = store.pools.read_until()
            first_unsettled = store.epochs.first_unsettled()
            nodes = store.nodes.all(now)
            live = store.transactions.live()
            registrations = store.nodes.pending_registrations(1000)
    finally:
        database.close()
    return {
        "chainId": deployment.chain_id,
        "newestBlock": newest.number,
        "clockSkewSeconds": now - newest.time,
        "readUntilBlock": None if read_until is None else read_until.number,
        "epoch": network.epochs.at(max(now, network.epochs.genesis)),
        "nextToSettle": first_unsettled,
        "nextToCommit": book.next_epoch,
        "nextToFinalise": book.finalised_epochs,
        "poster": "0x" + book.poster.hex(),
        "bondWei": book.bond_wei,
        "isBonded": book.bond_wei >= book.required_bond_wei,
        "nodes": len(nodes),
        "healthyNodes": sum(node.is_healthy for node in nodes),
        "openSessions": sum(node.open_sessions for node in nodes),
        "liveTransactions": [f"{one.purpose} {one.subject}" for one in live],
        "pendingRegistrations": len(registrations),
    }
