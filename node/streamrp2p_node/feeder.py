"""Another relay that feeds a stream to this one, under one session: it is asked, checked and paid as by a viewer."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from pydantic import ValidationError

from streamrp2p import api
from streamrp2p.errors import MalformedError, PathError, SignatureError
from streamrp2p.http_api import problem_error
from streamrp2p.numbers import Address, Signature
from streamrp2p.playlist import MAX_PLAYLIST_BYTES, PATH_NAME, matches
from streamrp2p.relay_path import MAX_PATH_AGE_SECONDS, check_upstream
from streamrp2p.traces import NO_TRACES, Traces
from streamrp2p.viewer.report import Reason
from streamrp2p.viewer.session import CoordinatorTime, ReceiptSession
from streamrp2p_node.coordinator_view import CoordinatorView
from streamrp2p_node.errors import OriginError, TooLargeError
from streamrp2p_node.feeder_faults import FaultError, NotNowError, SessionOverError, meaning
from streamrp2p_node.known_objects import Listed
from streamrp2p_node.upstream import (
    READ_SECONDS,
    TOTAL_SECONDS,
    Answer,
    Meter,
    Source,
    Text,
    exchange,
    traced_fetch,
)

SMALL_SECONDS = 5.0
"""For an answer that is made at once: a session, a receipt's, a path."""
MAX_SMALL_BYTES = 1 << 16
MAX_MISSING = 3
"""Objects in a row that its own playlist lists and it does not have, before it is left."""
MAX_LATE = 3
"""Objects in a row that came late, before it is left."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class FeederContext:
    """What every feeder of one stream works with."""

    client: httpx.AsyncClient
    source: Source
    node: Address
    """This node's own address."""
    view: CoordinatorView
    time: CoordinatorTime
    meter: Meter
    monotonic: Callable[[], float]
    traces: Traces = NO_TRACES

    def now(self) -> int:
        """Return the coordinator's time."""
        return self.time.at(self.monotonic())


class Feeder:
    """Fetches, verifies, counts and pays. Methods raise FaultError or SessionOverError. Of one event loop."""

    def __init__(self, context: FeederContext, endpoint: str, session: ReceiptSession) -> None:
        self.endpoint = endpoint
        self.session = session
        self.path: tuple[Address, ...] = ()
        """The relays from the origin to this one, as it last signed them."""
        self.is_draining = False
        self._context = context
        self._path_signed_at = 0
        self._reserved_bytes = 0
        self._paid_bytes = 0
        self._missing = 0
        self._late = 0
        self._left: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._paying = asyncio.Lock()
        self._headers = {api.SESSION_HEADER: "0x" + session.session_id.hex()}

    @property
    def node(self) -> Address:
        """The relay's address."""
        return self.session.ticket.node

    @property
    def is_settled(self) -> bool:
        """Tell whether all that came is paid for, and nothing is on its way."""
        return self._reserved_bytes == 0 and self._paid_bytes == self.session.bytes_delivered

    async def open(self, opening: api.OpenSession) -> None:
        """Check the relay's path, then open the session."""
        await self.check_path()
        answer = await self._ask("POST", f"{self.endpoint}/v1/sessions", opening)
        try:
            opened = api.OpenedSession.model_validate_json(answer.body)
        except ValidationError as error:
            raise FaultError(Reason.REFUSED, "its answer to a ticket is malformed") from error
        if opened.session_id != self.session.session_id:
            raise FaultError(Reason.REFUSED, "it opened another session than the ticket's")

    async def check_path(self) -> None:
        """Ask for the relay's path; a fault when this node must not stand behind it, or it is silent too long."""
        context = self._context
        try:
            answer = await self._ask("GET", context.source.url(self.endpoint, PATH_NAME))
            given = api.RelayPath.model_validate_json(answer.body)
            message = given.message(context.source.pool_id)
            self.path = check_upstream(
                message,
                Signature(given.signature),
                pool_id=context.source.pool_id,
                upstream=self.node,
                node=context.node,
                now=context.now(),
                domain=context.source.domain,
            )
            self._path_signed_at = message.signed_at
        except (ValidationError, PathError, SignatureError) as error:
            raise FaultError(Reason.REFUSED, f"its path: {error}") from error
        except FaultError as fault:
            age = context.now() - self._path_signed_at
            if fault.reason is not Reason.UNREACHABLE or age > MAX_PATH_AGE_SECONDS:
                raise

    async def playlist(
        self, name: str, verify: Callable[[bytes], Text], max_seconds: float
    ) -> tuple[bytes, Text]:
        """Return a playlist, verified."""
        self._context.meter.playlists += 1
        answer = await self._ask(
            "GET",
            self._context.source.url(self.endpoint, name),
            max_bytes=MAX_PLAYLIST_BYTES,
            max_seconds=max_seconds,
            silent_seconds=max_seconds,
            if_too_large=Reason.BAD_PLAYLIST,
        )
        self.is_draining = answer.headers.get(api.DRAINING_HEADER) == "1"
        try:
            return answer.body, await asyncio.to_thread(verify, answer.body)
        except (SignatureError, MalformedError) as error:
            raise FaultError(Reason.BAD_PLAYLIST, str(error)) from error

    async def object(self, listed: Listed) -> bytes:
        """Return an object, the very bytes that the origin vouched for. Raises NotNowError, too."""
        length = listed.object.length_bytes
        self._require_room(length)
        context = self._context
        context.meter.objects += 1
        self._reserved_bytes += length
        began_at = context.monotonic()
        try:
            with traced_fetch(context.traces, context.source, listed, "relay"):
                data = await self._object_bytes(listed)
        finally:
            self._reserved_bytes -= length
        is_on_time = listed.is_timely(context.monotonic() - began_at)
        self.session.count(length, listed.media_sequence, is_on_time=is_on_time)
        self._missing, self._late = 0, 0 if is_on_time else self._late + 1
        return data

    def check_pace(self) -> None:
        """Raise the fault of a relay whose objects come late again and again."""
        if self._late >= MAX_LATE:
            raise FaultError(Reason.LATE, f"{self._late} objects in a row came late")

    async def pay(self) -> None:
        """Hand in a receipt for all that was counted, if any of it is not paid yet."""
        async with self._paying:
            delivered = self.session.bytes_delivered
            if delivered == self._paid_bytes:
                return
            receipt, signature = self.session.sign(self._context.now())
            wire = api.SignedReceipt.of(receipt, signature)
            with self._context.traces.span("pay relay", is_root=True) as span:
                span.set("pool.id", self._context.source.pool_id)
                span.set("receipt.bytes", delivered)
                await self._ask(
                    "POST", f"{self.endpoint}/v1/receipts", wire, is_also_after_leaving=True
                )
            self._paid_bytes = delivered

    def leave(self) -> None:
        """Wait for nothing more of it: what is on its way ends with a fault."""
        if not self._left.done():
            self._left.set_result(None)

    def _require_room(self, length_bytes: int) -> None:
        """Raise unless a receipt for so many more bytes would be accepted now."""
        context = self._context
        wanted = self._reserved_bytes + length_bytes
        if not self.session.has_room(wanted):
            if self.session.bytes_delivered == 0:
                raise NotNowError("the ticket's credit is less than what is asked for at once")
            raise SessionOverError("the ticket's credit is used up")
        pool = context.view.pools.get(context.source.pool_id)
        rate = 0 if pool is None else pool.max_bytes_per_second
        slack = context.view.config.rate_slack_seconds
        if self.session.seconds_until(wanted, context.now(), rate, slack) > 0:
            raise NotNowError("a session may not take more bytes per second than the pool allows")

    async def _object_bytes(self, listed: Listed) -> bytes:
        wanted = listed.object
        answer = await self._ask_for(listed)
        if answer.status == httpx.codes.NOT_FOUND:
            self._missing += 1
            if self._missing >= MAX_MISSING:
                raise FaultError(Reason.MISSING_OBJECT, f"it does not have {wanted.name}")
            raise NotNowError(f"{self.endpoint} does not have {wanted.name}")
        if not await asyncio.to_thread(matches, wanted, answer.body):
            raise FaultError(
                Reason.CORRUPT_OBJECT, f"{wanted.name} has another hash than the origin signed"
            )
        return answer.body

    async def _ask_for(self, listed: Listed) -> Answer:
        async def once() -> Answer:
            return await self._ask(
                "GET",
                self._context.source.url(self.endpoint, listed.object.name),
                max_bytes=listed.object.length_bytes,
                max_seconds=TOTAL_SECONDS,
                silent_seconds=READ_SECONDS,
                if_too_large=Reason.CORRUPT_OBJECT,
                passes=(httpx.codes.NOT_FOUND, httpx.codes.PAYMENT_REQUIRED),
            )

        answer = await once()
        if answer.status == httpx.codes.PAYMENT_REQUIRED:
            await self.pay()
            answer = await once()
            if answer.status == httpx.codes.PAYMENT_REQUIRED:
                raise FaultError(Reason.UNPAID, "it is paid for all that came, and wants more")
        return answer

    async def _ask(
        self,
        method: str,
        url: str,
        body: api.Wire | None = None,
        *,
        max_bytes: int = MAX_SMALL_BYTES,
        max_seconds: float = SMALL_SECONDS,
        silent_seconds: float = SMALL_SECONDS,
        if_too_large: Reason = Reason.REFUSED,
        passes: tuple[int, ...] = (),
        is_also_after_leaving: bool = False,
    ) -> Answer:
        headers: Mapping[str, str] = self._headers
        if body is not None:
            headers = {**headers, "Content-Type": "application/json"}
        work = exchange(
            self._context.client,
            url,
            method=method,
            headers=headers,
            content=None if body is None else body.model_dump_json(by_alias=True).encode(),
            max_bytes=max_bytes,
            max_seconds=max_seconds,
            silent_seconds=silent_seconds,
            meter=self._context.meter,
        )
        try:
            answer = await (work if is_also_after_leaving else self._unless_left(work))
        except TooLargeError as error:
            raise FaultError(if_too_large, str(error)) from error
        except OriginError as error:
            raise FaultError(Reason.UNREACHABLE, str(error)) from error
        if answer.status not in passes and not 200 <= answer.status < 300:  # noqa: PLR2004 - success
            raise meaning(problem_error(answer.status, answer.body))
        return answer

    async def _unless_left(self, work: Coroutine[Any, Any, Result]) -> Result:
        task = asyncio.create_task(work)
        try:
            either: list[asyncio.Future[Any]] = [task, self._left]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise FaultError(Reason.MOVED, "it was left meanwhile")
            return task.result()
        finally:
            task.cancel()
