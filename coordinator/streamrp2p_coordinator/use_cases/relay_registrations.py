"""Relay accepted registrations to `NodeRegistry`, so that claims find the payout addresses."""

from streamrp2p.api import RegistrationState
from streamrp2p.chain import TransactionRevertedError
from streamrp2p.numbers import Signature
from streamrp2p.typed_data import NodeRegistration
from streamrp2p_coordinator.chain import Chain
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.network import Clock, Signer
from streamrp2p_coordinator.outbox import is_under_way, record_and_send
from streamrp2p_coordinator.repositories.nodes import DONE, FAILED

BATCH = 100
"""How many nodes' registrations one run looks at."""


def relay_registrations(*, database: Database, chain: Chain, poster: Signer, clock: Clock) -> int:
    """Relay what the chain does not hold yet; returns how many transactions were made."""
    with database.read() as store:
        pending = store.nodes.pending_registrations(BATCH)
    made = 0
    for registration, signature in pending:
        on_chain = chain.registration_nonce(registration.node)
        state = _state(registration, on_chain, database, clock())
        if state is not None:
            with database.write() as store:
                store.nodes.mark_registration(registration.node, registration.nonce, state)
        elif on_chain == registration.nonce and not is_under_way(
            database, poster, "register", _subject(registration)
        ):
            made += _relay(registration, signature, database, chain, poster, clock)
    return made


def _state(
    registration: NodeRegistration, on_chain: int, database: Database, now: int
) -> RegistrationState | None:
    """Return what became of a node's first pending registration, or None while it must be relayed.

    `on_chain` is the nonce that the chain expects.
    """
    if on_chain > registration.nonce:
        return DONE
    if registration.deadline < now:
        return FAILED
    if on_chain == registration.nonce:
        return None
    with database.read() as store:
        before = store.nodes.registration_state(registration.node, registration.nonce - 1)
    # One that was there comes back: its block was taken back, or this RPC endpoint lags. Nothing else fills a gap.
    return None if before == DONE else FAILED


def _relay(
    registration: NodeRegistration,
    signature: Signature,
    database: Database,
    chain: Chain,
    poster: Signer,
    clock: Clock,
) -> int:
    call = chain.register_call(registration, signature)
    try:
        record_and_send(
            call,
            "register",
            _subject(registration),
            database=database,
            chain=chain,
            poster=poster,
            clock=clock,
        )
    except TransactionRevertedError:
        with database.write() as store:
            store.nodes.mark_registration(registration.node, registration.nonce, FAILED)
        return 0
    return 1


def _subject(registration: NodeRegistration) -> str:
    return f"0x{registration.node.hex()}:{registration.nonce}"
