"""Sign-in with Ethereum (EIP-4361): an account shows once who it is, and then a token for an hour."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass

from streamrp2p import api
from streamrp2p.errors import SignatureError
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address, Hash
from streamrp2p.sign_in import MAX_SECONDS, SignIn, SignInError, signed_digest
from streamrp2p.signatures import recover
from streamrp2p_coordinator.chain import Chain
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.errors import (
    InvalidSignatureError,
    InvalidSignInError,
    NotFoundError,
    UnauthorizedError,
)
from streamrp2p_coordinator.network import Clock, Network

SIGNED_IN_SECONDS = 3600
"""How long a token is good: whoever steals one reads that account's view until then."""
NONCE_BYTES, TOKEN_BYTES = 16, 32


@dataclass(frozen=True, slots=True)
class SignedIn:
    """An account whose sign-in lasts until `expires_at`, Unix seconds."""

    account: Address
    expires_at: int


def hand_out_nonce(
    *, database: Database, origins: Collection[str], clock: Clock
) -> api.SignInNonce:
    """Make a nonce for one sign-in. Raises NotFoundError when there is no dashboard to sign in from, StorageError."""
    if not origins:
        raise NotFoundError("nobody can sign in here: the operator has set no dashboard_origins")
    nonce, now = secrets.token_hex(NONCE_BYTES), clock()
    with database.write() as store:
        store.sign_ins.forget_expired(now)
        store.sign_ins.add_nonce(nonce, now + MAX_SECONDS)
    return api.SignInNonce(nonce=nonce, expires_at=now + MAX_SECONDS)


def sign_in(
    request: api.SignInRequest,
    *,
    database: Database,
    chain: Chain,
    network: Network,
    origins: Collection[str],
    clock: Clock,
) -> api.SignInToken:
    """Check a signed message, use its nonce up and hand out a token.

    Raises MalformedError for a text that is no such message, InvalidSignInError for one that is not for here and now,
    InvalidSignatureError, StorageError, and retryable errors of the chain, which is asked about contracts alone.
    """
    message, now = SignIn.parse(request.message), clock()
    try:
        message.check(origins, network.domain.chain_id, now)
    except SignInError as error:
        raise InvalidSignInError(str(error)) from error
    with database.write() as store:
        is_fresh = store.sign_ins.use_nonce(message.nonce, now)
    if not is_fresh:
        raise InvalidSignInError(
            "the nonce was used or is too old; ask for a new one and sign anew"
        )
    if not _is_signed(message.address, signed_digest(request.message), request.signature, chain):
        raise InvalidSignatureError("the message is not signed by the account that it names")
    token, expires_at = secrets.token_hex(TOKEN_BYTES), now + SIGNED_IN_SECONDS
    with database.write() as store:
        store.sign_ins.begin(_hash(token), message.address, expires_at)
    return api.SignInToken(token=token, account=message.address, expires_at=expires_at)


def signed_in(token: str, *, database: Database, clock: Clock) -> SignedIn:
    """Return whose token it is. Raises UnauthorizedError for one that is not, or no longer, good."""
    with database.read() as store:
        found = store.sign_ins.find(_hash(token), clock())
    if found is None:
        raise UnauthorizedError(
            "sign in with POST /v1/sign-in; send its token as: Authorization: Bearer TOKEN"
        )
    return SignedIn(*found)


def sign_out(token: str, *, database: Database) -> None:
    """Let a token count no more."""
    with database.write() as store:
        store.sign_ins.end(_hash(token))


def _is_signed(account: Address, digest: Hash, signature: bytes, chain: Chain) -> bool:
    try:
        if recover(digest, signature) == account:
            return True
    except SignatureError:
        pass  # A contract's signature may have any form.
    return chain.accepts_signature(account, digest, signature)


def _hash(token: str) -> Hash:
    return keccak(token.encode())
