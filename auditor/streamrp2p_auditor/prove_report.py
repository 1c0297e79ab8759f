"""What `audit prove` says: the verdict, and what the transaction does for whoever signs it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from streamrp2p.amounts import format_ether
from streamrp2p.audit import ByteIdentical
from streamrp2p.difference import Difference
from streamrp2p_auditor.judge import Judged
from streamrp2p_auditor.prove import Prepared, Proof
from streamrp2p_auditor.report import (
    EXIT_RETRY,
    EXIT_UNJUDGED,
    EXIT_WRONG,
    exit_code_of,
    json_of,
    renderable,
    shown_time,
    verdict_renderable,
)

_DOES = {
    "challenge": "voids the header and all that follow it",
    "expire": "voids the header and all that follow it, for an answer that never came",
    "demand": "makes the poster publish that part of the tree, or lose the header",
}


def exit_code_of_proof(proof: Proof) -> int:
    """Return 1 where a transaction is ready, 0 where nothing is to be proved, else 2 or 3."""
    if proof.prepared is not None:
        return EXIT_WRONG
    if proof.obstacle is not None:
        return EXIT_RETRY if proof.obstacle.retryable else EXIT_UNJUDGED
    return exit_code_of(proof.outcome)


def proof_json(epoch: int, proof: Proof) -> dict[str, Any]:
    """Return the JSON object: that of `audit epoch`, with the transaction."""
    report = json_of(epoch, proof.outcome) | {"transaction": None, "rewardWei": None}
    if proof.obstacle is not None:
        obstacle = proof.obstacle
        report["error"] = {"reason": str(obstacle), "retryable": obstacle.retryable}
    if proof.prepared is not None:
        report["transaction"] = proof.prepared.transaction.to_json()
        report["rewardWei"] = str(proof.prepared.reward_wei)
    return report


def proof_renderable(epoch: int, proof: Proof, output: Path | None) -> RenderableType:
    """Return the verdict and the transaction for a terminal."""
    return Group(*_parts(epoch, proof, output))


def _parts(epoch: int, proof: Proof, output: Path | None) -> Iterator[RenderableType]:
    outcome = proof.outcome
    if isinstance(outcome, Judged) and not isinstance(outcome.verdict, ByteIdentical):
        yield verdict_renderable(outcome)
    else:
        yield renderable(epoch, outcome)
        if isinstance(outcome, Judged):
            yield "Nothing is wrong, so there is nothing to prove."
    if proof.obstacle is not None:
        yield escape(str(proof.obstacle))
    if proof.prepared is not None:
        yield _table(proof.prepared)
        yield _advice(output)


def _table(prepared: Prepared) -> Table:
    transaction, step = prepared.transaction, prepared.step
    call, ends_at = transaction.call, prepared.facts.status.challenge_ends_at
    table = Table(title="transaction", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    rows = {
        "proof": transaction.proof,
        "shows": _shown(transaction.difference),
        "does": _DOES[step.kind],
        "reward": f"{format_ether(prepared.reward_wei)} to {_WHOM[step.kind]}",
        "to": "0x" + (call.to or b"").hex(),
        "calls": f"{transaction.function}, {len(call.data)} bytes",
        "value": format_ether(call.value) + (", the bond of the demand" if call.value else ""),
        "gas": "unknown; name the sender with --from" if step.gas is None else str(step.gas),
        "until": "it is final" if ends_at is None else f"made final, from {shown_time(ends_at)}",
    }
    for name, value in rows.items():
        table.add_row(name, escape(value))
    return table


_WHOM = {
    "challenge": "whoever sends it",
    "expire": "whoever demanded",
    "demand": "you if nobody answers; who answers, gives your bond to the poster",
}


def _shown(difference: Difference) -> str:
    return (
        f"{difference.row}: {difference.field}, expected {difference.expected}, "
        f"found {difference.found}"
    )


def _advice(output: Path | None) -> str:
    if output is None:
        return "Nothing was written or sent. Add --output FILE, and send it with your wallet."
    return (
        f"Written to {escape(str(output))}: send it with any wallet (`to`, `data`, `value`). "
        "Nothing was sent."
    )
