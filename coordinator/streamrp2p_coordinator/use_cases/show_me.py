"""What a signed-in account sees of its own: nodes with their health, refusals to look at, its pools' viewers."""

from streamrp2p import api
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.network import Clock
from streamrp2p_coordinator.repositories.nodes import StoredNode
from streamrp2p_coordinator.repositories.store import Store
from streamrp2p_coordinator.use_cases.sign_in import SignedIn

EPOCHS_SHOWN = 24
"""How many of the newest epochs with refusals are named, of each node."""


def show_me(signed_in: SignedIn, *, database: Database, clock: Clock) -> api.Me:
    """Show an account the nodes that it is or is paid for, and the pools that it made. Raises StorageError."""
    account, now = signed_in.account, clock()
    with database.read() as store:
        return api.Me(
            account=account,
            expires_at=signed_in.expires_at,
            nodes=[_own_node(store, node) for node in store.nodes.of_account(account, now)],
            pools=[
                api.OwnPool(
                    pool_id=pool_id,
                    nodes=[
                        api.NodeLoad(node=node, open_sessions=sessions)
                        for node, sessions in store.nodes.load_of_pool(pool_id, now)
                    ],
                )
                for pool_id in store.pools.of_streamer(account)
            ],
        )


def _own_node(store: Store, node: StoredNode) -> api.OwnNode:
    return api.OwnNode(
        node=node.node,
        payout=node.payout,
        endpoint=node.endpoint,
        is_healthy=node.is_healthy,
        open_sessions=node.open_sessions,
        checked_at=node.checked_at,
        unreachable_at=node.unreachable_at,
        suspended_at=node.suspended_at,
        refusals=[
            api.EpochRefusals(
                epoch=epoch,
                count=count,
                explanation=f"/v1/accounts/0x{node.node.hex()}/epochs/{epoch}",
            )
            for epoch, count in store.ledger.rejection_counts(node.node, EPOCHS_SHOWN)
        ],
    )
