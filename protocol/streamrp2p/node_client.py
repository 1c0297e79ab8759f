"""A client of a node's API, and of an origin's: what a viewer and the coordinator's probes need."""

import re
from typing import Any

import httpx
from pydantic import RootModel

from streamrp2p import api
from streamrp2p.errors import MalformedError
from streamrp2p.foreign_text import printable
from streamrp2p.http_api import (
    ApiError,
    BadAnswerError,
    HttpApi,
    UnreachableError,
)

__all__ = [
    "ApiError",
    "BadAnswerError",
    "NodeClient",
    "PaymentRequiredError",
    "UnreachableError",
]

MAX_SEGMENT_BYTES = 64 * 1024 * 1024
"""Eight seconds of 64 Mbit/s; the signed playlist says the exact length."""
MAX_SMALL_BYTES = 1 << 16
"""Of an answer that only says yes or no."""
PLAYLIST_NAME = "live.m3u8"

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


class _Report(RootModel[dict[str, Any]]):
    pass


class PaymentRequiredError(ApiError):
    """The session's unpaid bytes exceed the node's credit window: hand in a receipt, then ask again."""


class NodeClient(HttpApi):
    """Talks to one node or origin. Nothing is repeated: a viewer moves to another node instead.

    Every method raises ApiError (refused), BadAnswerError (not an answer of this API) or UnreachableError (retryable).
    """

    def __init__(
        self,
        endpoint: str,
        *,
        timeout_seconds: float = 10.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Take the node's endpoint or the origin's URL; raises MalformedError when it is none."""
        super().__init__(endpoint, timeout_seconds=timeout_seconds, transport=transport)

    def open_session(self, opening: api.OpenSession) -> api.OpenedSession:
        """Hand in a ticket."""
        return self.post("/v1/sessions", opening, api.OpenedSession)

    def send_receipt(self, receipt: api.SignedReceipt) -> None:
        """Hand in a receipt; once this returns the node has it on its disk."""
        self.exchange("POST", "/v1/receipts", body=receipt, max_bytes=MAX_SMALL_BYTES)

    def fetch(
        self,
        pool_id: int,
        name: str,
        session_id: bytes | None = None,
        *,
        max_bytes: int = MAX_SEGMENT_BYTES,
        max_seconds: float | None = None,
    ) -> bytes:
        """Return the playlist `live.m3u8` or a segment; without a session from an origin.

        `max_seconds` bounds the whole download, by default six times the timeout of a single read.
        Raises PaymentRequiredError when the node wants a receipt first, MalformedError for a name with a path in it.
        """
        if not _NAME.fullmatch(name):
            raise MalformedError(f"a stream has no file of the name {printable(name)!r}")
        headers = {"Accept": "*/*"}
        if session_id is not None:
            headers[api.SESSION_HEADER] = "0x" + session_id.hex()
        try:
            return self.exchange(
                "GET",
                f"/v1/streams/{pool_id:d}/{name}",
                headers=headers,
                max_bytes=max_bytes,
                max_seconds=max_seconds,
            )
        except ApiError as error:
            if error.status == httpx.codes.PAYMENT_REQUIRED:
                raise PaymentRequiredError(error.status, error.slug, error.detail) from error
            raise

    def status(self) -> dict[str, Any]:
        """Return the node's report of itself, a JSON object whose members are the node's business."""
        return self.get("/v1/status", _Report).root

    def identity(self, nonce: bytes, *, max_seconds: float) -> api.SignedIdentity:
        """Ask who answers here, with 32 bytes that were never used before. The signature is not verified."""
        body = self.exchange(
            "GET",
            "/v1/identity",
            query={"nonce": "0x" + nonce.hex()},
            max_bytes=MAX_SMALL_BYTES,
            max_seconds=max_seconds,
        )
        return self.parsed(body, api.SignedIdentity)

    def is_healthy(self) -> bool:
        """Tell whether the server answers its health check in one timeout; never raises for a refusal or silence."""
        try:
            self.exchange(
                "GET", "/healthz", max_bytes=MAX_SMALL_BYTES, max_seconds=self._timeout_seconds
            )
        except (ApiError, UnreachableError):
            return False
        return True
