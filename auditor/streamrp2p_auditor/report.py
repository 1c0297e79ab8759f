"""What the auditor says: JSON for machines, a table for people."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from streamrp2p.audit import ByteIdentical, Difference
from streamrp2p.bundle import Bundle
from streamrp2p.errors import StreamrP2PError
from streamrp2p_auditor.judge import Judged

BYTE_IDENTICAL = "byte-identical"
WRONG = "wrong"
UNJUDGED = "unjudged"

EXIT_IDENTICAL = 0
EXIT_WRONG = 1
EXIT_UNJUDGED = 2
EXIT_RETRY = 3

Outcome = Judged | StreamrP2PError
"""A verdict, or why there is none."""


def verdict_of(outcome: Outcome) -> str:
    """Return `byte-identical`, `wrong` or `unjudged`."""
    if isinstance(outcome, Judged):
        return BYTE_IDENTICAL if isinstance(outcome.verdict, ByteIdentical) else WRONG
    return UNJUDGED


def exit_code_of(*outcomes: Outcome) -> int:
    """Return the exit code of one or many epochs: one wrong epoch outweighs all, then what cannot be judged."""
    codes = {_exit_code(outcome) for outcome in outcomes}
    return next(
        (code for code in (EXIT_WRONG, EXIT_UNJUDGED, EXIT_RETRY) if code in codes), EXIT_IDENTICAL
    )


def json_of(epoch: int, outcome: Outcome) -> dict[str, Any]:
    """Return one epoch's JSON object; token amounts and weights are decimal strings."""
    report: dict[str, Any] = {
        "epoch": epoch,
        "verdict": verdict_of(outcome),
        "difference": None,
        "error": None,
    }
    if not isinstance(outcome, Judged):
        return report | {"error": {"reason": str(outcome), "retryable": outcome.retryable}}
    committed = outcome.facts.committed
    report |= {
        "state": outcome.facts.status.state,
        "challengeEndsAt": outcome.facts.status.challenge_ends_at,
        "headerHash": "0x" + committed.header_hash.hex(),
        "transaction": "0x" + committed.transaction_hash.hex(),
        "poster": "0x" + committed.poster.hex(),
        "acknowledgedCount": outcome.acknowledged,
        "bundle": {
            "dataHash": "0x" + committed.header.data_hash.hex(),
            "bytes": outcome.bundle_bytes,
            "source": outcome.source,
        },
    }
    if isinstance(outcome.verdict, Difference):
        return report | {"difference": asdict(outcome.verdict)}
    return report | _settled(outcome.verdict.settlement.bundle)


def renderable(epoch: int, outcome: Outcome) -> RenderableType:
    """Return one epoch's verdict for a terminal."""
    if not isinstance(outcome, Judged):
        return f"epoch {epoch}: [yellow]not judged[/yellow]: {escape(str(outcome))}"
    if isinstance(outcome.verdict, Difference):
        return Group(verdict_renderable(outcome), _advice(outcome))
    bundle = outcome.verdict.settlement.bundle
    return Group(
        verdict_renderable(outcome),
        f"{len(bundle.session_records)} sessions, {len(bundle.claims)} accounts, "
        f"{len(bundle.rejections)} rejections in {outcome.bundle_bytes} bytes from {escape(outcome.source)}",
        *_evidence(outcome),
        *_pools_tables(bundle),
    )


def verdict_renderable(judged: Judged) -> RenderableType:
    """Return a verdict in one line, with the first difference where there is one."""
    status = judged.facts.status
    header = f"header 0x{judged.facts.committed.header_hash.hex()}, {status.state}"
    if isinstance(judged.verdict, Difference):
        return Group(
            f"epoch {status.epoch}: [bold red]{WRONG}[/bold red] ({header})",
            difference_table(judged.verdict),
        )
    return f"epoch {status.epoch}: [bold green]{BYTE_IDENTICAL}[/bold green] ({header})"


def _exit_code(outcome: Outcome) -> int:
    if isinstance(outcome, Judged):
        return EXIT_IDENTICAL if isinstance(outcome.verdict, ByteIdentical) else EXIT_WRONG
    return EXIT_RETRY if outcome.retryable else EXIT_UNJUDGED


def _settled(bundle: Bundle) -> dict[str, Any]:
    return {
        "sessionCount": len(bundle.session_records),
        "rejectionCount": len(bundle.rejections),
        "pools": [
            {
                "poolId": row.pool_id,
                "weight": str(row.weight),
                "spend": str(row.spend),
                "cumulativeSpend": str(row.cumulative_spend),
                "nodes": [
                    {
                        "node": "0x" + node.node.hex(),
                        "sessionCount": node.session_count,
                        "weight": str(node.weight),
                        "reward": str(node.reward),
                    }
                    for node in nodes
                ],
            }
            for row, nodes in bundle.by_pool()
        ],
        "claims": [
            {
                "account": "0x" + claim.account.hex(),
                "cumulativeRewards": {
                    str(pool_id): str(reward) for pool_id, reward in claim.rewards().items()
                },
            }
            for claim in bundle.claims
        ],
    }


def _evidence(judged: Judged) -> Iterator[str]:
    if judged.acknowledged:
        yield f"none of {judged.acknowledged} acknowledged records is left out"


def difference_table(difference: Difference) -> Table:
    """Return the first difference, a line for each of its parts."""
    # One line each: a row's name and its values are long, and none may be cut off.
    table = Table(title="first difference", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in asdict(difference).items():
        table.add_row(name, escape(value))
    return table


def _advice(judged: Judged) -> str:
    ends_at = judged.facts.status.challenge_ends_at
    if ends_at is None:
        return "It is final and can no longer be voided; no pool pays more than it was funded."
    # The window is counted from the commit; the bond stands behind the header until it is made final.
    return (
        f"Void it and earn half of its poster's bond, before it is made final, which may be from {shown_time(ends_at)} "
        f"on:\n  streamrp2p audit prove {judged.facts.status.epoch}    (or let audit watch --challenge do it)"
    )


def shown_time(seconds: int) -> str:
    """Return Unix seconds as people read them."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _pools_tables(bundle: Bundle) -> Iterator[Table]:
    if not bundle.pool_rows:
        return
    table = Table("pool", "nodes", "weight", "spend", "cumulative spend")
    for column in table.columns:
        column.overflow = "fold"
    for row in bundle.pool_rows:
        table.add_row(
            str(row.pool_id),
            str(row.node_count),
            f"{row.weight:,}",
            f"{row.spend:,}",
            f"{row.cumulative_spend:,}",
        )
    yield table
