"""A client of a node's API, and of an origin's: what a viewer and the coordinator's probes need."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import RootModel

from streamrp2p import api
from streamrp2p.errors import MalformedError
from streamrp2p.foreign_text import printable
from streamrp2p.http_api import (
    Answer,
    ApiError,
    BadAnswerError,
    HttpApi,
    UnreachableError,
)
from streamrp2p.playlist import (
    MAX_OBJECT_BYTES,
    MAX_PLAYLIST_BYTES,
    MULTIVARIANT_NAME,
    PATH_NAME,
    Reload,
    playlist_name,
)
from streamrp2p.playlist.names import is_object

__all__ = [
    "ApiError",
    "BadAnswerError",
    "NodeClient",
    "PaymentRequiredError",
    "PlaylistAnswer",
    "UnreachableError",
]

WHOLE = Reload()
MAX_SMALL_BYTES = 1 << 16
"""Of an answer that only says yes or no."""


class _Report(RootModel[dict[str, Any]]):
    pass


class PaymentRequiredError(ApiError):
    """The session's unpaid bytes exceed the node's credit window: hand in a receipt, then ask again."""


@dataclass(frozen=True, slots=True)
class PlaylistAnswer:
    """A playlist that is not verified yet. `is_draining`: the node asks its viewers to move to another."""

    data: bytes
    is_draining: bool


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

    def multivariant_playlist(
        self, pool_id: int, session_id: bytes | None = None, *, max_seconds: float | None = None
    ) -> PlaylistAnswer:
        """Return the multivariant playlist; without a session from an origin."""
        return self._playlist(pool_id, MULTIVARIANT_NAME, session_id, {}, max_seconds)

    def media_playlist(
        self,
        pool_id: int,
        rendition: str,
        session_id: bytes | None = None,
        reload: Reload = WHOLE,
        *,
        max_seconds: float | None = None,
    ) -> PlaylistAnswer:
        """Return a rendition's media playlist, or the delta update that `reload` asks for.

        An answer that waits must come within `max_seconds` and, as any, within the client's timeout.
        Raises MalformedError for a name that is no rendition's.
        """
        name = playlist_name(rendition)
        return self._playlist(pool_id, name, session_id, reload.directives(), max_seconds)

    def fetch(
        self,
        pool_id: int,
        name: str,
        session_id: bytes | None = None,
        *,
        max_bytes: int = MAX_OBJECT_BYTES,
        max_seconds: float | None = None,
    ) -> bytes:
        """Return an object that a media playlist names; without a session from an origin.

        `max_seconds` bounds the whole download, by default six times the timeout of a single read.
        Raises PaymentRequiredError when the node wants a receipt first, MalformedError for a name that is no object's.
        """
        if not is_object(name):
            raise MalformedError(f"a stream has no object of the name {printable(name)!r}")
        return self._get(pool_id, name, session_id, {}, max_bytes, max_seconds).body

    def path(self, pool_id: int, session_id: bytes | None = None) -> api.RelayPath:
        """Return the node's signed path to the origin, which is still to be checked (`relay_path.check_upstream`)."""
        body = self._get(pool_id, PATH_NAME, session_id, {}, MAX_SMALL_BYTES, None).body
        return self.parsed(body, api.RelayPath)

    def _playlist(
        self, pool_id: int, name: str, session_id: bytes | None, query: Mapping[str, str],
        max_seconds: float | None,
    ) -> PlaylistAnswer:  # fmt: skip
        answer = self._get(pool_id, name, session_id, query, MAX_PLAYLIST_BYTES, max_seconds)
        return PlaylistAnswer(answer.body, answer.headers.get(api.DRAINING_HEADER) == "1")

    def _get(
        self, pool_id: int, name: str, session_id: bytes | None, query: Mapping[str, str], max_bytes: int,
        max_seconds: float | None,
    ) -> Answer:  # fmt: skip
        headers = {"Accept": "*/*"}
        if session_id is not None:
            headers[api.SESSION_HEADER] = "0x" + session_id.hex()
        try:
            return self.exchange(
                "GET",
                f"/v1/streams/{pool_id:d}/{name}",
                query=query,
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
        answer = self.exchange(
            "GET",
            "/v1/identity",
            query={"nonce": "0x" + nonce.hex()},
            max_bytes=MAX_SMALL_BYTES,
            max_seconds=max_seconds,
        )
        return self.parsed(answer.body, api.SignedIdentity)

    def is_healthy(self) -> bool:
        """Tell whether the server answers its health check in one timeout; never raises for a refusal or silence."""
        try:
            self.exchange(
                "GET", "/healthz", max_bytes=MAX_SMALL_BYTES, max_seconds=self._timeout_seconds
            )
        except (ApiError, UnreachableError):
            return False
        return True
