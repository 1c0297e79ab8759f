"""One place that segments come from: a relay under a session, or the origin without one."""

from collections.abc import Callable
from typing import Protocol, TypeVar

import httpx

from streamrp2p import api
from streamrp2p.errors import MalformedError, SignatureError, StreamrP2PError
from streamrp2p.http_api import ApiError, BadAnswerError, UnreachableError
from streamrp2p.node_client import NodeClient, PaymentRequiredError
from streamrp2p.numbers import Address
from streamrp2p.playlist import (
    MediaObject,
    MediaPlaylist,
    MultivariantPlaylist,
    Reload,
    Segment,
    matches,
    merge,
    reload_after,
    verify_media_playlist,
    verify_multivariant_playlist,
)
from streamrp2p.typed_data import Domain
from streamrp2p.viewer.errors import SessionOverError, SourceError
from streamrp2p.viewer.report import Reason, SourceReport
from streamrp2p.viewer.session import ReceiptSession

ORIGIN = b""
"""Stands for the origin where relays are told apart by node address."""


_ORIGIN_FAILED = "origin-failed"
_SESSION_OVER = ("ticket-expired", "ticket-exhausted", "session-unknown", "session-missing")
"""Slugs of a node's refusals."""


Got = TypeVar("Got")


class StreamRecord(Protocol):
    """What the chain says of a stream, as far as a viewer verifies it."""

    @property
    def pool_id(self) -> int:
        """The pool."""

    @property
    def origin_key(self) -> bytes:
        """Who signs its playlists."""


class GoneError(StreamrP2PError):
    """The source does not have the file, which is no fault when its playlist has moved on meanwhile."""


class Source:
    """Fetches, verifies and pays. `session` is None for the origin.

    Methods raise SourceError, which says why to leave, or SessionOverError when a new ticket is due.
    """

    def __init__(
        self,
        client: NodeClient,
        pool: StreamRecord,
        domain: Domain,
        report: SourceReport,
        session: ReceiptSession | None,
    ) -> None:
        self._client = client
        self._pool = pool
        self._domain = domain
        self.report = report
        self.session = session
        self.late_in_a_row = 0
        self.is_draining = False
        """Whether the last playlist came with the relay's wish that its viewers move."""
        if session is not None:
            report.sessions.append(session)

    @property
    def node(self) -> bytes:
        """The relay's address, or ORIGIN."""
        return self.report.node or ORIGIN

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def multivariant(self, max_seconds: float) -> MultivariantPlaylist:
        """Return the multivariant playlist, verified."""
        answer = self._asked(
            lambda: self._client.multivariant_playlist(
                self._pool.pool_id, self._session_id, max_seconds=max_seconds
            ),
        )
        try:
            return verify_multivariant_playlist(
                answer.data,
                pool_id=self._pool.pool_id,
                domain=self._domain,
                origin=Address(self._pool.origin_key),
            )
        except (MalformedError, SignatureError) as error:
            raise SourceError(Reason.BAD_PLAYLIST, str(error)) from error

    def media(
        self, rendition: str, older: MediaPlaylist | None, max_seconds: float
    ) -> MediaPlaylist:
        """Return a rendition's playlist, verified and whole. With an `older` one it may travel as a delta update.

        Raises also GoneError when the stream no longer has the rendition.
        """
        if older is None or older.server_control.can_skip_until_micros is None:
            return self._media(rendition, Reload(), max_seconds)
        return self._completed(rendition, older, Reload(is_delta=True), max_seconds)

    def newer(
        self, older: MediaPlaylist, max_seconds: float, *, by_part: bool = False
    ) -> MediaPlaylist | None:
        """Wait at the source for the segment after an older playlist; None when it does not come in time.

        `by_part`: for the next part, where the stream has parts.
        """
        is_delta = older.server_control.can_skip_until_micros is not None
        reload = (
            reload_after(older.edge, is_delta=is_delta)
            if by_part
            else Reload(older.next_sequence, is_delta=is_delta)
        )
        try:
            return self._completed(older.rendition, older, reload, max_seconds)
        except SourceError as fault:
            # An encoder that pauses looks the same. Asked again without waiting, the relay must say what it has.
            if fault.reason in (Reason.UNREACHABLE, Reason.REFUSED):
                return None
            raise

    def object(self, wanted: MediaObject, max_seconds: float) -> bytes:
        """Return the object's bytes, the very ones that the origin vouched for.

        Raises also GoneError, and PaymentRequiredError when the relay wants a receipt first.
        """
        try:
            data = self._asked(
                lambda: self._client.fetch(
                    self._pool.pool_id,
                    wanted.name,
                    self._session_id,
                    max_bytes=wanted.length_bytes,
                    max_seconds=max_seconds,
                ),
                bad_answer=Reason.CORRUPT_OBJECT,
                may_owe=True,
            )
        except SourceError as fault:
            self.report.objects_refused += fault.reason is Reason.CORRUPT_OBJECT
            raise
        if not matches(wanted, data):
            self.report.objects_refused += 1
            raise SourceError(
                Reason.CORRUPT_OBJECT,
                f"{wanted.name}: its SHA-256 is not the one that the origin signed",
            )
        return data

    def count_segment(self, segment: Segment, *, is_on_time: bool) -> None:
        """Count a segment that was fetched; the next receipt pays for it."""
        self._count(segment.object, segment.media_sequence, is_on_time=is_on_time)
        self.report.segments += 1
        self.late_in_a_row = 0 if is_on_time else self.late_in_a_row + 1

    def count_map(self, segment_map: MediaObject, media_sequence: int, *, is_on_time: bool) -> None:
        """Count the map that was fetched for that segment."""
        self._count(segment_map, media_sequence, is_on_time=is_on_time)
        self.report.maps += 1

    def pay(self, now: int) -> None:
        """Sign for all that was counted and hand the receipt in; `now` is the coordinator's time."""
        if self.session is None:
            return
        receipt, signature = self.session.sign(now)
        try:
            self._client.send_receipt(api.SignedReceipt.of(receipt, signature))
        except UnreachableError as error:
            raise SourceError(Reason.UNREACHABLE, str(error)) from error
        except ApiError as error:
            raise _meaning(error, Reason.RECEIPT_REFUSED) from error
        self.report.receipts_accepted += 1

    @property
    def _session_id(self) -> bytes | None:
        return None if self.session is None else self.session.session_id

    def _count(self, counted: MediaObject, media_sequence: int, *, is_on_time: bool) -> None:
        if self.session is not None:
            self.session.count(counted.length_bytes, media_sequence, is_on_time=is_on_time)
        self.report.bytes_delivered += counted.length_bytes
        self.report.bytes_on_time += counted.length_bytes if is_on_time else 0

    def _completed(
        self, rendition: str, older: MediaPlaylist, reload: Reload, max_seconds: float
    ) -> MediaPlaylist:
        update = self._media(rendition, reload, max_seconds)
        try:
            return merge(older, update)
        except MalformedError:
            return self._media(rendition, Reload(), max_seconds)

    def _media(self, rendition: str, reload: Reload, max_seconds: float) -> MediaPlaylist:
        answer = self._asked(
            lambda: self._client.media_playlist(
                self._pool.pool_id, rendition, self._session_id, reload, max_seconds=max_seconds
            ),
        )
        self.is_draining = answer.is_draining
        try:
            return verify_media_playlist(
                answer.data,
                pool_id=self._pool.pool_id,
                rendition=rendition,
                domain=self._domain,
                origin=Address(self._pool.origin_key),
            )
        except (MalformedError, SignatureError) as error:
            raise SourceError(Reason.BAD_PLAYLIST, str(error)) from error

    def _asked(
        self,
        ask: Callable[[], Got],
        *,
        bad_answer: Reason = Reason.BAD_PLAYLIST,
        may_owe: bool = False,
    ) -> Got:
        try:
            return ask()
        except UnreachableError as error:
            raise SourceError(Reason.UNREACHABLE, str(error)) from error
        except BadAnswerError as error:
            raise SourceError(bad_answer, str(error)) from error
        except PaymentRequiredError as error:
            if may_owe:
                raise
            raise SourceError(Reason.REFUSED, str(error)) from error
        except ApiError as error:
            if error.status == httpx.codes.NOT_FOUND:
                raise GoneError(str(error)) from error
            raise _meaning(error, Reason.REFUSED) from error


def _meaning(error: ApiError, otherwise: Reason) -> StreamrP2PError:
    """Return what a refusal means to the viewer."""
    if error.slug in _SESSION_OVER:
        return SessionOverError(str(error))
    if error.slug == _ORIGIN_FAILED:
        return SourceError(Reason.ORIGIN_FAILED, str(error))
    return SourceError(otherwise, str(error))
