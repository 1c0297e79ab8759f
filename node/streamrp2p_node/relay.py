"""The relay's use cases: open a session, take a receipt, serve the playlists and the objects of a stream."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from streamrp2p import api
from streamrp2p.byte_range import byte_range
from streamrp2p.numbers import Address, SessionId, Signature
from streamrp2p.playlist import MULTIVARIANT_NAME, Reload, rendition_of
from streamrp2p.typed_data import SessionTicket
from streamrp2p_node.coordinator_view import CoordinatorView
from streamrp2p_node.doors import Doors
from streamrp2p_node.entries import Account, Opened, Received
from streamrp2p_node.errors import Reason, RefusedError
from streamrp2p_node.known_objects import Listed
from streamrp2p_node.live_stream import LiveStream
from streamrp2p_node.receipts import check_receipt
from streamrp2p_node.session import Session
from streamrp2p_node.store import Store
from streamrp2p_node.streams import Streams
from streamrp2p_node.tickets import Gate, check_ticket, serving_ends
from streamrp2p_node.upstream import Source

MAX_WAITING = 4
"""Requests of one session that wait at once: a player follows one rendition, and two while it changes."""

_log = structlog.get_logger("relay")


@dataclass(frozen=True, slots=True)
class Served:
    """An object that is already counted as unpaid; `give_back` takes a number of bytes that did not leave."""

    data: bytes
    part: range | None
    """The bytes of `data` that are asked for; None: all."""
    give_back: Callable[[int], None]

    @property
    def asked(self) -> memoryview:
        """The bytes that are asked for."""
        whole = memoryview(self.data)
        return whole if self.part is None else whole[self.part.start : self.part.stop]


class Relay:
    """Serves viewers. Methods raise RefusedError, OriginError or StorageError, and those for objects RangeError."""

    def __init__(
        self,
        *,
        node: Address,
        store: Store,
        view: CoordinatorView,
        streams: Streams,
        doors: Doors,
        credit_bytes: int,
        max_sessions: int,
    ) -> None:
        self.bytes_served: Counter[int] = Counter()
        """Object bytes by pool since the start of this process."""
        self.bytes_unsent: Counter[int] = Counter()
        """Those that were handed to the network, but did not leave."""
        self.refusals: Counter[Reason] = Counter()
        """Requests that were refused since the start of this process."""
        self._node = node
        self._store = store
        self._view = view
        self._streams = streams
        self._doors = doors
        self._sources: dict[int, tuple[api.Pool, Source]] = {}
        """What a stream is relayed from, by pool, with the record of the pool that it was read from."""
        self._credit_bytes = credit_bytes
        self._max_sessions = max_sessions
        self._waiting: Counter[SessionId] = Counter()

    async def open_session(self, opening: api.OpenSession) -> api.OpenedSession:
        """Admit a viewer by its ticket; the same ticket again opens the same session."""
        self.require_ready()
        ticket, signature = opening.ticket.message(), Signature(opening.signature)
        opened = api.OpenedSession(session_id=ticket.session_id, credit_bytes=self._credit_bytes)
        known = self._store.book.get(ticket.session_id)
        if known is not None and known.ticket_signature == signature:
            return opened
        self._doors.require_open()
        await self._check_ticket(ticket, signature)
        if known is None and len(self._store.book) >= self._max_sessions:
            raise RefusedError(Reason.NODE_FULL, "this node has no room; ask for another node")
        await self._store.record(ticket.epoch, Opened(ticket, signature))
        return opened

    async def receive(self, signed: api.SignedReceipt) -> None:
        """Take a receipt; once this returns it is on the disk and its bytes are credited."""
        self.require_ready()
        receipt = signed.receipt.message()
        session = self._session(SessionId(receipt.session_id))
        record = check_receipt(
            session,
            receipt,
            Signature(signed.signature),
            domain=self._view.domain,
            clock=self._view.clock,
            now=self._view.now(),
        )
        if record is None:
            return
        if not session.is_plausible(record):
            _log.warning(
                "receipt_implausible",
                session="0x" + session.session_id.hex(),
                claimed_bytes=receipt.bytes_delivered,
                served_bytes=session.credit.served_bytes,
                max_bytes=session.ticket.max_bytes,
            )
        await self._store.record(session.ticket.epoch, Received(record))

    async def playlist(
        self, session_id: SessionId, pool_id: int, name: str, reload: Reload
    ) -> bytes:
        """Return a signed playlist of the pool, byte for byte, once it lists what `reload` waits for."""
        self.require_ready()
        self._serving_session(session_id, pool_id)
        stream = self._stream(pool_id)
        if name == MULTIVARIANT_NAME:
            return await stream.multivariant()
        rendition = rendition_of(name)
        if rendition is None:
            raise RefusedError(Reason.RENDITION_UNKNOWN, "no rendition has such a name")
        if self._waiting[session_id] >= MAX_WAITING:
            raise RefusedError(
                Reason.TOO_MANY_WAITING,
                f"{MAX_WAITING} requests of this session wait for playlists; end one first",
            )
        self._waiting[session_id] += 1
        try:
            return await stream.media(rendition, reload)
        finally:
            self._waiting[session_id] -= 1
            if not self._waiting[session_id]:
                del self._waiting[session_id]

    async def object(
        self, session_id: SessionId, pool_id: int, name: str, wanted: str | None = None
    ) -> Served:
        """Return what a playlist of the pool names, and count it as unpaid.

        Of an object of which the header `Range` says that a part is `wanted`, that part counts.
        """
        self.require_ready()
        self._serving_session(session_id, pool_id)
        stream = self._stream(pool_id)
        listed = await stream.find(name)
        part, length = _asked(listed, wanted)
        self._spend(self._serving_session(session_id, pool_id), length)
        try:
            data = await stream.data(listed)
        except BaseException:
            # Also when the viewer's request is cancelled: it got nothing.
            self._give_back(session_id, length)
            raise
        return self._served(session_id, pool_id, data, part, length)

    def object_in_memory(
        self, session_id: SessionId, pool_id: int, name: str, wanted: str | None, max_bytes: int
    ) -> Served | None:
        """Return what `object` does, at once; None, and nothing is counted, unless it is in memory and not longer."""
        self.require_ready()
        session = self._serving_session(session_id, pool_id)
        stream = self._stream(pool_id)
        listed = stream.known(name)
        if listed is None:
            return None
        part, length = _asked(listed, wanted)
        data = stream.in_memory(listed) if length <= max_bytes else None
        if data is None:
            return None
        self._spend(session, length)
        return self._served(session_id, pool_id, data, part, length)

    def _served(
        self, session_id: SessionId, pool_id: int, data: bytes, part: range | None, length: int
    ) -> Served:
        self._count(pool_id, length)
        return Served(data, part, lambda unsent: self._hung_up(session_id, pool_id, unsent))

    @property
    def is_draining(self) -> bool:
        """Tell whether viewers are asked to move to another node."""
        return self._doors.drain.is_on

    def _spend(self, session: Session, length: int) -> None:
        credit = session.credit
        if credit.served_bytes + length > session.ticket.max_bytes:
            raise RefusedError(
                Reason.TICKET_EXHAUSTED,
                f"the ticket admits {session.ticket.max_bytes} bytes and they are served; ask for a new ticket",
            )
        if not credit.allows(length, self._credit_bytes):
            raise RefusedError(
                Reason.PAYMENT_REQUIRED,
                f"{credit.unpaid_bytes} bytes are unpaid, at most {self._credit_bytes} may be; "
                "hand in a receipt for what you got, then ask again",
            )
        self._store.note(session.ticket.epoch, Account(session.session_id, credit.served(length)))

    def _hung_up(self, session_id: SessionId, pool_id: int, unsent: int) -> None:
        self._count(pool_id, -unsent)
        self.bytes_unsent[pool_id] += unsent
        self._give_back(session_id, unsent)

    def _count(self, pool_id: int, length: int) -> None:
        self.bytes_served[pool_id] += length
        self._doors.month.add(length)

    def _give_back(self, session_id: SessionId, unsent: int) -> None:
        session = self._store.book.get(session_id)
        if session is not None:
            account = Account(session_id, session.credit.returned(unsent))
            self._store.note(session.ticket.epoch, account)

    async def _check_ticket(self, ticket: SessionTicket, signature: Signature) -> None:
        pool = self._view.pools.get(ticket.pool_id)
        if pool is None and await self._view.refresh_soon():
            pool = self._view.pools.get(ticket.pool_id)
        if pool is None:
            raise RefusedError(
                Reason.POOL_UNKNOWN, f"the coordinator knows no pool {ticket.pool_id}"
            )
        try:
            check_ticket(ticket, signature, self._gate(pool))
        except RefusedError as error:
            # The pool's terms may name another signer since the pools were read.
            if error.reason is not Reason.TICKET_INVALID or not await self._view.refresh_soon():
                raise
            check_ticket(ticket, signature, self._gate(self._view.pools[ticket.pool_id]))

    def _gate(self, pool: api.Pool) -> Gate:
        return Gate(
            self._node,
            self._view.domain,
            self._view.clock,
            Address(pool.terms.ticket_signer),
            self._view.now(),
        )

    def _session(self, session_id: SessionId) -> Session:
        session = self._store.book.get(session_id)
        if session is None:
            raise RefusedError(
                Reason.SESSION_UNKNOWN,
                "this node knows no such session; open it with POST /v1/sessions and its ticket",
            )
        return session

    def _serving_session(self, session_id: SessionId, pool_id: int) -> Session:
        session = self._session(session_id)
        if session.ticket.pool_id != pool_id:
            raise RefusedError(
                Reason.SESSION_FOR_OTHER_POOL,
                f"the session is for pool {session.ticket.pool_id}; open one for pool {pool_id}",
            )
        if session.is_stopped:
            code = session.rejections[-1][1]
            raise RefusedError(
                Reason.SESSION_STOPPED,
                f"the coordinator rejected a receipt of this session (code {code}); it is served no more",
            )
        if self._view.now() >= serving_ends(session.ticket, self._view.clock):
            raise RefusedError(
                Reason.TICKET_EXPIRED, "the session's ticket or epoch is over; open a new session"
            )
        self._doors.require_serving()
        return session

    def _stream(self, pool_id: int) -> LiveStream:
        pool = self._view.pools.get(pool_id)
        if pool is None:
            raise RefusedError(Reason.POOL_UNKNOWN, f"the coordinator knows no pool {pool_id}")
        known = self._sources.get(pool_id)
        if known is None or known[0] is not pool:
            origin_url, origin = pool.origin_url.rstrip("/"), Address(pool.origin_key)
            known = pool, Source(pool_id, origin_url, origin, self._view.domain)
            self._sources[pool_id] = known
        return self._streams.of(known[1])

    def require_ready(self) -> None:
        """Raise RefusedError before the coordinator's first answer: without it no ticket can be judged."""
        if not self._view.is_known:
            raise RefusedError(
                Reason.NOT_READY,
                "this node has not reached its coordinator yet; ask for another node",
            )


def _asked(listed: Listed, wanted: str | None) -> tuple[range | None, int]:
    """Return the part that the header `Range` asks for, None for all, and how many bytes are asked for."""
    length_bytes = listed.object.length_bytes
    part = byte_range(wanted, length_bytes)
    return part, length_bytes if part is None else len(part)
