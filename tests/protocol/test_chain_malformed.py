"""Whatever an RPC answers, reads end in a value or in a ChainError: never in another exception."""

from collections.abc import Callable
from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st
from web3 import Web3
from web3.providers.base import BaseProvider
from web3.types import RPCEndpoint, RPCResponse

from streamrp2p.chain import (
    ChainError,
    EpochBookContract,
    NodeRegistryContract,
    RewardPoolsContract,
    receipt_of,
)
from streamrp2p.chain.rpc_errors import decode_revert, error_of
from streamrp2p.numbers import Address

ADDRESS = Address(bytes([1] * 20))
COMMITTED = "0x" + EpochBookContract(Web3(), ADDRESS).artifact.events["HeaderCommitted"].topic.hex()

Json = Any
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20)
    | st.binary(max_size=200).map(lambda data: "0x" + data.hex())
    | st.integers(0, 2**64).map(hex),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


class Fuzzed(BaseProvider):
    """Gives one result to everything."""

    def __init__(self, result: Json, logs: Json = None) -> None:
        super().__init__()
        self.result = result
        self.logs = logs

    def make_request(self, method: RPCEndpoint, params: Json) -> RPCResponse:
        if method == "eth_getLogs":
            return {"result": self.logs}
        if method == "eth_blockNumber":
            return {"result": "0x1"}
        return {"result": self.result}

    def make_batch_request(self, requests: list[tuple[RPCEndpoint, Json]]) -> list[RPCResponse]:
        return [self.make_request(*request) for request in requests]


READS: list[Callable[[Web3], object]] = [
    lambda web3: EpochBookContract(web3, ADDRESS).state(),
    lambda web3: EpochBookContract(web3, ADDRESS).status(0),
    lambda web3: EpochBookContract(web3, ADDRESS).rules,
    lambda web3: RewardPoolsContract(web3, ADDRESS).pools([1]),
    lambda web3: RewardPoolsContract(web3, ADDRESS).terms_at(1, 0),
    lambda web3: NodeRegistryContract(web3, ADDRESS).node(ADDRESS),
    lambda web3: receipt_of(web3, bytes(32)),
    lambda web3: EpochBookContract(web3, ADDRESS).domain(),
]


def explained(read: Callable[[], object]) -> bool:
    """Tell whether a read ended in a value, or in a ChainError that says what to do; anything else is raised."""
    try:
        read()
    except ChainError as error:
        return ";" in str(error)
    return True


@pytest.mark.parametrize("read", READS)
@given(result=json_values | st.binary(max_size=700).map(lambda data: "0x" + data.hex()))
def test_reads_of_fuzzed_answers(read: Callable[[Web3], object], result: Json) -> None:
    assert explained(lambda: read(Web3(Fuzzed(result))))


receipts = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["0x1", "0x0", None]),
        "blockNumber": st.just("0x1") | json_values,
        "gasUsed": st.just("0x5208") | json_values,
        "effectiveGasPrice": st.just("0x1") | json_values,
        "contractAddress": st.none() | json_values,
        "logs": st.just([]) | json_values,
        "transactionHash": json_values,
    }
)


@given(receipts)
def test_fuzzed_receipts(receipt: Json) -> None:
    assert explained(lambda: receipt_of(Web3(Fuzzed(receipt)), bytes(32)))


TOPICS = [
    "0x" + event.topic.hex()
    for event in EpochBookContract(Web3(), ADDRESS).artifact.events.values()
]
words = st.integers(0, 2**256 - 1).map(lambda word: f"0x{word:064x}")
topic_lists = st.builds(
    lambda first, more: [first, *more], st.sampled_from(TOPICS), st.lists(words, max_size=3)
)
logs = st.fixed_dictionaries(
    {
        "address": st.just("0x" + ADDRESS.hex()) | json_values,
        "topics": topic_lists | json_values,
        "data": st.binary(min_size=256, max_size=256).map(lambda data: "0x" + data.hex()) | json_values,
        "blockNumber": st.just("0x1") | json_values,
        "logIndex": st.just("0x0") | json_values,
        "transactionHash": st.just("0x" + "00" * 32) | json_values,
    }
)  # fmt: skip


@given(json_values | st.lists(logs, max_size=2))
def test_fuzzed_logs(found: Json) -> None:
    book = EpochBookContract(Web3(Fuzzed("0x", found)), ADDRESS)
    assert explained(book.committed)
    assert explained(lambda: book.commits(0))


@given(json_values)
def test_fuzzed_errors_have_a_name(error: Json) -> None:
    assert isinstance(error_of(error), ChainError)
    assert decode_revert(error).isprintable()


@given(st.binary(max_size=300))
def test_fuzzed_revert_data_has_a_name(data: bytes) -> None:
    assert decode_revert(data).isprintable()


def test_a_stream_record_that_is_no_text_can_be_read_all_the_same() -> None:
    record = encode(["(address,uint32,bytes)"], [("0x" + "11" * 20, 5, b"http://\xff\x00host")])
    web3 = Web3(Fuzzed("0x" + record.hex()))
    (found,) = RewardPoolsContract(web3, ADDRESS)._read_many([("streamOf", 1)])
    assert found == (Address(b"\x11" * 20), 5, "http://\N{REPLACEMENT CHARACTER}\0host")
