"""Requests to an Ethereum RPC. This is the one place where transport and RPC failures become errors of this package."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

from eth_abi.exceptions import DecodingError
from web3 import HTTPProvider, Web3
from web3.exceptions import Web3Exception
from web3.types import RPCEndpoint, RPCResponse

from streamrp2p.chain.abi_codec import errors_by_selector
from streamrp2p.chain.errors import (
    ChainError,
    InsufficientFundsError,
    NonceTooLowError,
    RpcRefusedError,
    RpcUnavailableError,
    TransactionRevertedError,
    WrongChainError,
)

TIMEOUT_SECONDS = 10.0
BATCH_REQUESTS = 100
"""Requests in one HTTP exchange; hosted RPCs allow at least so many."""

_REVERT_CODE = 3
_LIMIT_CODES = frozenset({-32005, 429})
_MAX_TEXT = 300
_ERROR_STRING = bytes.fromhex("08c379a0")
_PANIC = bytes.fromhex("4e487b71")

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
        try:
            response = super().make_request(method, params)
        except (OSError, ValueError, Web3Exception) as error:
            raise self._failure(error) from None
        if not isinstance(response, dict):
            raise self._no_answer()
        return response

    def make_batch_request(
        self, batch_requests: list[tuple[RPCEndpoint, Any]]
    ) -> list[RPCResponse] | RPCResponse:
        """Send many requests in one exchange; errors as `make_request`."""
        try:
            responses = super().make_batch_request(batch_requests)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, Web3Exception) as error:
            raise self._failure(error) from None
        if isinstance(responses, list) and len(responses) != len(batch_requests):
            raise self._no_answer()
        return responses

    def _failure(self, error: Exception) -> ChainError:
        # Neither cause nor text is shown: requests puts the whole URL, with its key, in both.
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status in (401, 403):
            return RpcRefusedError(
                f"the RPC {self.shown_url} refused with HTTP {status}; check the key in its URL"
            )
        if isinstance(error, OSError) and not isinstance(error, ValueError):
            said = f" (HTTP {status})" if status else f" ({type(error).__name__})"
            return RpcUnavailableError(
                f"the RPC {self.shown_url} does not answer{said}; check that it runs, or name another"
            )
        return self._no_answer()

    def _no_answer(self) -> RpcRefusedError:
        return RpcRefusedError(
            f"{self.shown_url} did not send a JSON-RPC answer; check that the URL is an Ethereum RPC's"
        )


def connect(
    rpc_urls: Sequence[str] | str,
    expected_chain_id: int | None = None,
    *,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> Web3:
    """Return a connection to the first RPC that answers with the expected chain id (or with any, if None).

    A string may name several, separated by commas. Raises WrongChainError if some answered but none of the right
    chain, RpcUnavailableError if none answered, RpcRefusedError for a URL that is none.
    """
    urls = [url.strip() for url in rpc_urls.split(",")] if isinstance(rpc_urls, str) else rpc_urls
    wrong: ChainError | None = None
    failures: list[ChainError] = []
    for url in urls:
        web3 = Web3(RpcProvider(url, timeout_seconds))
        try:
            found = quantity(request(web3, "eth_chainId", []))
        except ChainError as error:
            failures.append(error)
            continue
        if expected_chain_id is None or expected_chain_id == found:
            return web3
        wrong = WrongChainError(expected_chain_id, found, shown_url(url))
    if wrong is not None:
        raise wrong
    if len(failures) == 1:
        raise failures[0]
    if not failures:
        raise RpcRefusedError("no RPC URL was given; name at least one")
    raise RpcUnavailableError("no RPC can be used: " + "; ".join(map(str, failures)))


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
    raise RpcRefusedError(f"the RPC sent {_clip(value)!r} where a number belongs; name another RPC")


def data_of(value: object) -> bytes:
    """Return the bytes of JSON-RPC data such as 0x00ff."""
    if isinstance(value, str) and re.fullmatch(r"0x([0-9a-fA-F]{2})*", value):
        return bytes.fromhex(value[2:])
    raise RpcRefusedError(f"the RPC sent {_clip(value)!r} where bytes belong; name another RPC")


def block_parameter(block: Block | None) -> str:
    """Return the JSON-RPC form of a block."""
    if block is None:
        return "latest"
    return hex(block) if isinstance(block, int) else block


def error_of(error: object) -> ChainError:
    """Turn a JSON-RPC error object into an error that says what to do."""
    fields: Mapping[str, Any] = error if isinstance(error, dict) else {"message": error}
    code = fields.get("code")
    message = _clip(fields.get("message", "no reason given"))
    lowered = message.lower()
    revert = _revert_data(fields)
    if revert or code == _REVERT_CODE or "revert" in lowered:
        return reverted(revert, message)
    if "insufficient funds" in lowered or "gas required exceeds allowance" in lowered:
        return InsufficientFundsError(
            f"the sender cannot pay for this transaction's value and gas ({message}); send it some ether"
        )
    if "nonce too low" in lowered or "already known" in lowered or "underpriced" in lowered:
        return NonceTooLowError(
            f"another transaction of this sender is under way ({message}); try again when it is mined"
        )
    if code in _LIMIT_CODES or "rate limit" in lowered or "too many requests" in lowered:
        return RpcUnavailableError(f"the RPC limits its users ({message}); wait, or name another")
    return RpcRefusedError(
        f"the RPC refused: {message}; check the request and the RPC",
        code if isinstance(code, int) else None,
    )


def reverted(data: bytes, message: str = "") -> TransactionRevertedError:
    """Name the custom error in revert data; an unknown one by its selector, none at all by the RPC's message."""
    selector, rest = data[:4], data[4:]
    known = errors_by_selector().get(selector)
    try:
        if known is not None:
            return TransactionRevertedError(
                known.name, known.inputs.named(rest), _contract_of(known.name)
            )
        if selector == _ERROR_STRING:
            return TransactionRevertedError("Error", {"reason": _clip(_abi_text(rest))})
        if selector == _PANIC:
            return TransactionRevertedError("Panic", {"code": hex(int.from_bytes(rest))})
    except (DecodingError, UnicodeDecodeError):
        pass
    if selector:
        return TransactionRevertedError("UnknownError", {"selector": selector})
    return TransactionRevertedError("Revert", {"message": message} if message else {})


def decode_revert(error: object) -> str:
    """Return `Name(argument=value, ...)` of revert data, a JSON-RPC error object or an exception of web3 or ours."""
    match error:
        case TransactionRevertedError():
            found = error
        case bytes():
            found = reverted(error)
        case str() if re.fullmatch(r"0x([0-9a-fA-F]{2})*", error):
            found = reverted(bytes.fromhex(error[2:]))
        case dict():
            found = reverted(_revert_data(error), _clip(error.get("message", "")))
        case _:
            data = getattr(error, "data", None)
            found = reverted(_revert_data({"data": data}), _clip(error))
    shown = ", ".join(
        f"{key}={'0x' + value.hex() if isinstance(value, bytes) else value}"
        for key, value in found.arguments.items()
    )
    return f"{found.name}({shown})"


def _result(response: RPCResponse) -> Json:
    if "error" in response:
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
    # Some RPCs refuse batches: the same requests one by one.
    return [request(web3, method, params) for method, params in chunk]


def _chunks(
    requests: Sequence[tuple[str, Sequence[Any]]],
) -> Iterator[Sequence[tuple[str, Sequence[Any]]]]:
    for start in range(0, len(requests), BATCH_REQUESTS):
        yield requests[start : start + BATCH_REQUESTS]


def _revert_data(fields: Mapping[str, Any]) -> bytes:
    data = fields.get("data")
    if isinstance(data, dict):
        data = data.get("data", data.get("result"))
    if isinstance(data, str):
        found = re.search(r"0x(?:[0-9a-fA-F]{2})*", data)
        return bytes.fromhex(found[0][2:]) if found else b""
    return b""


def _abi_text(data: bytes) -> str:
    from eth_abi.abi import decode  # noqa: PLC0415 - only on this path

    (text,) = decode(["string"], data)
    return str(text)


def _contract_of(error_name: str) -> str:
    return error_name.partition("_")[0] if "_" in error_name else ""


def _clip(value: object) -> str:
    return re.sub(r"[^\x20-\x7e\xa0-\U0010ffff]+", " ", str(value))[:_MAX_TEXT]
