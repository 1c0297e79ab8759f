"""Deposits into a pool, by the cheapest way that the token allows: one transaction with a permit, else two."""

from dataclasses import dataclass
from typing import Literal

from streamrp2p.amounts import format_amount
from streamrp2p.chain.errors import ChainError, TransactionRevertedError
from streamrp2p.chain.reward_pools import RewardPoolsContract
from streamrp2p.chain.rpc import quantity, request
from streamrp2p.chain.stream_token import StreamTokenContract
from streamrp2p.chain.transactions import Receipt, broadcast, send, sign_call, wait_for
from streamrp2p.foreign_text import printable
from streamrp2p.numbers import Address, Hash
from streamrp2p.signatures import address_of

PERMIT_SECONDS = 3600
Way = Literal["allowance", "permit", "approval"]


class InsufficientTokensError(ChainError):
    """The wallet holds fewer tokens than it should deposit; base units."""

    def __init__(self, token: StreamTokenContract, held: int, needed: int) -> None:
        super().__init__(
            f"the wallet holds {format_amount(held, token.decimals, printable(token.symbol))} "
            f"(0x{token.address.hex()}), the deposit needs {format_amount(needed, token.decimals)}; "
            "get more, or deposit less"
        )
        self.held = held
        self.needed = needed


@dataclass(frozen=True, slots=True)
class Deposit:
    """A deposit that was mined: what arrived, in base units, and by which way."""

    credited: int
    way: Way
    transaction_hash: Hash
    gas_used: int


def deposit(
    pools: RewardPoolsContract,
    token: StreamTokenContract,
    pool_id: int,
    amount: int,
    private_key: bytes,
    *,
    use_permit: bool = True,
) -> Deposit:
    """Deposit `amount` base units of the key's account into a pool and wait.

    An allowance that is there already is used; else a permit; else the exact amount is approved first. Raises
    InsufficientTokensError, or whatever `send` raises.
    """
    owner = address_of(private_key)
    check_balance(token, owner, amount)
    if token.allowance(owner, pools.address) >= amount:
        return _deposit(pools, pool_id, amount, private_key, "allowance", gas_before=0)
    if use_permit:
        by_permit = _deposit_with_permit(pools, token, pool_id, amount, private_key)
        if by_permit is not None:
            return by_permit
    approved = send(token.web3, token.approve_call(pools.address, amount), private_key)
    return _deposit(pools, pool_id, amount, private_key, "approval", gas_before=approved.gas_used)


def check_balance(token: StreamTokenContract, owner: Address, amount: int) -> None:
    """Raise InsufficientTokensError unless the owner holds `amount` base units."""
    held = token.balance_of(owner)
    if held < amount:
        raise InsufficientTokensError(token, held, amount)


def _deposit(
    pools: RewardPoolsContract,
    pool_id: int,
    amount: int,
    private_key: bytes,
    way: Way,
    *,
    gas_before: int,
) -> Deposit:
    receipt = send(pools.web3, pools.deposit_call(pool_id, amount), private_key)
    return _made(pools, receipt, way, gas_before)


def _deposit_with_permit(
    pools: RewardPoolsContract,
    token: StreamTokenContract,
    pool_id: int,
    amount: int,
    private_key: bytes,
) -> Deposit | None:
    block = request(token.web3, "eth_getBlockByNumber", ["latest", False])
    deadline = quantity(block["timestamp"]) + PERMIT_SECONDS
    permit = token.sign_permit(private_key, pools.address, amount, deadline)
    if permit is None:
        return None
    call = pools.deposit_with_permit_call(pool_id, amount, deadline, permit.signature)
    try:
        signed = sign_call(pools.web3, call, private_key)
    except TransactionRevertedError as error:
        # Some tokens have functions of these names that mean something else: then no allowance came.
        if error.name.startswith("RewardPools_"):
            raise
        return None
    broadcast(pools.web3, signed)
    return _made(pools, wait_for(pools.web3, signed.hash), "permit", 0)


def _made(pools: RewardPoolsContract, receipt: Receipt, way: Way, gas_before: int) -> Deposit:
    return Deposit(
        pools.deposited(receipt), way, receipt.transaction_hash, receipt.gas_used + gas_before
    )
