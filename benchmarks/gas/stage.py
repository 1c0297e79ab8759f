"""A fresh chain to measure on, and the epochs and claims that are measured."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gas.plain_token import creation_code
from streamrp2p.allocation import Terms
from streamrp2p.chain import Call, DeployParameters, Stream, StreamTokenContract
from streamrp2p.chain.rpc import request
from streamrp2p.claim import ClaimProof, ClaimRangeProof
from streamrp2p.claims_tree import ClaimLeaf
from streamrp2p.header import EpochHeader
from streamrp2p.keccak import keccak
from streamrp2p.merkle import depth_of, range_path_length
from streamrp2p.numbers import ZERO_HASH, Hash
from streamrp2p.plain_tree import root_of_range
from streamrp2p.signatures import address_of
from tests.support.anvil import running_anvil
from tests.support.chain import (
    GUARDIAN,
    POSTER,
    STREAMER,
    TICKET_SIGNER,
    DeployedChain,
    deploy_all,
)

GENESIS = 1_700_000_000
"""Fixed, like every key and number here: the figures are the same wherever they are measured."""
FUNDS = 10**24
POOLS = 5

ZERO_BYTE_GAS = 4
BYTE_GAS = 16


@dataclass(frozen=True, slots=True)
class Cost:
    """What one whole transaction used, and how much of it is its call data."""

    gas: int
    calldata_gas: int


@dataclass(frozen=True)
class GasStage:
    """All contracts, and ten funded pools: 1 to 5 pay in one token, 6 to 10 each in its own."""

    chain: DeployedChain
    headers: list[EpochHeader]

    @property
    def one_token(self) -> range:
        """The ids of the pools that share a token."""
        return range(1, POOLS + 1)

    @property
    def own_tokens(self) -> range:
        """The ids of the pools with a token each."""
        return range(POOLS + 1, 2 * POOLS + 1)

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Forget afterwards what was done: no measurement depends on another."""
        snapshot = request(self.chain.web3, "evm_snapshot", [])
        known = list(self.headers)
        yield
        request(self.chain.web3, "evm_revert", [snapshot])
        self.headers[:] = known

    def send(self, call: Call, key: bytes) -> Cost:
        """Send a call; what it used."""
        return Cost(self.chain.send(call, key).gas_used, calldata_gas(call.data))

    def next_header(self, claims_root: Hash = ZERO_HASH, claim_count: int = 0) -> EpochHeader:
        """Return a header on top of those committed, of a busy epoch."""
        epoch = len(self.headers)
        return EpochHeader(
            epoch=epoch,
            parent=self.headers[-1].hash() if self.headers else ZERO_HASH,
            pools_root=keccak(f"pools of epoch {epoch}".encode()),
            pool_count=300,
            weight=10**15 + epoch,
            claims_root=claims_root,
            claim_count=claim_count,
            data_hash=keccak(f"bundle of epoch {epoch}".encode()),
        )

    def commit(self, header: EpochHeader) -> Cost:
        """Commit a header as soon as its epoch's intake is over."""
        opens_at = self.chain.epoch_book.clock().intake_end(header.epoch)
        self.chain.travel_to(max(opens_at, self.chain.now() + 1))
        cost = self.send(self.chain.epoch_book.commit_call(header), POSTER)
        self.headers.append(header)
        return cost

    def finalise(self, epoch: int) -> Cost:
        """Let the challenge window pass and finalise."""
        self.chain.travel_to(self.chain.now() + self.chain.epoch_book.rules.challenge_seconds)
        return self.send(self.chain.epoch_book.finalise_call(epoch), POSTER)

    def settled(
        self, leaves: Sequence[ClaimLeaf], first: int, count: int, *, opens: bool = True
    ) -> ClaimRangeProof:
        """Make a final epoch whose claims tree has `count` accounts, these from place `first` on; open its claims."""
        path = tuple(
            keccak(f"beside {number}".encode())
            for number in range(range_path_length(first, len(leaves), count))
        )
        root = root_of_range([leaf.leaf() for leaf in leaves], first, count, path)
        header = self.next_header(root, count)
        self.commit(header)
        self.finalise(header.epoch)
        if opens:
            self.chain.send(self.chain.reward_pools.open_claims_call(header), POSTER)
        return ClaimRangeProof(header, tuple(leaves), first, path)

    def settled_one(self, leaf: ClaimLeaf, depth: int, *, opens: bool = True) -> ClaimProof:
        """Make the same with one account that matters, in the middle of a tree of 2^depth accounts."""
        proof = self.settled([leaf], (1 << depth) * 2 // 3, 1 << depth, opens=opens)
        assert len(proof.path) == depth_of(1 << depth)
        return ClaimProof(proof.header, leaf, proof.first, proof.path)


def calldata_gas(data: bytes) -> int:
    """Return what call data costs in a transaction (EIP-2028), where the floor of EIP-7623 is not above it."""
    zeros = data.count(0)
    return zeros * ZERO_BYTE_GAS + (len(data) - zeros) * BYTE_GAS


@contextmanager
def fresh_stage() -> Iterator[GasStage]:
    """Start a chain, deploy everything, fund the pools and commit two epochs."""
    parameters = DeployParameters(
        genesis=GENESIS,
        poster=address_of(POSTER),
        guardian=address_of(GUARDIAN),
    )
    with (
        tempfile.TemporaryDirectory() as name,
        running_anvil(Path(name), "--timestamp", str(GENESIS), "--hardfork", "prague") as rpc_url,
    ):
        chain = deploy_all(rpc_url, Path(name), parameters)
        shared = new_token(chain)
        for token in (*[shared] * POOLS, *(new_token(chain) for _ in range(POOLS))):
            _fund_pool(chain, token)
        stage = GasStage(chain, [])
        for _ in range(2):
            header = stage.next_header()
            stage.commit(header)
            stage.finalise(header.epoch)
        yield stage


def new_token(chain: DeployedChain) -> StreamTokenContract:
    """Make a plain token, all of it the streamer's, which the pools may take."""
    address = chain.send(Call(None, creation_code()), STREAMER).contract
    assert address is not None
    token = StreamTokenContract(chain.web3, address)
    chain.send(token.approve_call(chain.reward_pools.address, 2**256 - 1), STREAMER)
    return token


def terms() -> Terms:
    """Return the terms of every pool here."""
    return Terms(10**18, FUNDS, address_of(TICKET_SIGNER))


def stream() -> Stream:
    """Return the stream record of every pool here."""
    return Stream(address_of(STREAMER), 10**6, "https://origin.example:8443")


def _fund_pool(chain: DeployedChain, token: StreamTokenContract) -> None:
    created = chain.send(chain.reward_pools.create_call(token.address, terms(), stream()), STREAMER)
    pool_id = chain.reward_pools.created_pool_id(created)
    chain.send(chain.reward_pools.deposit_call(pool_id, FUNDS), STREAMER)
