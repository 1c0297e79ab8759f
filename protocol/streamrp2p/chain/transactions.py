"""Transactions: what to call, sign, send and wait for. Each step alone, so that a poster can record before it sends."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes
from web3 import Web3

from streamrp2p.chain.errors import (
    ChainError,
    NonceTooLowError,
    RpcRefusedError,
    TransactionPendingError,
    TransactionRevertedError,
)
from streamrp2p.chain.fees import Fees, fees_at, replacement
from streamrp2p.chain.rpc import Json, data_of, quantity, request, request_many
from streamrp2p.chain.rpc_errors import reverted
from streamrp2p.numbers import Address, Hash
from streamrp2p.signatures import address_of

GAS_MARGIN_PERCENT = 25
"""Added to the estimate: the state may change before the transaction is mined."""
DEFAULT_PRIORITY_FEE_WEI = 10**9
WAIT_SECONDS = 120.0
POLL_SECONDS = 0.1
MAX_POLL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Call:
    """What a transaction does: `data` to the contract `to` (None creates one), with `value` in wei."""

    to: Address | None
    data: bytes
    value: int = 0


@dataclass(frozen=True, slots=True)
class Log:
    """One event as the chain keeps it."""

    address: Address
    topics: tuple[Hash, ...]
    data: bytes
    block: int
    index: int
    transaction_hash: Hash


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction that succeeded."""

    transaction_hash: Hash
    block: int
    gas_used: int
    gas_price_wei: int
    contract: Address | None
    logs: tuple[Log, ...]


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction ready to be sent, now or again after a crash: it has one effect however often it is sent."""

    raw: bytes
    hash: Hash
    nonce: int
    sender: Address


def send(
    web3: Web3,
    call: Call,
    private_key: bytes,
    *,
    nonce: int | None = None,
    wait_seconds: float = WAIT_SECONDS,
) -> Receipt:
    """Sign, send and wait until the transaction is mined.

    Raises TransactionRevertedError (before anything is sent where possible), InsufficientFundsError, NonceTooLowError,
    TransactionPendingError or RpcUnavailableError.
    """
    signed = sign_call(web3, call, private_key, nonce=nonce)
    broadcast(web3, signed)
    return wait_for(web3, signed.hash, wait_seconds=wait_seconds)


def sign_call(
    web3: Web3,
    call: Call,
    private_key: bytes,
    *,
    nonce: int | None = None,
    fee_percent: int = 100,
    replaced: bytes | None = None,
    ceiling: Fees | None = None,
    seconds_left: int | None = None,
) -> SignedTransaction:
    """Estimate the gas, which also tries the call, and sign an EIP-1559 transaction; nothing is sent.

    The call is tried on the newest block: what waits to be mined is not counted, this key's own earlier calls neither.
    It offers `fee_percent` of today's fees, and enough to take the place of `replaced`: a signed transaction of the
    same `nonce`, more where few `seconds_left` until a deadline. Raises FeeCeilingError rather than offer more than the
    ceiling.
    """
    sender = address_of(private_key)
    shown = "0x" + sender.hex()
    chain_id, count, gas, block = request_many(
        web3,
        [
            ("eth_chainId", []),
            ("eth_getTransactionCount", [shown, "pending"]),
            # Not on the pending block, as some RPCs would: what is replaced is applied there already.
            ("eth_estimateGas", [call_object(call, sender), "latest"]),
            ("eth_getBlockByNumber", ["latest", False]),
        ],
    )
    # What RPCs call usual is what blocks took of late: to multiply that at once would raise it for the next one.
    hurry = None if replaced is None else seconds_left
    fees = _todays_fees(web3, block, fee_percent, ceiling, hurry)
    if replaced is not None:
        fees = replacement(fees_of(replaced), fees, ceiling)
    fields: dict[str, Any] = {
        "type": 2,
        "chainId": quantity(chain_id),
        "nonce": quantity(count) if nonce is None else nonce,
        "gas": quantity(gas) * (100 + GAS_MARGIN_PERCENT) // 100,
        "value": call.value,
        "data": call.data,
        "maxFeePerGas": fees.max_fee_wei,
        "maxPriorityFeePerGas": fees.max_priority_fee_wei,
    }
    if call.to is not None:
        fields["to"] = Web3.to_checksum_address(call.to)
    signed = Account.sign_transaction(fields, private_key)
    return SignedTransaction(
        bytes(signed.raw_transaction), Hash(bytes(signed.hash)), fields["nonce"], sender
    )


def fees_of(raw: bytes) -> Fees:
    """Return what a signed EIP-1559 transaction offers."""
    fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
    return Fees(int(fields["maxFeePerGas"]), int(fields["maxPriorityFeePerGas"]))


def broadcast(web3: Web3, signed: SignedTransaction) -> None:
    """Hand a transaction to the network; one that it already has is no failure."""
    try:
        request(web3, "eth_sendRawTransaction", ["0x" + signed.raw.hex()])
    except (NonceTooLowError, RpcRefusedError):
        if request(web3, "eth_getTransactionByHash", ["0x" + signed.hash.hex()]) is None:
            raise


def outcomes(web3: Web3, hashes: Sequence[bytes]) -> list[bool | None]:
    """Tell of each transaction whether it succeeded (True) or had no effect (False); None: it is in no block now."""
    wanted = [("eth_getTransactionReceipt", ["0x" + one.hex()]) for one in hashes]
    try:
        return [
            None if found is None else quantity(found["status"]) == 1
            for found in request_many(web3, wanted)
        ]
    except (KeyError, TypeError) as error:
        raise RpcRefusedError("the RPC sent a malformed receipt; name another RPC") from error


def wait_for(web3: Web3, transaction_hash: bytes, *, wait_seconds: float = WAIT_SECONDS) -> Receipt:
    """Return the receipt once the transaction is mined.

    Raises TransactionPendingError after `wait_seconds`, TransactionRevertedError when it was mined without effect.
    """
    deadline = time.monotonic() + wait_seconds
    poll_seconds = POLL_SECONDS
    while (receipt := receipt_of(web3, transaction_hash)) is None:
        if time.monotonic() >= deadline:
            raise TransactionPendingError(transaction_hash, wait_seconds)
        time.sleep(poll_seconds)
        poll_seconds = min(poll_seconds * 1.5, MAX_POLL_SECONDS)
    return receipt


def receipt_of(web3: Web3, transaction_hash: bytes) -> Receipt | None:
    """Return the receipt, or None while the transaction is not mined; raises TransactionRevertedError."""
    found = request(web3, "eth_getTransactionReceipt", ["0x" + transaction_hash.hex()])
    if found is None:
        return None
    try:
        if quantity(found["status"]) != 1:
            raise _why_reverted(web3, found)
        contract = found.get("contractAddress")
        return Receipt(
            Hash(transaction_hash),
            quantity(found["blockNumber"]),
            quantity(found["gasUsed"]),
            quantity(found["effectiveGasPrice"]),
            Address(data_of(contract)) if contract else None,
            tuple(map(log_of, found["logs"])),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise RpcRefusedError("the RPC sent a malformed receipt; name another RPC") from error


def log_of(found: Mapping[str, Any]) -> Log:
    """Read one log object; raises RpcRefusedError when it is malformed."""
    try:
        return Log(
            Address(data_of(found["address"])),
            tuple(Hash(data_of(topic)) for topic in found["topics"]),
            data_of(found["data"]),
            quantity(found["blockNumber"]),
            quantity(found["logIndex"]),
            Hash(data_of(found["transactionHash"])),
        )
    except (KeyError, TypeError) as error:
        raise RpcRefusedError("the RPC sent a malformed log; name another RPC") from error


def call_object(call: Call, sender: Address | None = None) -> dict[str, str]:
    """Return the JSON-RPC object of a call."""
    fields = {"data": "0x" + call.data.hex()}
    if call.to is not None:
        fields["to"] = "0x" + call.to.hex()
    if call.value:
        fields["value"] = hex(call.value)
    if sender is not None:
        fields["from"] = "0x" + sender.hex()
    return fields


def _todays_fees(
    web3: Web3, block: Json, percent: int, ceiling: Fees | None, seconds_left: int | None
) -> Fees:
    try:
        base_fee = quantity(block["baseFeePerGas"])
    except (KeyError, TypeError) as error:
        raise RpcRefusedError(
            "this chain has no EIP-1559 fees; only chains that do are supported"
        ) from error
    try:
        priority = quantity(request(web3, "eth_maxPriorityFeePerGas", []))
    except (RpcRefusedError, TransactionRevertedError):
        priority = DEFAULT_PRIORITY_FEE_WEI
    fees = fees_at(base_fee, priority, ceiling, seconds_left)
    return Fees(fees.max_fee_wei * percent // 100, fees.max_priority_fee_wei * percent // 100)


def _why_reverted(web3: Web3, receipt: Mapping[str, Any]) -> ChainError:
    """Try the transaction again on the state before its block: the receipt itself does not say why."""
    try:
        sent = request(web3, "eth_getTransactionByHash", [receipt["transactionHash"]])
        again = {key: sent[key] for key in ("from", "to", "value") if sent.get(key)}
        again["data"] = sent["input"]
        before = hex(quantity(receipt["blockNumber"]) - 1)
        request(web3, "eth_call", [again, before])
    except TransactionRevertedError as error:
        return error
    except (ChainError, KeyError, TypeError):
        pass
    return reverted(b"", "the transaction was mined without effect, perhaps for lack of gas")
