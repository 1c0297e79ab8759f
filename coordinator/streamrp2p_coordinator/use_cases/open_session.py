"""Admit a viewer: choose a relay and sign the ticket."""

import secrets
from collections.abc import Callable, Mapping

from streamrp2p import api
from streamrp2p.allocation import Terms
from streamrp2p.numbers import Address, Signature
from streamrp2p.typed_data import SessionTicket
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.errors import (
    ForeignTicketSignerError,
    NoRelayError,
    NotFoundError,
    PoolExhaustedError,
    PoolNotOpenError,
    UnavailableError,
)
from streamrp2p_coordinator.network import Clock, Network, Policy, Signer
from streamrp2p_coordinator.remote_signer import RemoteSigner
from streamrp2p_coordinator.repositories.nodes import StoredNode
from streamrp2p_coordinator.repositories.pools import KnownPool
from streamrp2p_coordinator.repositories.store import Store

MAX_UINT64 = (1 << 64) - 1


def open_session(
    request: api.SessionRequest,
    *,
    database: Database,
    network: Network,
    policy: Policy,
    ticket_signer: Signer,
    remote_signers: Mapping[int, RemoteSigner],
    clock: Clock,
    only: Address | None = None,
) -> api.Session:
    """Return a signed ticket to the least loaded healthy node that the viewer does not exclude.

    The ticket lives to the epoch's end at most. It is signed with the lent key where the pool's terms name that, else
    by the pool's own signer, which is asked outside of any transaction. `only` names the node of a probe, whose ticket
    differs from a viewer's in nothing else. Raises NotFoundError, PoolNotOpenError, PoolExhaustedError,
    ForeignTicketSignerError or, retryable, NoRelayError or TicketSignerError.
    """
    now = clock()
    if now < network.epochs.genesis:
        raise UnavailableError("the first epoch has not begun", network.epochs.genesis - now)
    epoch = network.epochs.at(now)
    with database.read() as store:
        pool = _open_pool(store, request.pool_id, epoch)
        terms = _terms(store, pool, epoch)
        sign = _signing(pool.pool_id, terms, network, ticket_signer, remote_signers)
        nodes = [node for node in store.nodes.all(now) if only in (None, node.node)]
        relay = choose_relay(nodes, request.excluded_nodes)
    expires_at = min(now + policy.ticket_seconds, network.epochs.end(epoch))
    ticket = SessionTicket(
        pool_id=pool.pool_id,
        epoch=epoch,
        node=relay.node,
        viewer=Address(request.viewer),
        max_bytes=_max_bytes(pool, expires_at - now, policy),
        issued_at=now,
        expires_at=expires_at,
        nonce=secrets.randbits(256),
    )
    signature = sign(ticket)
    with database.write() as store:
        store.nodes.add_ticket(
            ticket.session_id, epoch, pool.pool_id, relay.node, ticket.expires_at
        )
    return api.Session(
        ticket=api.SessionTicket.of(ticket), signature=signature, endpoint=relay.endpoint
    )


def choose_relay(nodes: list[StoredNode], excluded: list[bytes]) -> StoredNode:
    """Return the least loaded of the healthy nodes; raises NoRelayError when none is left."""
    candidates = [node for node in nodes if node.is_healthy and node.node not in excluded]
    if not candidates:
        raise NoRelayError(
            "no healthy relay is left for this viewer; try again, and exclude fewer nodes if you can",
            retry_after_seconds=2,
        )
    fewest = min(node.open_sessions for node in candidates)
    # By chance among equals: the order of addresses must not decide who earns.
    return secrets.choice([node for node in candidates if node.open_sessions == fewest])


def _open_pool(store: Store, pool_id: int, epoch: int) -> KnownPool:
    pool = store.pools.find(pool_id)
    if pool is None:
        raise NotFoundError(f"there is no pool {pool_id}; see /v1/pools")
    if not pool.is_open(epoch):
        raise PoolNotOpenError(
            f"pool {pool_id} is not open in epoch {epoch}; choose another stream"
        )
    return pool


def _terms(store: Store, pool: KnownPool, epoch: int) -> Terms:
    terms: Terms | None = store.pools.terms_of(pool.pool_id, epoch)
    if terms is None:
        raise UnavailableError(f"the terms of pool {pool.pool_id} are not read yet; try again")
    left = min(terms.epoch_budget, pool.funded - store.results.cumulative_spend(pool.pool_id))
    if left <= 0:
        raise PoolExhaustedError(
            f"pool {pool.pool_id} has spent all its deposits or has no budget; its streamer must fund it"
        )
    return terms


def _signing(
    pool_id: int,
    terms: Terms,
    network: Network,
    lent: Signer,
    remote_signers: Mapping[int, RemoteSigner],
) -> Callable[[SessionTicket], Signature]:
    """Return what signs a pool's tickets. The terms decide, so that a change takes effect with its epoch."""
    signer = terms.ticket_signer
    if signer == lent.address:
        return lambda ticket: lent.sign(ticket, network.domain)
    if pool_id in remote_signers:
        return lambda ticket: remote_signers[pool_id].sign(ticket, signer)
    raise ForeignTicketSignerError(
        f"tickets of pool {pool_id} are signed by 0x{signer.hex()}, not by this coordinator "
        f"(0x{lent.address.hex()}), which knows no signer to ask; let its operator set one, or lend it the signing"
    )


def _max_bytes(pool: KnownPool, seconds: int, policy: Policy) -> int:
    """Return the most that intake's rule OVER_RATE would let the ticket deliver."""
    return min(pool.max_bytes_per_second * (seconds + policy.rate_slack_seconds), MAX_UINT64)
