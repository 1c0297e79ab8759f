"""A stream that comes from other relays: one after the other, the origin as the last resort."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from random import SystemRandom

import structlog

from streamrp2p import api
from streamrp2p.errors import MalformedError
from streamrp2p.http_api import check_base_url
from streamrp2p.numbers import Address
from streamrp2p.viewer.admission import (
    RENEWAL_MARGIN_SECONDS,
    NoRelayError,
    new_viewer_key,
)
from streamrp2p.viewer.avoided import Avoided
from streamrp2p.viewer.report import Reason
from streamrp2p.viewer.session import ReceiptSession, renew_at
from streamrp2p_node.errors import NodeError
from streamrp2p_node.feeder import Feeder, FeederContext
from streamrp2p_node.feeder_faults import FaultError, NotNowError, SessionOverError
from streamrp2p_node.known_objects import Listed
from streamrp2p_node.single_flight import SingleFlight
from streamrp2p_node.upstream import TOTAL_SECONDS, OriginUpstream, Text
from streamrp2p_node.upstream_tickets import TicketDesk

ATTEMPTS = 2
"""Relays tried for one request before the origin is asked: viewers wait."""
JOIN_ATTEMPTS = 3
"""Tickets asked for in a row before the origin feeds the stream for a while."""
JOIN_SECONDS = 4.0
"""A request waits no longer than this for a relay to be found."""
KEEP_SECONDS = 1.0
"""Between receipts."""
PATH_SECONDS = 3.0
"""Between questions for the path of the relay that feeds the stream."""
LOOK_SECONDS = 5.0
"""Between questions for a relay while the origin feeds the stream, more or less."""
IDLE_SECONDS = 15.0
"""The relay is left when nobody watched for so long."""
STALE_SECONDS = 10.0
"""How far a relay's playlists may be behind the freshest that any upstream showed."""
SETTLE_SECONDS = 10.0
"""How long a relay that was left is tried to be paid."""

_chance = SystemRandom()
_log = structlog.get_logger("upstream")


class RelayUpstream:
    """Watches a pool's stream through another relay, as a viewer does, and pays for it. Of one event loop."""

    def __init__(self, context: FeederContext, origin: OriginUpstream, desk: TicketDesk) -> None:
        self.feeder: Feeder | None = None
        """The relay that feeds the stream now; None: the origin."""
        self._context = context
        self._origin = origin
        self._desk = desk
        self._viewer_key = new_viewer_key()
        self._avoided = Avoided()
        self._leads: dict[str, float] = {}
        self._look_at = self._path_at = self._used_at = float("-inf")
        self._retired: dict[Feeder, float] = {}
        self._keeper: asyncio.Task[None] | None = None
        self._joins: SingleFlight[Feeder | None] = SingleFlight()

    @property
    def path(self) -> tuple[Address, ...]:
        """Return the relays before this node; see `Upstream`."""
        return () if self.feeder is None else self.feeder.path

    @property
    def endpoint(self) -> str | None:
        """Return where the relay is that feeds the stream now; see `Upstream`."""
        return None if self.feeder is None else self.feeder.endpoint

    async def playlist(
        self, name: str, verify: Callable[[bytes], Text], *, max_seconds: float = TOTAL_SECONDS
    ) -> tuple[bytes, Text]:
        """Return a playlist; see `Upstream`."""
        for _ in range(ATTEMPTS):
            feeder = await self._current()
            if feeder is None:
                break
            try:
                data, playlist = await feeder.playlist(name, verify, max_seconds)
                self._check_age(name, playlist.published_at)
            except (FaultError, SessionOverError) as error:
                self._part_with(feeder, error)
            else:
                return data, playlist
        data, playlist = await self._origin.playlist(name, verify, max_seconds=max_seconds)
        self._note_lead(name, playlist.published_at)
        return data, playlist

    async def object(self, listed: Listed) -> bytes:
        """Return an object; see `Upstream`."""
        for _ in range(ATTEMPTS):
            feeder = await self._current()
            if feeder is None:
                break
            try:
                data = await feeder.object(listed)
            except NotNowError as error:
                _log.info("object_taken_from_origin", name=listed.object.name, reason=str(error))
                break
            except (FaultError, SessionOverError) as error:
                self._part_with(feeder, error)
            else:
                return data
        return await self._origin.object(listed)

    async def close(self) -> None:
        """Pay what is owed and leave."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self.feeder is not None:
            self._retire(self.feeder)
        await self._settle()

    async def _current(self) -> Feeder | None:
        """Return the relay to ask; None when the origin must be."""
        now = self._used_at = self._context.monotonic()
        if self._keeper is None or self._keeper.done():
            self._keeper = asyncio.create_task(self._keep())
        if self.feeder is not None or now < self._look_at:
            return self.feeder
        try:
            async with asyncio.timeout(JOIN_SECONDS):
                return await self._joins.do("", self._join)
        except TimeoutError:
            return None

    async def _join(self) -> Feeder | None:
        """Find a relay, and make it the one that feeds the stream; None when there is none for now."""
        for _ in range(JOIN_ATTEMPTS):
            try:
                found = await self._found()
            except NoRelayError as error:
                _log.info("no_relay_found", pool=self._pool_id, reason=str(error))
                break
            except FaultError:
                continue
            if self.feeder is not None:
                self._retire(self.feeder)
            self.feeder = found
            self._path_at = self._context.monotonic() + PATH_SECONDS
            _log.info(
                "relay_joined", pool=self._pool_id, node=_shown(found), depth=len(found.path) + 1
            )
            return found
        # Two relays that took each other at once, and left each other, must not look for one at once again.
        wait = _chance.uniform(LOOK_SECONDS / 2, 3 * LOOK_SECONDS / 2)
        self._look_at = self._context.monotonic() + wait
        return None

    async def _found(self) -> Feeder:
        """Return a relay with an open session. Raises NoRelayError, or FaultError of one that is now avoided."""
        context = self._context
        avoided = self._avoided.now(context.monotonic())
        answer = await self._desk.ticket(self._pool_id, self._viewer_key, avoided)
        ticket = answer.ticket.message()
        context.time.observe(ticket.issued_at, context.monotonic())
        session = ReceiptSession(ticket, context.source.domain, self._viewer_key)
        try:
            feeder = Feeder(context, check_base_url(answer.endpoint), session)
            await feeder.open(api.OpenSession(ticket=answer.ticket, signature=answer.signature))
        except (FaultError, SessionOverError, MalformedError) as error:
            self._avoid(ticket.node, error)
            raise FaultError(Reason.REFUSED, str(error)) from error
        return feeder

    async def _keep(self) -> None:
        """Pay every second; look after path and ticket; find a way back from the origin. Ends when nobody watches."""
        while self._context.monotonic() - self._used_at < IDLE_SECONDS:
            await asyncio.sleep(KEEP_SECONDS)
            feeder = self.feeder
            try:
                if feeder is not None:
                    await self._keep_up(feeder)
                elif self._context.monotonic() >= self._look_at:
                    await self._joins.do("", self._join)
            except (FaultError, SessionOverError) as error:
                if feeder is not None:
                    self._part_with(feeder, error)
            await self._settle()
        if self.feeder is not None:
            self._retire(self.feeder)
        await self._settle()

    async def _keep_up(self, feeder: Feeder) -> None:
        now = self._context.monotonic()
        feeder.check_pace()
        await feeder.pay()
        if now >= self._path_at:
            self._path_at = now + PATH_SECONDS
            await feeder.check_path()
        due = renew_at(feeder.session.ticket, self._context.view.clock, RENEWAL_MARGIN_SECONDS)
        if feeder.is_draining:
            self._avoided.add(feeder.node, now)
        if feeder.is_draining or self._context.now() >= due:
            # Until there is another relay this one may still do: a session is served for a while after its epoch.
            await self._joins.do("", self._join)

    def _part_with(self, feeder: Feeder, error: NodeError) -> None:
        """Leave a relay; what came from it is still paid for."""
        if self.feeder is not feeder:
            return
        if isinstance(error, FaultError):
            self._avoid(feeder.node, error)
            feeder.leave()
        _log.warning("relay_left", pool=self._pool_id, node=_shown(feeder), reason=str(error))
        self._retire(feeder)

    def _avoid(self, node: Address, error: Exception) -> None:
        is_final = isinstance(error, FaultError) and error.reason.is_final
        self._avoided.add(node, self._context.monotonic(), for_good=is_final)

    def _retire(self, feeder: Feeder) -> None:
        self.feeder = None
        self._retired[feeder] = self._context.monotonic() + SETTLE_SECONDS

    async def _settle(self) -> None:
        """Pay the relays that were left, and forget those that are paid, or will not take it."""
        for feeder, until in [*self._retired.items()]:
            with suppress(FaultError, SessionOverError):
                await feeder.pay()
            if feeder.is_settled or self._context.monotonic() >= until:
                feeder.leave()
                self._retired.pop(feeder, None)

    def _check_age(self, name: str, published_at: int) -> None:
        """Raise a fault for a playlist far behind the freshest. The least delay there ever was is the measure."""
        behind = self._note_lead(name, published_at)
        if behind > STALE_SECONDS:
            raise FaultError(Reason.STALE_PLAYLIST, f"its playlist is {behind:.0f} s behind")

    def _note_lead(self, name: str, published_at: int) -> float:
        lead = published_at - self._context.monotonic()
        playlist = name.partition("?")[0]
        most = self._leads[playlist] = max(self._leads.get(playlist, lead), lead)
        return most - lead

    @property
    def _pool_id(self) -> int:
        return self._context.source.pool_id


def _shown(feeder: Feeder) -> str:
    return "0x" + feeder.node.hex()
