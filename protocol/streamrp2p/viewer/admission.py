"""Tickets: which relay to watch through, when to renew, whom to avoid."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
import structlog

from streamrp2p import api
from streamrp2p.client import CoordinatorClient
from streamrp2p.epoch_clock import EpochClock
from streamrp2p.errors import MalformedError, SignatureError, StreamrP2PError
from streamrp2p.http_api import ApiError, UnreachableError
from streamrp2p.node_client import NodeClient
from streamrp2p.numbers import Address
from streamrp2p.signatures import address_of
from streamrp2p.typed_data import Domain
from streamrp2p.viewer.avoided import Avoided
from streamrp2p.viewer.errors import SourceError
from streamrp2p.viewer.report import Reason, SourceReport, WatchReport
from streamrp2p.viewer.session import CoordinatorTime, ReceiptSession, renew_at
from streamrp2p.viewer.source import Source

_log = structlog.get_logger()

RENEWAL_MARGIN_SECONDS = 10
MAX_EXCLUDED = 64
"""Of the coordinator's API."""


class NoRelayError(StreamrP2PError):
    """No relay can be had now: the coordinator is down, or every relay is busy or avoided."""

    retryable = True


def new_viewer_key() -> bytes:
    """Return a throw-away key: one per watch, so that nobody can tell that two watches are one person's."""
    while True:
        key = secrets.token_bytes(32)
        try:
            address_of(key)
        except SignatureError:  # With probability 2^-127.
            continue
        return key


def ask_for_ticket(
    coordinator: CoordinatorClient, pool_id: int, viewer_key: bytes, excluded: Sequence[bytes]
) -> api.Session:
    """Return a ticket for the throw-away key, to none of the excluded relays; raises NoRelayError.

    The coordinator is told of the first MAX_EXCLUDED of them.
    """
    viewer = address_of(viewer_key)
    request = api.SessionRequest(
        pool_id=pool_id, viewer=viewer, excluded_nodes=[*excluded[:MAX_EXCLUDED]]
    )
    try:
        answer = coordinator.open_session(request)
    except (ApiError, UnreachableError) as error:
        raise NoRelayError(str(error)) from error
    ticket = answer.ticket
    if ticket.node in excluded:
        raise NoRelayError("the coordinator offers only relays that this viewer avoids")
    if (ticket.pool_id, ticket.viewer) != (pool_id, viewer):
        raise NoRelayError("the coordinator's ticket is for another pool or viewer")
    return answer


@dataclass(slots=True)
class Admission:
    """Asks the coordinator for tickets and opens sessions with them. Times `now` are monotonic seconds."""

    coordinator: CoordinatorClient
    config: api.Config
    pool: api.Pool
    viewer_key: bytes = field(repr=False)
    report: WatchReport
    time: CoordinatorTime
    request_seconds: float
    node_transport: httpx.BaseTransport | None = None
    _avoided: Avoided = field(default_factory=Avoided)

    @property
    def domain(self) -> Domain:
        """What receipts and playlists are signed under."""
        return Domain(self.config.chain_id, Address(self.config.epoch_book))

    def renewal_is_due(self, session: ReceiptSession, now: float) -> bool:
        """Tell whether the session's next ticket should be asked for."""
        clock = EpochClock(
            self.config.genesis, self.config.epoch_seconds, self.config.intake_grace_seconds
        )
        return self.time.at(now) >= renew_at(session.ticket, clock, RENEWAL_MARGIN_SECONDS)

    def avoid(self, node: bytes, reason: Reason, now: float) -> None:
        """Do not go back to a relay for a while; never, if it served wrong bytes."""
        is_failure = not reason.may_be_no_fault
        self._avoided.add(node, now, for_good=reason.is_final, is_failure=is_failure)

    def find(self, now: float) -> Source:
        """Return a relay with an open session. Raises NoRelayError, or SourceError of a relay that is now avoided."""
        session = self._ticket(now)
        node = session.ticket.node
        part = self.report.source(node, session.endpoint)
        try:
            return self._open(session, part)
        except SourceError as fault:
            self.avoid(node, fault.reason, now)
            self.report.note_departure(part, fault.reason, fault.detail, now)
            raise

    def origin(self) -> Source:
        """Return the origin itself: slower for all if everybody did this, and nobody is paid."""
        part = self.report.source(None, self.pool.origin_url)
        return Source(self._client(self.pool.origin_url), self.pool, self.domain, part, None)

    def _ticket(self, now: float) -> api.Session:
        excluded = self._avoided.now(now)
        answer = ask_for_ticket(self.coordinator, self.pool.pool_id, self.viewer_key, excluded)
        self.time.observe(answer.ticket.issued_at, now)
        self.report.tickets += 1
        return answer

    def _open(self, answer: api.Session, part: SourceReport) -> Source:
        part.endpoint = answer.endpoint
        session = ReceiptSession(answer.ticket.message(), self.domain, self.viewer_key)
        try:
            client = self._client(answer.endpoint)
        except MalformedError as error:
            raise SourceError(Reason.UNREACHABLE, str(error)) from error
        try:
            opened = client.open_session(
                api.OpenSession(ticket=answer.ticket, signature=answer.signature)
            )
            if opened.session_id != session.session_id:
                raise SourceError(Reason.REFUSED, "the relay opened another session than ours")
        except UnreachableError as error:
            client.close()
            raise SourceError(Reason.UNREACHABLE, str(error)) from error
        except ApiError as error:
            client.close()
            raise SourceError(Reason.REFUSED, str(error)) from error
        except SourceError:
            client.close()
            raise
        return Source(client, self.pool, self.domain, part, session)

    def _client(self, url: str) -> NodeClient:
        return NodeClient(url, timeout_seconds=self.request_seconds, transport=self.node_transport)
