"""How an omission is shown: to a person line by line, to a machine as one object."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from streamrp2p.amounts import format_ether
from streamrp2p.chain import Receipt, RewardPoolsContract, Voiding
from streamrp2p.errors import StreamrP2PError
from streamrp2p.numbers import Address
from streamrp2p.omission import LeftOut
from streamrp2p_node.claim_view import Tokens
from streamrp2p_node.omission_plan import Examined, Loss

MAX_SHOWN = 5
"""Sessions that are named one by one to a person; JSON has them all."""


class Amounts:
    """Rewards in the token of their pool, each pool asked for it once."""

    def __init__(self, pools: RewardPoolsContract, tokens: Tokens) -> None:
        self._pools = pools
        self._tokens = tokens
        self._known: dict[int, Address] = {}

    def shown(self, pool_id: int, amount: int) -> str:
        """Return base units as whole tokens with their symbol."""
        if pool_id not in self._known:
            record = self._pools.pool(pool_id)
            self._known[pool_id] = Address(bytes(20)) if record is None else record.token
        return self._tokens.shown(amount, self._known[pool_id])


def examined_lines(epoch: int, examined: Examined, amounts: Amounts) -> Iterator[str]:
    """Yield what was found in one epoch, for a person."""
    facts = examined.facts
    missing = examined.left_out
    if missing:
        yield f"epoch {epoch}: {_count(len(missing), 'session')} left out"
    elif examined.damaged:
        yield f"epoch {epoch}: cannot be told"
    elif examined.acknowledged:
        records = _count(examined.acknowledged, "acknowledged record")
        yield f"epoch {epoch}: nothing left out of {records}"
    else:
        yield f"epoch {epoch}: nothing was acknowledged to this node by its poster"
    yield f"  header   0x{facts.committed.header_hash.hex()}"
    yield f"  state    {_state(examined)}"
    yield f"  poster   0x{facts.committed.poster.hex()}"
    for one in missing[:MAX_SHOWN]:
        yield f"  session  0x{one.record.session_id.hex()}"
        yield f"           {_what(one)}"
    if len(missing) > MAX_SHOWN:
        yield f"           and {_count(len(missing) - MAX_SHOWN, 'more session')} (--json names all)"
    for loss in examined.losses:
        yield f"  pool {loss.pool_id:<4}{_worth(loss, amounts)}"
        yield f"           not paid to 0x{loss.node.hex()}"
    for error in (*examined.foreign, *examined.damaged):
        yield f"  note     {error}"


def sent_lines(receipt: Receipt, voiding: Voiding | None) -> Iterator[str]:
    """Yield what a mined proof did, for a person."""
    cost = format_ether(receipt.gas_used * receipt.gas_price_wei)
    yield f"  mined    block {receipt.block}, {receipt.gas_used:,} gas, {cost}"
    if voiding is None:
        return
    epochs = f"epoch {voiding.from_epoch}"
    if voiding.to_epoch > voiding.from_epoch:
        epochs = f"epochs {voiding.from_epoch} to {voiding.to_epoch}"
    yield f"  voided   {epochs}; its poster must bond and settle again"
    reward = format_ether(voiding.reward_wei)
    yield f"  credit   {reward} of the poster's bond, to"
    yield f"           0x{voiding.challenger.hex()}"


def examined_shown(epoch: int, examined: Examined) -> dict[str, Any]:
    """Return what was found in one epoch for a machine; weights and rewards are decimal strings."""
    facts = examined.facts
    return {
        "epoch": epoch,
        "headerHash": "0x" + facts.committed.header_hash.hex(),
        "state": facts.status.state,
        "challengeEndsAt": facts.status.challenge_ends_at,
        "poster": "0x" + facts.committed.poster.hex(),
        "acknowledgedCount": examined.acknowledged,
        "leftOut": [_session(one) for one in examined.left_out],
        "losses": [
            {
                "poolId": loss.pool_id,
                "node": "0x" + loss.node.hex(),
                "sessionCount": loss.sessions,
                "weight": str(loss.weight),
                "reward": None if loss.reward is None else str(loss.reward),
            }
            for loss in examined.losses
        ],
        "otherPosters": [str(error) for error in examined.foreign],
        "damaged": [str(error) for error in examined.damaged],
        "error": None,
    }


def failed_shown(epoch: int, error: StreamrP2PError) -> dict[str, Any]:
    """Return why an epoch could not be looked at, for a machine."""
    return {"epoch": epoch, "error": {"reason": str(error), "retryable": error.retryable}}


def sent_shown(receipt: Receipt, voiding: Voiding | None) -> dict[str, Any]:
    """Return what a mined proof did, for a machine."""
    return {
        "hash": "0x" + receipt.transaction_hash.hex(),
        "block": receipt.block,
        "gasUsed": receipt.gas_used,
        "feeWei": str(receipt.gas_used * receipt.gas_price_wei),
        "voidedEpochs": None if voiding is None else [voiding.from_epoch, voiding.to_epoch],
        "creditWei": "0" if voiding is None else str(voiding.reward_wei),
    }


def _state(examined: Examined) -> str:
    ends_at = examined.facts.status.challenge_ends_at
    if ends_at is None:
        return "final: it can no longer be voided"
    until = datetime.fromtimestamp(ends_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"pending, at least until {until}"


def _what(one: LeftOut) -> str:
    promised = one.record.receipt.sequence
    there = "absent" if one.found is None else f"there with {one.found.receipt.sequence}"
    return f"sequence {promised} acknowledged, {there}: {one.weight:,} weighted bytes"


def _worth(loss: Loss, amounts: Amounts) -> str:
    sessions = _count(loss.sessions, "session")
    reward = "" if loss.reward is None else f", {amounts.shown(loss.pool_id, loss.reward)}"
    return f"{sessions}, {loss.weight:,} weighted bytes{reward}"


def _session(one: LeftOut) -> dict[str, Any]:
    return {
        "poolId": one.record.ticket.pool_id,
        "node": "0x" + one.record.ticket.node.hex(),
        "sessionId": "0x" + one.record.session_id.hex(),
        "acknowledgedSequence": one.record.receipt.sequence,
        "foundSequence": None if one.found is None else one.found.receipt.sequence,
        "weight": str(one.weight),
    }


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
