"""A chain at its edge: the blocks and the book that an RPC shows, which a test may change between two looks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from web3 import Web3
from web3.providers import BaseProvider
from web3.types import RPCEndpoint, RPCResponse

from streamrp2p.chain import (
    BookRules,
    BookState,
    Chain,
    CommittedHeader,
    EpochBookContract,
    EpochStatus,
    RewardPoolsContract,
)
from streamrp2p.chain.rpc import Json
from streamrp2p.header import EpochHeader
from streamrp2p.numbers import ZERO_ADDRESS, ZERO_HASH
from streamrp2p.settlement import PoolInput
from tests.support.epochs import DOMAIN, POSTER
from tests.support.fraud import POOLS

CHALLENGE_SECONDS = 4000
COMMITTED_AT = 1000


class Blocks(BaseProvider):
    """The chain's blocks; `branch` is part of each hash."""

    def __init__(self) -> None:
        super().__init__()
        self.newest = 10
        self.time = COMMITTED_AT
        self.branch = 1

    def make_request(self, method: RPCEndpoint, params: Json) -> RPCResponse:
        assert method == "eth_getBlockByNumber"
        number = self.newest if params[0] == "latest" else int(params[0], 16)
        if number > self.newest:
            return cast("RPCResponse", {"result": None})
        block = {
            "number": hex(number),
            "hash": "0x" + bytes([self.branch, number]).hex().rjust(64, "0"),
            "timestamp": hex(self.time),
        }
        return cast("RPCResponse", {"result": block})


@dataclass
class FakeBook:
    """The book and the pools. Headers are pending from `finalised` on, committed at `COMMITTED_AT` plus their epoch."""

    blocks: Blocks = field(default_factory=Blocks)
    headers: list[EpochHeader] = field(default_factory=list)
    finalised: int = 0
    funded: int | None = None
    """Of every pool, if it is not what the tests' epochs were settled with."""
    address: bytes = ZERO_ADDRESS
    from_block: int = 0

    def __post_init__(self) -> None:
        self.web3 = Web3(self.blocks)
        self.rules = BookRules(
            0, 60, 5, CHALLENGE_SECONDS, 9000, 10**18, ZERO_ADDRESS, ZERO_ADDRESS, ZERO_ADDRESS
        )

    def chain(self) -> Chain:
        return Chain(cast("EpochBookContract", self), cast("RewardPoolsContract", self), DOMAIN)

    def state(self, block: int) -> BookState:
        return BookState(POSTER, 10**18, True, len(self.headers), self.finalised, 0)

    def next_epoch(self, block: int | None = None) -> int:
        return len(self.headers)

    def status(self, epoch: int, block: int | None = None) -> EpochStatus:
        return self.statuses([epoch])[0]

    def statuses(self, epochs: Sequence[int], block: int | None = None) -> list[EpochStatus]:
        return [self._status(epoch) for epoch in epochs]

    def commits(self, epoch: int) -> list[CommittedHeader]:
        return [
            CommittedHeader(header, header.hash(), POSTER, 5, ZERO_HASH)
            for header in self.headers
            if header.epoch == epoch
        ]

    def pool_inputs(self, epoch: int, block: int | None = None) -> list[PoolInput]:
        pools = POOLS[:2] if epoch == 0 else POOLS
        if self.funded is None:
            return list(pools)
        return [PoolInput(pool.pool_id, pool.terms, self.funded) for pool in pools]

    def _status(self, epoch: int) -> EpochStatus:
        digest = self.headers[epoch].hash()[:28]
        if epoch < self.finalised:
            return EpochStatus(epoch, "final", digest, None, None)
        at = COMMITTED_AT + epoch
        return EpochStatus(epoch, "pending", digest, at, at + CHALLENGE_SECONDS)
