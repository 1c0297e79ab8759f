"""How a claim is shown: to a person stage by stage, to a machine as one object."""

from collections.abc import Sequence
from decimal import Decimal

from web3 import Web3

from streamrp2p.amounts import format_amount, format_ether
from streamrp2p.chain import (
    NoContractError,
    Payment,
    Receipt,
    StreamTokenContract,
    TransactionRevertedError,
)
from streamrp2p.numbers import Address
from streamrp2p_node.claim_plan import ClaimPlan, Fee

GWEI = 10**9


class Tokens:
    """Amounts in the units that people use, each token asked for its name once."""

    def __init__(self, web3: Web3) -> None:
        self._web3 = web3
        self._known: dict[Address, StreamTokenContract] = {}

    def shown(self, amount: int, token: Address) -> str:
        """Return base units as whole tokens with their symbol.

        A streamer chooses its pool's token. One that does not name its decimals must not hide what other pools owe.
        """
        contract = self._known.get(token)
        if contract is None:
            contract = self._known[token] = StreamTokenContract(self._web3, token)
        try:
            decimals = contract.decimals
        except (NoContractError, TransactionRevertedError):
            return f"{amount} base units of the token 0x{token.hex()}"
        return format_amount(amount, decimals, contract.symbol)


def plan_lines(plan: ClaimPlan, tokens: Tokens) -> list[str]:
    """Return the plan for a person: the stages that the money has come through, the amounts, the fee."""
    header = plan.proof.header
    lines = [
        f"1. proof      epoch {header.epoch}, header 0x{header.hash().hex()}: verified, final on chain",
    ]
    for pool in plan.pools:
        waiting = pool.settled - pool.earned
        lines += [
            f"2. pool {pool.pool_id}",
            f"     earned   {tokens.shown(pool.earned, pool.token)} in final epochs",
            *(
                [f"     waiting  {tokens.shown(waiting, pool.token)} until finality"]
                if waiting
                else []
            ),
            f"     claimed  {tokens.shown(pool.claimed, pool.token)} before",
            f"     payable  {tokens.shown(pool.payable, pool.token)} now",
        ]
    if plan.fee is None:
        return [*lines, "3. nothing is payable now"]
    return [*lines, f"3. fee        {fee_text(plan.fee)}", f"4. pay to     0x{plan.pay_to.hex()}"]


def paid_lines(
    receipt: Receipt, payments: Sequence[Payment], plan: ClaimPlan, tokens: Tokens
) -> list[str]:
    """Return what a mined claim paid, for a person."""
    token_of = {pool.pool_id: pool.token for pool in plan.pools}
    cost = format_ether(receipt.gas_used * receipt.gas_price_wei)
    where = f"0x{receipt.transaction_hash.hex()} in block {receipt.block}"
    lines = [f"5. mined      {where}, {receipt.gas_used} gas, {cost}"]
    for payment in payments:
        amount = tokens.shown(payment.amount, token_of[payment.pool_id])
        lines.append(f"6. paid       {amount} by pool {payment.pool_id} to 0x{payment.to.hex()}")
    return (
        lines if payments else [*lines, "6. nothing    was due any more: somebody pushed the claim"]
    )


def plan_shown(plan: ClaimPlan) -> dict[str, object]:
    """Return the plan for a machine; amounts are base units in decimal strings."""
    header = plan.proof.header
    return {
        "node": "0x" + plan.node.hex(),
        "epoch": header.epoch,
        "headerHash": "0x" + header.hash().hex(),
        "payTo": "0x" + plan.pay_to.hex(),
        "pools": [
            {
                "poolId": pool.pool_id,
                "token": "0x" + pool.token.hex(),
                "settled": str(pool.settled),
                "earned": str(pool.earned),
                "claimed": str(pool.claimed),
                "payable": str(pool.payable),
            }
            for pool in plan.pools
        ],
        "fee": None if plan.fee is None else fee_shown(plan.fee),
        "transaction": None,
        "paid": [],
    }


def paid_shown(receipt: Receipt, payments: Sequence[Payment]) -> dict[str, object]:
    """Return what a mined claim adds to the plan's object."""
    return {
        "transaction": {
            "hash": "0x" + receipt.transaction_hash.hex(),
            "block": receipt.block,
            "gasUsed": receipt.gas_used,
            "feeWei": str(receipt.gas_used * receipt.gas_price_wei),
        },
        "paid": [
            {
                "poolId": payment.pool_id,
                "to": "0x" + payment.to.hex(),
                "amount": str(payment.amount),
            }
            for payment in payments
        ],
    }


def fee_text(fee: Fee) -> str:
    """Return a fee for a person, with a warning when the key cannot pay it."""
    price = f"{Decimal(fee.gas_price_wei) / GWEI:.3f} gwei"
    cost = format_ether(fee.wei)
    warning = "" if fee.is_affordable else (
        f"; the node's key holds {format_ether(fee.balance_wei)}: send it some"
    )  # fmt: skip
    return f"about {cost} ({fee.gas} gas at {price}){warning}"


def fee_shown(fee: Fee) -> dict[str, object]:
    """Return a fee for a machine."""
    return {
        "gas": fee.gas,
        "gasPriceWei": str(fee.gas_price_wei),
        "feeWei": str(fee.wei),
        "balanceWei": str(fee.balance_wei),
    }
