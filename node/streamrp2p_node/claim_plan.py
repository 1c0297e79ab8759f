"""What a claim would pay, proven: the coordinator's proof is checked here and its header against the chain."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from web3 import Web3

from streamrp2p import api
from streamrp2p.chain import (
    Call,
    EpochBookContract,
    NodeRegistryContract,
    RewardPoolsContract,
)
from streamrp2p.chain.rpc import quantity, request
from streamrp2p.chain.transactions import call_object
from streamrp2p.claim import ClaimProof
from streamrp2p.client import ApiError, CoordinatorClient
from streamrp2p.numbers import Address
from streamrp2p_node.errors import ClaimError

NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class PoolClaim:
    """One pool's part, base units. `settled` counts epochs that are not final yet, `earned` only final ones.

    `payable` is what a claim pays now: what is earned and not paid yet, but no more than the pool holds.
    """

    pool_id: int
    token: Address
    settled: int
    earned: int
    claimed: int
    payable: int


@dataclass(frozen=True, slots=True)
class Fee:
    """What the transaction costs about now; `balance_wei` is what the node's key holds."""

    gas: int
    gas_price_wei: int
    balance_wei: int

    @property
    def wei(self) -> int:
        """Return the fee."""
        return self.gas * self.gas_price_wei

    @property
    def is_affordable(self) -> bool:
        """Tell whether the node's key can pay it."""
        return self.wei <= self.balance_wei


@dataclass(frozen=True, slots=True)
class ClaimPlan:
    """A verified claim. `call` is None when nothing is payable; then there is no fee either."""

    node: Address
    proof: ClaimProof
    pay_to: Address
    pools: tuple[PoolClaim, ...]
    call: Call | None
    fee: Fee | None


def make_plan(
    client: CoordinatorClient,
    web3: Web3,
    config: api.Config,
    node: Address,
    *,
    to: Address | None = None,
    only_pools: Collection[int] = (),
) -> ClaimPlan:
    """Fetch the newest claim, verify it and see what it pays, and what it costs. No `only_pools` means all.

    Raises ClaimError when nothing was earned, or when the coordinator's proof is not what the chain holds.
    """
    proof = _verified(client, EpochBookContract(web3, Address(config.epoch_book)), node)
    contract = RewardPoolsContract(web3, Address(config.reward_pools))
    pools = _pools(contract, proof, node, _settled(client, node))
    unknown = set(only_pools) - {pool.pool_id for pool in pools}
    if unknown:
        raise ClaimError(
            f"node 0x{node.hex()} has earned nothing from pool {min(unknown)} in a final epoch yet; "
            "without --pool you see all that it earned from"
        )
    chosen = {
        pool.pool_id
        for pool in pools
        if pool.payable and (not only_pools or pool.pool_id in only_pools)
    }
    skip = sum(1 << index for index, pool in enumerate(pools) if pool.pool_id not in chosen)
    registry = NodeRegistryContract(web3, Address(config.node_registry))
    if to is None:
        pay_to, call = registry.payout_of(node), contract.claim_call(proof, skip)
    else:
        pay_to, call = to, contract.claim_to_call(proof, to, skip)
    if not chosen:
        return ClaimPlan(node, proof, pay_to, pools, None, None)
    if not contract.has_open_claims(proof.header.epoch):
        call = contract.opening(proof.header, call)
    return ClaimPlan(node, proof, pay_to, pools, call, fee_of(web3, call, node))


def _verified(client: CoordinatorClient, book: EpochBookContract, node: Address) -> ClaimProof:
    try:
        proof = client.claim(node).proof()
    except ApiError as error:
        if error.status != NOT_FOUND:
            raise
        raise ClaimError(
            f"node 0x{node.hex()} has earned nothing in a final epoch yet; "
            "try again once an epoch that it served in is final"
        ) from error
    if proof.leaf.account != node:
        raise ClaimError(
            f"the coordinator sent a claim of 0x{proof.leaf.account.hex()}, asked was 0x{node.hex()}"
        )
    if not proof.is_valid():
        raise ClaimError(
            "the coordinator's proof does not lead to its header's claims root; ask another mirror"
        )
    epoch, header_hash = proof.header.epoch, proof.header.hash()
    if not book.is_final(epoch, header_hash):
        state = book.status(epoch).state
        raise ClaimError(
            f"the chain's epoch {epoch} is {state}, and no final header there has the hash "
            f"0x{header_hash.hex()} that the coordinator names; wait for finality, or audit the epoch"
        )
    return proof


def _settled(client: CoordinatorClient, node: Address) -> Mapping[int, int]:
    try:
        return {pool.pool_id: pool.settled for pool in client.earnings(node).pools}
    except ApiError as error:
        # Only shown, never paid by: a claim works without it.
        if error.retryable:
            raise
        return {}


def _pools(
    contract: RewardPoolsContract, proof: ClaimProof, node: Address, settled: Mapping[int, int]
) -> tuple[PoolClaim, ...]:
    """Return the pools in the order of the proof's entries."""
    earned = proof.leaf.rewards()
    claimed = contract.claimed_by_pool(node, list(earned))
    known = {pool.pool_id: pool for pool in contract.pools(earned)}
    found = []
    for pool_id, amount in earned.items():
        pool = known.get(pool_id)
        due = max(amount - claimed[pool_id], 0)
        found.append(
            PoolClaim(
                pool_id,
                Address(bytes(20)) if pool is None else pool.token,
                max(settled.get(pool_id, amount), amount),
                amount,
                claimed[pool_id],
                0 if pool is None else min(due, pool.remaining),
            )
        )
    return tuple(found)


def fee_of(web3: Web3, call: Call, sender: Address) -> Fee:
    """Try the call and return what it costs; raises TransactionRevertedError when the chain refuses it."""
    shown = "0x" + sender.hex()
    return Fee(
        quantity(request(web3, "eth_estimateGas", [call_object(call, sender), "latest"])),
        quantity(request(web3, "eth_gasPrice", [])),
        quantity(request(web3, "eth_getBalance", [shown, "latest"])),
    )
