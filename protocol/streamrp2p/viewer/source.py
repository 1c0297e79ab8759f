"""One place that segments come from: a relay under a session, or the origin without one."""

import httpx

from streamrp2p import api
from streamrp2p.errors import MalformedError, SignatureError, StreamrP2PError
from streamrp2p.http_api import ApiError, BadAnswerError, UnreachableError
from streamrp2p.node_client import (
    MAX_SEGMENT_BYTES,
    PLAYLIST_NAME,
    NodeClient,
    PaymentRequiredError,
)
from streamrp2p.numbers import Address
from streamrp2p.playlist_v0 import (
    MAX_PLAYLIST_BYTES,
    LivePlaylist,
    Segment,
    matches,
    verify_playlist,
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


class SegmentGoneError(StreamrP2PError):
    """The source does not have the file, which is no fault when its playlist has moved on meanwhile."""


class Source:
    """Fetches, verifies and pays. `session` is None for the origin.

    Methods raise SourceError, which says why to leave, or SessionOverError when a new ticket is due.
    """

    def __init__(
        self,
        client: NodeClient,
        pool: api.Pool,
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
        if session is not None:
            report.sessions.append(session)

    @property
    def node(self) -> bytes:
        """The relay's address, or ORIGIN."""
        return self.report.node or ORIGIN

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def playlist(self, max_seconds: float) -> LivePlaylist:
        """Return the playlist, verified."""
        try:
            data = self._fetch(PLAYLIST_NAME, MAX_PLAYLIST_BYTES, max_seconds)
            return verify_playlist(
                data,
                pool_id=self._pool.pool_id,
                domain=self._domain,
                origin=Address(self._pool.origin_key),
            )
        except (MalformedError, SignatureError, BadAnswerError) as error:
            raise SourceError(Reason.BAD_PLAYLIST, str(error)) from error
        except (SegmentGoneError, PaymentRequiredError) as error:
            raise SourceError(Reason.REFUSED, str(error)) from error

    def segment(self, segment: Segment, max_seconds: float) -> bytes:
        """Return the segment's bytes, the very ones that the origin vouched for.

        Raises also SegmentGoneError, and PaymentRequiredError when the relay wants a receipt first.
        """
        try:
            data = self._fetch(
                segment.name, min(segment.length_bytes, MAX_SEGMENT_BYTES), max_seconds
            )
        except BadAnswerError as error:
            raise self._corrupt(segment, str(error)) from error
        if not matches(segment, data):
            raise self._corrupt(segment, "its SHA-256 is not the one that the origin signed")
        return data

    def count(self, segment: Segment, *, is_on_time: bool) -> None:
        """Count a segment that was fetched; the next receipt pays for it."""
        if self.session is not None:
            self.session.count(segment.length_bytes, segment.media_sequence, is_on_time=is_on_time)
        self.report.segments += 1
        self.report.bytes_delivered += segment.length_bytes
        self.report.bytes_on_time += segment.length_bytes if is_on_time else 0
        self.late_in_a_row = 0 if is_on_time else self.late_in_a_row + 1

    def pay(self, now: int) -> None:
        """Sign for all that was counted and hand the receipt in; `now` is the coordinator's time."""
        if self.session is None:
            return
        receipt, signature = self.session.sign(now)
        wire = api.SignedReceipt(
            receipt=api.Receipt.model_validate(
                {name: getattr(receipt, name) for name in api.Receipt.model_fields}
            ),
            signature=signature,
        )
        try:
            self._client.send_receipt(wire)
        except UnreachableError as error:
            raise SourceError(Reason.UNREACHABLE, str(error)) from error
        except ApiError as error:
            raise _meaning(error, Reason.RECEIPT_REFUSED) from error
        self.report.receipts_accepted += 1

    def _corrupt(self, segment: Segment, why: str) -> SourceError:
        self.report.segments_refused += 1
        return SourceError(Reason.CORRUPT_SEGMENT, f"segment {segment.media_sequence}: {why}")

    def _fetch(self, name: str, max_bytes: int, max_seconds: float) -> bytes:
        session_id = None if self.session is None else self.session.session_id
        try:
            return self._client.fetch(
                self._pool.pool_id, name, session_id, max_bytes=max_bytes, max_seconds=max_seconds
            )
        except UnreachableError as error:
            raise SourceError(Reason.UNREACHABLE, str(error)) from error
        except (BadAnswerError, PaymentRequiredError):
            raise
        except ApiError as error:
            if error.status == httpx.codes.NOT_FOUND:
                raise SegmentGoneError(str(error)) from error
            raise _meaning(error, Reason.REFUSED) from error


def _meaning(error: ApiError, otherwise: Reason) -> StreamrP2PError:
    """Return what a refusal means to the viewer."""
    if error.slug in _SESSION_OVER:
        return SessionOverError(str(error))
    if error.slug == _ORIGIN_FAILED:
        return SourceError(Reason.ORIGIN_FAILED, str(error))
    return SourceError(otherwise, str(error))
