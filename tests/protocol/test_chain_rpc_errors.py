"""What RPCs answer, in their many dialects, becomes one named error that says what to do."""

import pytest
from eth_abi.abi import encode
from web3.exceptions import ContractCustomError

from streamrp2p.chain import (
    ChainError,
    InsufficientFundsError,
    NonceTooLowError,
    RpcRefusedError,
    RpcUnavailableError,
    TransactionRevertedError,
    decode_revert,
)
from streamrp2p.chain.abi_codec import artifact, errors_by_selector
from streamrp2p.chain.errors import ADVICE
from streamrp2p.chain.rpc_errors import error_of
from streamrp2p.keccak import keccak

UNKNOWN_POOL = keccak(b"RewardPools_UnknownPool(uint32)")[:4] + encode(["uint32"], [9])
SHOWN = "RewardPools_UnknownPool(poolId=9)"


@pytest.mark.parametrize(
    "error",
    [
        {"code": 3, "message": "execution reverted", "data": "0x" + UNKNOWN_POOL.hex()},
        {"code": -32000, "message": "oops", "data": {"data": "0x" + UNKNOWN_POOL.hex()}},
        {"code": -32015, "message": "VM error", "data": "Reverted 0x" + UNKNOWN_POOL.hex()},
    ],
)
def test_custom_error_is_named_in_every_dialect(error: dict[str, object]) -> None:
    found = error_of(error)
    assert isinstance(found, TransactionRevertedError)
    assert (found.name, found.arguments) == ("RewardPools_UnknownPool", {"poolId": 9})
    assert str(found) == (
        f"RewardPools refused with {SHOWN}; check the pool's id, the chain and the deployment file"
    )


def test_error_of_the_token_has_its_arguments() -> None:
    types = ["address", "uint256", "uint256"]
    selector = keccak(f"ERC20InsufficientBalance({','.join(types)})".encode())[:4]
    found = error_of({"data": "0x" + (selector + encode(types, [bytes(20), 5, 7])).hex()})
    assert isinstance(found, TransactionRevertedError)
    assert found.arguments == {"sender": bytes(20), "balance": 5, "needed": 7}
    assert "get more, or name a smaller amount" in str(found)


def test_text_panic_unknown_and_silent_reverts_are_told_apart() -> None:
    text = bytes.fromhex("08c379a0") + encode(["string"], ["too late\x1b[31m"])
    panic = bytes.fromhex("4e487b71") + encode(["uint256"], [0x11])
    assert decode_revert(text) == "Error(reason=too late [31m)"
    assert decode_revert(panic) == "Panic(code=0x11)"
    assert decode_revert(b"\xde\xad\xbe\xef") == "UnknownError(selector=0xdeadbeef)"
    assert decode_revert(b"") == "Revert()"


def test_malformed_arguments_of_a_known_error_do_not_hide_it() -> None:
    assert (
        decode_revert(UNKNOWN_POOL[:20])
        == "UnknownError(selector=0x" + UNKNOWN_POOL[:4].hex() + ")"
    )


def test_revert_is_decoded_from_whatever_holds_it() -> None:
    hexed = "0x" + UNKNOWN_POOL.hex()
    assert decode_revert(hexed) == SHOWN
    assert decode_revert({"data": hexed}) == SHOWN
    assert decode_revert(ContractCustomError(hexed, data=hexed)) == SHOWN
    assert decode_revert(error_of({"data": hexed})) == SHOWN
    assert decode_revert(RuntimeError("something else")) == "Revert(message=something else)"


@pytest.mark.parametrize(
    ("error", "kind", "retryable"),
    [
        (
            {"code": -32003, "message": "Insufficient funds for gas * price + value"},
            InsufficientFundsError,
            False,
        ),
        ({"code": -32000, "message": "nonce too low: next 5"}, NonceTooLowError, True),
        (
            {"code": -32000, "message": "replacement transaction underpriced"},
            NonceTooLowError,
            True,
        ),
        ({"code": -32005, "message": "daily request count exceeded"}, RpcUnavailableError, True),
        ({"code": -32601, "message": "Method not found"}, RpcRefusedError, False),
        ("just text", RpcRefusedError, False),
        (None, RpcRefusedError, False),
        ({}, RpcRefusedError, False),
        ({"code": "x", "message": 5, "data": 7}, RpcRefusedError, False),
    ],
)
def test_each_refusal_has_its_type(error: object, kind: type[ChainError], retryable: bool) -> None:
    found = error_of(error)
    assert type(found) is kind
    assert found.retryable is retryable
    assert ";" in str(found), "it says what to do"


def test_foreign_text_is_clipped_and_has_no_control_characters() -> None:
    found = str(error_of({"message": "\x1b[2J" + "a" * 10_000}))
    assert found.isprintable()
    assert len(found) < 600


def test_advice_is_given_for_errors_that_exist_only() -> None:
    known = {error.name for error in errors_by_selector().values()}
    assert set(ADVICE) <= known


def test_every_error_of_the_contracts_is_known() -> None:
    known = {error.name for error in errors_by_selector().values()}
    assert set(artifact("Errors").errors) <= known
    assert len(artifact("Errors").errors) > 40
