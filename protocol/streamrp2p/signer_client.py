"""A client of a ticket signer's API (docs/protocol.md section 12)."""

import httpx

from streamrp2p import api
from streamrp2p.http_api import ApiError, BadAnswerError, HttpApi, Model, UnreachableError

__all__ = ["ApiError", "BadAnswerError", "SignerClient", "UnreachableError"]

MAX_ANSWER_BYTES = 1 << 16


class SignerClient(HttpApi):
    """Talks to one signer. Nothing is repeated: a viewer waits for each answer, and can ask anew.

    Every method raises ApiError (refused), BadAnswerError (not an answer of this API) or UnreachableError (retryable).
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = 10.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Take the signer's URL; raises MalformedError when it is none. `timeout_seconds` is for a whole answer."""
        super().__init__(url, timeout_seconds=timeout_seconds, transport=transport)

    def facts(self) -> api.SignerFacts:
        """Ask whose tickets it signs, and for whom."""
        return self._exchanged("GET", "/v1/signer", None, api.SignerFacts)

    def sign(self, ask: api.TicketAsk) -> api.SignedTicket:
        """Ask for a ticket's signature. It is not verified."""
        return self._exchanged("POST", "/v1/tickets", ask, api.SignedTicket)

    def _exchanged(
        self, method: str, path: str, body: api.Wire | None, model: type[Model]
    ) -> Model:
        answer = self.exchange(
            method,
            path,
            body=body,
            max_bytes=MAX_ANSWER_BYTES,
            max_seconds=self._timeout_seconds,
        )
        return self.parsed(answer.body, model)
