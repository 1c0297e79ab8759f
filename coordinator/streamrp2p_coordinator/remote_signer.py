"""The ticket signer that a streamer runs itself, as the coordinator asks it: in bounded time and bounded number.

Each viewer who waits for a signer holds a thread, and nodes' batches need threads too. So only a few wait at one time,
and a signer that is silent is left alone for a moment.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import BoundedSemaphore

import structlog

from streamrp2p import api
from streamrp2p.errors import MalformedError, SignatureError
from streamrp2p.http_api import ApiError, UnreachableError
from streamrp2p.numbers import Address, Signature
from streamrp2p.signatures import check_signer
from streamrp2p.signer_client import SignerClient
from streamrp2p.typed_data import Domain, SessionTicket
from streamrp2p_coordinator.errors import ConfigurationError, TicketSignerError
from streamrp2p_coordinator.network import Clock, Signer

ANSWER_SECONDS = 2.0
"""For the whole of an answer: a viewer waits for it."""
REST_SECONDS = 2.0
"""How long a signer that did not answer is not asked again."""
REFUSED_SECONDS = 10
"""When a viewer may ask again after a refusal: a budget, or somebody's mistake, does not pass at once."""
ASKS_OF_ONE = 8
ASKS_OF_ALL = 16
"""How many may wait for one signer, and for all of them together, of the server's forty threads."""

log = structlog.get_logger()

Count = Callable[[str], object]
"""Is told what became of each ask: signed, refused, silent or busy."""


class RemoteSigner:
    """One signer. Its method may be called in any thread, but in no transaction: it waits for another machine."""

    def __init__(
        self,
        client: SignerClient,
        asker: Signer,
        domain: Domain,
        clock: Clock,
        turns_of_all: BoundedSemaphore,
        count: Count = lambda _: None,
    ) -> None:
        """Ask as `asker`, which is the poster. `turns_of_all` is shared by all signers."""
        self._client = client
        self._asker = asker
        self._domain = domain
        self._clock = clock
        self._turns_of_all = turns_of_all
        self._turns = BoundedSemaphore(ASKS_OF_ONE)
        self._count = count
        self._rests_until = 0.0
        self._trouble: str | None = None

    def sign(self, ticket: SessionTicket, expected: Address) -> Signature:
        """Return the signature of a ticket by the pool's ticket signer on chain; raises TicketSignerError."""
        with self._turn(self._turns), self._turn(self._turns_of_all):
            if time.monotonic() < self._rests_until:
                raise self._failure("silent", 2)
            try:
                signature = self._ask(ticket)
                check_signer(ticket.digest(self._domain), signature, expected, "the pool's signer")
            except UnreachableError as error:
                self._rests_until = time.monotonic() + REST_SECONDS
                self._note(ticket.pool_id, str(error))
                raise self._failure("silent", 2) from error
            except (ApiError, SignatureError) as error:
                self._note(ticket.pool_id, str(error))
                raise self._failure("refused", REFUSED_SECONDS) from error
        self._note(ticket.pool_id, None)
        self._count("signed")
        return signature

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _ask(self, ticket: SessionTicket) -> Signature:
        ask = api.TicketAsk.of(ticket, self._clock(), self._domain, self._asker.sign)
        return Signature(self._client.sign(ask).signature)

    @contextmanager
    def _turn(self, turns: BoundedSemaphore) -> Iterator[None]:
        if not turns.acquire(blocking=False):
            raise self._failure("busy", 1)
        try:
            yield
        finally:
            turns.release()

    def _failure(self, outcome: str, retry_after_seconds: int) -> TicketSignerError:
        self._count(outcome)
        # Why is for the operator: a viewer can do nothing about it, and it may name hosts and keys.
        return TicketSignerError(
            "the streamer's ticket signer admits nobody at the moment; try again",
            retry_after_seconds,
        )

    def _note(self, pool_id: int, trouble: str | None) -> None:
        """Log what is wrong when that changes, and not for each viewer."""
        if trouble == self._trouble:
            return
        self._trouble = trouble
        url = self._client.base_url
        if trouble is None:
            log.info("ticket_signer_recovered", pool_id=pool_id, url=url)
        else:
            log.warning("ticket_signer_failed", pool_id=pool_id, url=url, reason=trouble)


def remote_signers(
    urls: Mapping[int, str], asker: Signer, domain: Domain, clock: Clock, count: Count
) -> dict[int, RemoteSigner]:
    """Return the signer of each pool, by pool; pools of one URL share it. Raises ConfigurationError."""
    turns = BoundedSemaphore(ASKS_OF_ALL)
    made: dict[str, RemoteSigner] = {}
    for pool_id, url in urls.items():
        try:
            if url not in made:
                client = SignerClient(url, timeout_seconds=ANSWER_SECONDS)
                made[url] = RemoteSigner(client, asker, domain, clock, turns, count)
        except MalformedError as error:
            raise ConfigurationError(f"ticket_signers: of pool {pool_id}: {error}") from error
    return {pool_id: made[url] for pool_id, url in urls.items()}
