"""Two RPCs of one real chain as one: which of them is asked, and what is seen of the chain meanwhile."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from web3 import Web3

from streamrp2p.chain import ChainError, RpcUnavailableError, WrongChainError, connect
from streamrp2p.chain.rpc import TIMEOUT_SECONDS, quantity, request, request_many
from streamrp2p.chain.rpc_pool import (
    BACKWARD_SECONDS,
    CHECK_SECONDS,
    MAX_LAG_SECONDS,
    REST_SECONDS,
    RETRY_SECONDS,
    RpcPool,
)
from tests.support.anvil import CHAIN_ID
from tests.support.rpcs import Rpc, rpc_before

pytestmark = pytest.mark.integration

READ: tuple[str, list[object]] = ("eth_getBalance", ["0x" + "01" * 20, "latest"])


@dataclass
class Pair:
    """An RPC that is preferred, another, and both as one, by a clock that is moved by hand."""

    chain: Web3
    first: Rpc
    second: Rpc
    now: float = 0.0

    def __post_init__(self) -> None:
        urls = [self.first.url, self.second.url]
        self.pool = RpcPool(urls, CHAIN_ID, monotonic=lambda: self.now)
        self.web3 = Web3(self.pool)

    def block(self) -> int:
        return quantity(request(self.web3, "eth_blockNumber", []))

    def mine(self, blocks: int = 1, seconds: int = 1) -> None:
        request(self.chain, "anvil_mine", [hex(blocks), hex(seconds)])

    def asked(self, method: str, params: list[object]) -> str:
        """Send a request; who answered it."""
        for rpc in (self.first, self.second):
            rpc.asked.clear()
        request(self.web3, method, params)
        return "first" if method in self.first.asked and not self.first.is_frozen else "second"


@pytest.fixture
def pair(anvil: str) -> Iterator[Pair]:
    with rpc_before(anvil) as first, rpc_before(anvil) as second:
        pair = Pair(connect(anvil), first, second)
        pair.mine(10)
        yield pair


def wait_until(look: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_frozen_rpc_is_left_at_once_and_preferred_again_when_it_is_well(pair: Pair) -> None:
    assert pair.asked(*READ) == "first"
    pair.first.is_frozen = True
    began = time.monotonic()
    assert pair.block() == 10
    assert time.monotonic() - began < TIMEOUT_SECONDS
    for _ in range(3):
        assert pair.asked(*READ) == "second"
        assert pair.first.asked == []

    for is_frozen, waited, answering in [
        (False, REST_SECONDS - 1, "second"),
        (True, REST_SECONDS, "second"),
        (False, REST_SECONDS, "first"),
    ]:
        pair.first.is_frozen, pair.now = is_frozen, waited
        pair.pool.check()
        assert pair.asked(*READ) == answering


def test_an_rpc_that_falls_behind_is_left(pair: Pair) -> None:
    assert pair.block() == 10
    pair.first.shown_block = 10
    pair.mine(1, MAX_LAG_SECONDS)
    pair.pool.check()
    assert pair.block() == 10
    pair.mine(1, MAX_LAG_SECONDS + 1)
    pair.pool.check()
    assert pair.block() == 12


def test_no_rpc_is_used_while_it_is_behind_what_was_seen(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    assert pair.block() == 10
    pair.second.shown_block = 9
    pair.first.is_frozen = True
    with pytest.raises(RpcUnavailableError, match="1 blocks behind what was seen before"):
        pair.block()
    pair.now += RETRY_SECONDS
    with pytest.raises(RpcUnavailableError, match="behind"):
        request_many(pair.web3, [READ])
    pair.second.shown_block = 10
    pair.now += RETRY_SECONDS
    assert pair.block() == 10

    pair.mine()
    pair.second.shown_block = 11
    assert pair.block() == 11
    pair.first.is_frozen, pair.first.shown_block = False, 10
    pair.now += REST_SECONDS
    pair.pool.check()
    assert pair.block() == 11
    pair.second.is_frozen = True
    for _ in range(2):
        with pytest.raises(RpcUnavailableError, match="behind"):
            pair.block()
        pair.now += BACKWARD_SECONDS - 1
    assert "rpc_behind" not in caplog.text
    pair.now += 1
    assert pair.block() == 10
    assert "rpc_behind" in caplog.text


def test_an_rpc_that_goes_over_to_another_chain_is_left(pair: Pair) -> None:
    assert pair.block() == 10
    pair.first.chain_id = 1
    assert quantity(request(pair.web3, "eth_chainId", [])) == CHAIN_ID
    assert pair.asked(*READ) == "second"
    pair.second.chain_id = 1
    pair.pool.check()
    with pytest.raises(RpcUnavailableError, match=r"serves chain 1.*serves chain 1"):
        pair.block()


def test_what_goes_over_to_another_chain_is_found_beside_the_requests(pair: Pair) -> None:
    assert pair.block() == 10
    pair.first.chain_id = 1
    assert pair.asked(*READ) == "first"
    pair.now += CHECK_SECONDS
    pair.block()
    wait_until(lambda: pair.asked(*READ) == "second")


def test_the_only_rpc_says_itself_what_is_wrong_and_is_not_waited_for_twice(anvil: str) -> None:
    now = 0.0
    with rpc_before(anvil) as rpc:
        web3 = Web3(RpcPool([rpc.url], CHAIN_ID, monotonic=lambda: now))
        request(web3, "eth_blockNumber", [])
        rpc.is_frozen = True
        for _ in range(2):
            with pytest.raises(RpcUnavailableError, match="does not answer"):
                request(web3, "eth_blockNumber", [])
        rpc.asked.clear()
        with pytest.raises(RpcUnavailableError, match="does not answer"):
            request(web3, *READ)
        assert rpc.asked == []
        rpc.is_frozen, rpc.chain_id = False, 1
        now += RETRY_SECONDS
        with pytest.raises(WrongChainError, match="serves chain 1, expected chain 31337"):
            request(web3, *READ)
        assert READ[0] not in rpc.asked


@pytest.mark.parametrize("wrong", [0, 1])
def test_any_url_of_another_chain_is_refused_at_the_start(pair: Pair, wrong: int) -> None:
    [pair.first, pair.second][wrong].chain_id = 1
    with pytest.raises(ChainError, match="serves chain 1, expected chain 31337"):
        connect(f"{pair.first.url},{pair.second.url}", CHAIN_ID)


def test_a_frozen_url_does_not_keep_another_from_serving(pair: Pair) -> None:
    pair.first.is_frozen = True
    web3 = connect(f"{pair.first.url},{pair.second.url}", CHAIN_ID, timeout_seconds=1)
    assert quantity(request(web3, "eth_blockNumber", [])) == 10
