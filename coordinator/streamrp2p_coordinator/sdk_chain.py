"""The chain through the SDK's contract wrappers."""

from collections.abc import Sequence

from web3 import Web3

from streamrp2p.chain import (
    Call,
    CommittedChunk,
    DataDemandsContract,
    DemandRecord,
    Deployment,
    DeploymentError,
    EpochBookContract,
    Fees,
    NodeRegistryContract,
    PoolRecord,
    RewardPoolsContract,
    broadcast,
    outcomes,
    sign_call,
)
from streamrp2p.chain import SignedTransaction as SdkTransaction
from streamrp2p.chain.contract_accounts import is_valid_signature
from streamrp2p.chain.rpc import quantity, request
from streamrp2p.fraud.answers import ProvenAnswer
from streamrp2p.header import EpochHeader
from streamrp2p.numbers import ZERO_ADDRESS, Address, Hash, Signature
from streamrp2p.settlement import PoolInput
from streamrp2p.typed_data import NodeRegistration
from streamrp2p_coordinator.chain import (
    Block,
    Book,
    Commitment,
    Committing,
    CountAt,
    SignedTransaction,
)
from streamrp2p_coordinator.demand_watch import DemandWatch
from streamrp2p_coordinator.network import Network

REORG_BLOCKS = 64
"""Blocks below these are taken for settled. Every node keeps the state of so many."""


class SdkChain:
    """One deployment over one RPC connection. `confirmations` blocks must follow one that counts as confirmed.

    No transaction offers more than `ceiling`, none that has a deadline more than `urgent_ceiling`.
    """

    def __init__(
        self,
        web3: Web3,
        deployment: Deployment,
        confirmations: int = 0,
        *,
        ceiling: Fees | None = None,
        urgent_ceiling: Fees | None = None,
    ) -> None:
        self._web3 = web3
        self._deployment = deployment
        self._confirmations = confirmations
        self._ceiling, self._urgent_ceiling = ceiling, urgent_ceiling
        self._book = EpochBookContract(web3, deployment.epoch_book, from_block=deployment.block)
        self._pools = RewardPoolsContract(web3, deployment.reward_pools)
        self._registry = NodeRegistryContract(web3, deployment.node_registry)
        self._demands = DataDemandsContract(
            web3, deployment.data_demands, from_block=deployment.block
        )
        self._demand_watch = DemandWatch(self._demands)

    def network(self) -> Network:
        """Read the constants of the deployment. Raises DeploymentError when it names other demands than the book's.

        A coordinator that watched the wrong contract would leave every demand open.
        """
        if self._book.rules.data_demands != self._deployment.data_demands:
            raise DeploymentError(
                f"EpochBook takes demands from 0x{self._book.rules.data_demands.hex()}, the deployment file says "
                f"0x{self._deployment.data_demands.hex()}; fetch the deployment file again"
            )
        return Network(
            domain=self._book.domain(),
            epochs=self._book.clock(),
            challenge_seconds=self._book.rules.challenge_seconds,
            reward_pools=self._deployment.reward_pools,
            node_registry=self._deployment.node_registry,
        )

    def head(self) -> Block:
        """See `Chain`."""
        newest = self.newest()
        if self._confirmations == 0:
            return newest
        return self._block(hex(max(newest.number - self._confirmations, 0)))

    def newest(self) -> Block:
        """See `Chain`."""
        return self._block("latest")

    def pools(self, block: Block) -> Sequence[PoolRecord]:
        """See `Chain`."""
        return self._pools.pools(block=block.number)

    def pool_inputs(self, epoch: int, block: Block) -> Sequence[PoolInput]:
        """See `Chain`."""
        return self._pools.pool_inputs(epoch, block=block.number)

    def funded(self, pool_id: int, epoch: int, block: Block) -> int:
        """See `Chain`."""
        return self._pools.funded_at(pool_id, epoch, block=block.number)

    def book(self) -> Book:
        """See `Chain`."""
        state = self._book.state()
        return Book(
            next_epoch=state.next_epoch,
            finalised_epochs=state.finalised_epochs,
            poster=state.poster,
            bond_wei=state.bond_wei,
            required_bond_wei=self._book.rules.bond_wei,
        )

    def commitment(self, epoch: int) -> Commitment:
        """See `Chain`."""
        status = self._book.status(epoch)
        return Commitment(status.digest, status.committed_at, status.state == "final")

    def committing(self, epoch: int) -> Committing | None:
        """See `Chain`."""
        found = self._book.committed_header(epoch)
        if found is None:
            return None
        time = self._block(hex(found.block)).time
        return Committing(found.header, found.transaction_hash, time)

    def voided(self, epoch: int) -> Sequence[EpochHeader]:
        """See `Chain`."""
        standing = self.commitment(epoch)
        headers = [one.header for one in self._book.commits(epoch)]
        return [header for header in headers if not standing.holds(header)]

    def demands(self, since: int) -> Sequence[DemandRecord]:
        """See `Chain`."""
        return self._demand_watch.open(since)

    def registration_nonce(self, node: Address) -> int:
        """See `Chain`."""
        return self._registry.node(node).nonce

    def register_call(self, registration: NodeRegistration, signature: Signature) -> Call:
        """See `Chain`."""
        return self._registry.register_call(registration, signature)

    def bond_call(self, amount_wei: int) -> Call:
        """See `Chain`."""
        return self._book.post_bond_call(amount_wei)

    def commit_call(self, header: EpochHeader) -> Call:
        """See `Chain`."""
        return self._book.commit_call(header)

    def finalise_call(self, epoch: int) -> Call:
        """See `Chain`."""
        return self._book.finalise_call(epoch)

    def answer_call(self, demanded: CommittedChunk, proven: ProvenAnswer) -> Call:
        """See `Chain`."""
        return self._demands.publish_call(demanded, proven)

    def accepts_signature(self, account: Address, digest: Hash, signature: bytes) -> bool:
        """See `Chain`."""
        return is_valid_signature(self._web3, account, digest, signature)

    def balance(self, account: Address) -> int:
        """See `Chain`."""
        return quantity(request(self._web3, "eth_getBalance", ["0x" + account.hex(), "latest"]))

    def transaction_count(self, account: Address, at: CountAt) -> int:
        """See `Chain`."""
        block: str = at
        if at == "settled":
            block = hex(max(self.newest().number - max(self._confirmations, REORG_BLOCKS), 0))
        shown = "0x" + account.hex()
        return quantity(request(self._web3, "eth_getTransactionCount", [shown, block]))

    def sign(
        self,
        call: Call,
        private_key: bytes,
        nonce: int,
        *,
        replaced: SignedTransaction | None = None,
        seconds_left: int | None = None,
    ) -> SignedTransaction:
        """See `Chain`."""
        signed = sign_call(
            self._web3,
            call,
            private_key,
            nonce=nonce,
            replaced=None if replaced is None else replaced.raw,
            ceiling=self._ceiling if seconds_left is None else self._urgent_ceiling,
            seconds_left=seconds_left,
        )
        return SignedTransaction(signed.hash, signed.nonce, signed.raw)

    def send(self, transaction: SignedTransaction) -> None:
        """See `Chain`."""
        broadcast(
            self._web3,
            SdkTransaction(transaction.raw, transaction.hash, transaction.nonce, ZERO_ADDRESS),
        )

    def outcomes(self, transactions: Sequence[Hash]) -> Sequence[bool | None]:
        """See `Chain`."""
        return outcomes(self._web3, transactions)

    def _block(self, block: str) -> Block:
        found = request(self._web3, "eth_getBlockByNumber", [block, False])
        return Block(quantity(found["number"]), quantity(found["timestamp"]))
