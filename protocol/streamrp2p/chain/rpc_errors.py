"""What an RPC's error object means: a revert with its custom error, a sender without ether, a taken nonce, a limit."""

import re
from collections.abc import Mapping
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from streamrp2p.chain.abi_codec import errors_by_selector
from streamrp2p.chain.errors import (
    ChainError,
    InsufficientFundsError,
    NonceTooLowError,
    RpcRefusedError,
    RpcUnavailableError,
    TransactionRevertedError,
)
from streamrp2p.foreign_text import printable

REVERT_CODE = 3
LIMIT_CODES = frozenset({-32005, 429})

_ERROR_STRING = bytes.fromhex("08c379a0")
_PANIC = bytes.fromhex("4e487b71")


def error_of(error: object) -> ChainError:
    """Turn a JSON-RPC error object into an error that says what to do."""
    fields: Mapping[str, Any] = error if isinstance(error, dict) else {"message": error}
    code = fields.get("code")
    message = printable(fields.get("message", "no reason given"))
    lowered = message.lower()
    revert = _revert_data(fields)
    if "insufficient funds" in lowered or "gas required exceeds allowance" in lowered:
        return InsufficientFundsError(
            f"the sender cannot pay for this transaction's value and gas ({message}); send it some ether"
        )
    if revert or code == REVERT_CODE or "revert" in lowered:
        return reverted(revert, message)
    if "nonce too low" in lowered or "underpriced" in lowered:
        return NonceTooLowError(
            f"another transaction of this sender is under way ({message}); try again when it is mined"
        )
    if code in LIMIT_CODES or "rate limit" in lowered or "too many requests" in lowered:
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
            contract = known.name.partition("_")[0] if "_" in known.name else ""
            return TransactionRevertedError(known.name, known.inputs.named(rest), contract)
        if selector == _ERROR_STRING:
            (reason,) = decode(["string"], rest)
            return TransactionRevertedError("Error", {"reason": printable(reason)})
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
            return error.shown
        case bytes():
            return reverted(error).shown
        case str() if re.fullmatch(r"0x([0-9a-fA-F]{2})*", error):
            return reverted(bytes.fromhex(error[2:])).shown
        case dict():
            return reverted(_revert_data(error), printable(error.get("message", ""))).shown
    data = {"data": getattr(error, "data", None)}
    return reverted(_revert_data(data), printable(error)).shown


def _revert_data(fields: Mapping[str, Any]) -> bytes:
    data = fields.get("data")
    if isinstance(data, dict):
        data = data.get("data", data.get("result"))
    if not isinstance(data, str):
        return b""
    # Some RPCs put words before it, such as `Reverted 0x...`.
    found = re.search(r"0x(?:[0-9a-fA-F]{2})*", data)
    return bytes.fromhex(found[0][2:]) if found else b""
