"""Requests to an Ethereum RPC. This is the one place where transport and RPC failures become errors of this package."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import requests  # web3's own transport
from web3 import HTTPProvider, Web3
from web3.exceptions import Web3Exception
from web3.types import RPCEndpoint, RPCResponse

from streamrp2p.chain.errors import (
    RpcRefusedError,
    RpcUnavailableError,
)
from streamrp2p.chain.rpc_errors import error_of
from streamrp2p.foreign_text import printable

TIMEOUT_SECONDS = 10.0
BATCH_REQUESTS = 100
"""Requests in one HTTP exchange; hosted RPCs allow at least so many."""

_REFUSED_STATUSES = frozenset({400, 401, 403, 404, 405, 410, 413, 415, 422})

Sent = TypeVar("Sent")
Json = Any
"""What a JSON-RPC answer holds: whoever uses it checks it."""
Block = int | str
"""A block's number, or `latest`, `safe`, `finalized`, `pending`, `earliest`."""


class RpcProvider(HTTPProvider):
    """web3's provider, whose transport failures are RpcUnavailableError and never show the URL's path or key."""

    def __init__(self, url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        # Repetition is the caller's: `RpcUnavailableError.retryable`.
        super().__init__(
            url,
            request_kwargs={"timeout": timeout_seconds, "allow_redirects": False},
            exception_retry_configuration=None,
        )
        self.shown_url = shown_url(url)

    def make_request(self, method: RPCEndpoint, params: Json) -> RPCResponse:
        """Send one request; raises RpcUnavailableError or RpcRefusedError when no RPC answer comes back."""
        send = super().make_request
        try:
            response = _sent_anew_if_cut(lambda: send(method, params))
        except (OSError, ValueError, Web3Exception) as error:
            response = self._answer_of(error)
        if not isinstance(response, dict):
            raise self._no_answer()
        return response

    def make_batch_request(
        self, batch_requests: list[tuple[RPCEndpoint, Any]]
    ) -> list[RPCResponse] | RPCResponse:
        """Send many requests in one exchange; errors as `make_request`."""
        send = super().make_batch_request
        try:
            responses = _sent_anew_if_cut(lambda: send(batch_requests))
        except (OSError, ValueError, TypeError, KeyError, AttributeError, Web3Exception) as error:
            return self._answer_of(error)
        if isinstance(responses, dict):
            return responses
        if not _are_answers(responses, len(batch_requests)):
            raise self._no_answer()
        return responses

    def _answer_of(self, error: Exception) -> RPCResponse:
        """Return the RPC's own error where HTTP's hides one; else raise what the failure means.

        Neither cause nor text is shown: requests puts the whole URL, with its key, in both.
        """
        http = getattr(error, "response", None)
        status: int | None = getattr(http, "status_code", None)
        if http is not None and status is not None and status in _REFUSED_STATUSES:
            try:
                body = json.loads(http.content)
            except ValueError:
                body = None
            if isinstance(body, dict) and "error" in body:
                return cast("RPCResponse", body)
            raise RpcRefusedError(
                f"the RPC {self.shown_url} refused with HTTP {status}; check the path and key in its URL"
            ) from None
        if isinstance(error, OSError) and not isinstance(error, ValueError):
            said = f" (HTTP {status})" if status else f" ({type(error).__name__})"
            raise RpcUnavailableError(
                f"the RPC {self.shown_url} does not answer{said}; check that it runs, or name another"
            ) from None
        raise self._no_answer() from None

    def _no_answer(self) -> RpcRefusedError:
        return RpcRefusedError(
            f"{self.shown_url} did not send a JSON-RPC answer; check that the URL is an Ethereum RPC's"
        )


def shown_url(url: str) -> str:
    """Return `scheme://host:port` of an RPC URL, without the key that its path or user part may hold."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        parts = urlsplit("")
        port = ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RpcRefusedError(
            "an RPC URL is like https://host/path; ws:// and files are not supported"
        )
    return f"{parts.scheme}://{parts.hostname}{port}"


def request(web3: Web3, method: str, params: Sequence[Json]) -> Json:
    """Return the result of one request; raises what `error_of` makes of an RPC error."""
    return _result(web3.provider.make_request(RPCEndpoint(method), list(params)))


def request_many(web3: Web3, requests: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
    """Return the results of many requests in order, in as few exchanges as `BATCH_REQUESTS` allows."""
    return [result for chunk in _chunks(requests) for result in _batch(web3, chunk)]


def quantity(value: object) -> int:
    """Return the integer of a JSON-RPC quantity such as 0x1f."""
    if isinstance(value, str) and re.fullmatch(r"0x[0-9a-fA-F]{1,64}", value):
        return int(value, 16)
    raise RpcRefusedError(
        f"the RPC sent {printable(value, 80)!r} where a number belongs; name another RPC"
    )


def data_of(value: object) -> bytes:
    """Return the bytes of JSON-RPC data such as 0x00ff."""
    if isinstance(value, str) and re.fullmatch(r"0x([0-9a-fA-F]{2})*", value):
        return bytes.fromhex(value[2:])
    raise RpcRefusedError(
        f"the RPC sent {printable(value, 80)!r} where bytes belong; name another RPC"
    )


def block_parameter(block: Block | None) -> str:
    """Return the JSON-RPC form of a block."""
    if block is None:
        return "latest"
    return hex(block) if isinstance(block, int) else block


def _sent_anew_if_cut(send: Callable[[], Sent]) -> Sent:
    """Send once more when the connection broke: the RPC may have closed an idle one just then.

    No request is harmed by that: a transaction has one effect however often it is sent.
    """
    try:
        return send()
    except requests.Timeout:
        raise
    except requests.ConnectionError:
        return send()


def _are_answers(responses: object, count: int) -> bool:
    return (
        isinstance(responses, list)
        and len(responses) == count
        and all(isinstance(one, dict) for one in responses)
    )


def _result(response: RPCResponse) -> Json:
    # Some RPCs send a null error beside the result.
    if response.get("error") is not None:
        raise error_of(response["error"])
    if "result" not in response:
        raise RpcRefusedError("the RPC answered with neither result nor error; name another RPC")
    return response["result"]


def _batch(web3: Web3, chunk: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
    provider = cast("HTTPProvider", web3.provider)
    responses = provider.make_batch_request(
        [(RPCEndpoint(method), list(params)) for method, params in chunk]
    )
    if isinstance(responses, list):
        return [_result(response) for response in responses]
    # Some RPCs refuse batches: then the same requests one by one. More of them do not help against a limit.
    refusal = error_of(responses.get("error"))
    if refusal.retryable:
        raise refusal
    return [request(web3, method, params) for method, params in chunk]


def _chunks(
    requests: Sequence[tuple[str, Sequence[Any]]],
) -> Iterator[Sequence[tuple[str, Sequence[Any]]]]:
    for start in range(0, len(requests), BATCH_REQUESTS):
        yield requests[start : start + BATCH_REQUESTS]
