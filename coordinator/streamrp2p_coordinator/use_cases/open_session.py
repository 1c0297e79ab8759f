"""Admit a viewer: choose a relay and sign the ticket."""

import secrets
from collections.abc import Callable, Mapping

from streamrp2p import api
from streamrp2p.allocation import Terms
from streamrp2p.numbers import Address, Signature
from streamrp2p.typed_data import SessionTicket
from streamrp2p_coordinator.choice import choose_relay
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.errors import (
    ForeignTicketSignerError,
    NotFoundError,
    PoolExhaustedError,
    PoolNotOpenError,
    TooOftenError,
    UnavailableError,
)
from streamrp2p_coordinator.network import Clock, Network, Policy, Signer
from streamrp2p_coordinator.remote_signer import RemoteSigner
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
    viewer_network: str | None = None,
) -> api.Session:
    """Return a signed ticket to the node that `choose_relay` chooses. `viewer_network` is where the asker is.

    The ticket lives to the epoch's end at most. It is signed with the lent key where the pool's terms name that, else
    by the pool's own signer, which is asked outside of any transaction. `only` names the node of a probe, whose ticket
    differs from a viewer's in nothing else. Raises NotFoundError, PoolNotOpenError, PoolExhaustedError,
    ForeignTicketSignerError or, retryable, TooOftenError, NoRelayError or TicketSignerError.
    """
    now = clock()
    if now < network.epochs.genesis:
        raise UnavailableError("the first epoch has not begun", network.epochs.genesis - now)
    epoch = network.epochs.at(now)
    name = None if viewer_network is None else _name(database, viewer_network, now)
    with database.read() as store:
        pool = _open_pool(store, request.pool_id, epoch)
        terms = _terms(store, pool, epoch)
        sign = _signing(pool.pool_id, terms, network, ticket_signer, remote_signers)
        nodes = [node for node in store.nodes.all(now) if only in (None, node.node)]
        if name is not None:
            _check_count(store, name, pool.pool_id, now, policy)
        recent = None if name is None else store.viewers.recent_nodes(name)
        relay = choose_relay(nodes, request.excluded_nodes, viewer_network, recent)
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
            ticket.session_id, epoch, pool.pool_id, relay.node, ticket.expires_at, name
        )
    return api.Session(
        ticket=api.SessionTicket.of(ticket), signature=signature, endpoint=relay.endpoint
    )


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


def _name(database: Database, viewer_network: str, now: int) -> bytes:
    with database.read() as store:
        name = store.viewers.find_name(viewer_network, now)
    if name is not None:
        return name
    with database.write() as store:
        return store.viewers.name_network(viewer_network, now)


def _check_count(store: Store, name: bytes, pool_id: int, now: int, policy: Policy) -> None:
    if store.viewers.open_tickets(name, pool_id, now) >= policy.max_tickets_per_network:
        raise TooOftenError(
            f"your network has {policy.max_tickets_per_network} tickets to pool {pool_id} that have not expired; "
            "wait for some to expire",
            retry_after_seconds=10,
        )


def _max_bytes(pool: KnownPool, seconds: int, policy: Policy) -> int:
    """Return the most that intake's rule OVER_RATE would let the ticket deliver."""
    return min(pool.max_bytes_per_second * (seconds + policy.rate_slack_seconds), MAX_UINT64)
