"""The closing report: tables for people, one JSON object for machines."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from streamrp2p.numbers import Address
from streamrp2p_demo.checks import CheckResult, Passed, rewards_of
from streamrp2p_demo.facts import EpochFacts, Facts, NodeFacts

TOKEN_DECIMALS = 18
PASSED, FAILED = "passed", "FAILED"


@dataclass(frozen=True, slots=True)
class NodeTotals:
    """A node's sums over all bundles, from the records that were paid."""

    sessions: int
    bytes_delivered: int
    bytes_on_time: int

    @property
    def on_time_percent(self) -> float:
        """The share of bytes that came in time, in percent; 0 for none."""
        return 100 * self.bytes_on_time / self.bytes_delivered if self.bytes_delivered else 0.0


def totals_of(facts: Facts, node: Address) -> NodeTotals:
    """Sum up what the bundles hold of a node."""
    receipts = [
        record.receipt
        for epoch in facts.epochs
        for record in epoch.records()
        if record.ticket.node == node
    ]
    return NodeTotals(
        len(receipts),
        sum(receipt.bytes_delivered for receipt in receipts),
        sum(receipt.bytes_on_time for receipt in receipts),
    )


def print_report(console: Console, facts: Facts, results: Sequence[CheckResult]) -> None:
    """Print the closing tables and the verdict."""
    console.print(_nodes_table(facts))
    console.print(_epochs_table(facts))
    console.print(_checks_table(results))
    failed = [result.name for result in results if not result.passed]
    if failed:
        console.print(f"[bold red]FAILED[/]: {', '.join(failed)}")
    else:
        console.print(f"[bold green]All {len(results)} checks passed.[/]")


def as_json(facts: Facts, results: Sequence[CheckResult], seconds: float) -> dict[str, Any]:
    """Return the report as a JSON object; token amounts are decimal strings, as in docs/protocol.md section 2."""
    return {
        "ok": all(result.passed for result in results),
        "seconds": round(seconds, 1),
        "checks": [
            {"name": result.name, "passed": result.passed, "statement": result.outcome.statement}
            for result in results
        ],
        "adversaries": [
            {"name": result.name, "caughtBy": result.outcome.rule}
            for result in results
            if isinstance(result.outcome, Passed) and result.outcome.rule is not None
        ],
        "epochs": [_epoch_json(epoch) for epoch in facts.epochs],
        "nodes": [_node_json(facts, node) for node in facts.nodes],
        "viewers": [
            {
                "name": viewer.name,
                "exitCode": viewer.exit_code,
                "bytesDelivered": viewer.bytes_delivered,
                "bytesOnTime": viewer.bytes_on_time,
                "sources": [
                    {
                        "node": None if source.node is None else _hex(source.node),
                        "bytesDelivered": source.bytes_delivered,
                        "segmentsRefused": source.segments_refused,
                        "receiptsAccepted": source.receipts_accepted,
                        "departures": list(source.departures),
                        "sessions": len(source.sessions),
                    }
                    for source in viewer.sources
                ],
            }
            for viewer in facts.viewers
        ],
        "pool": {
            "poolId": facts.pool.pool_id,
            "funded": str(facts.pool.funded),
            "paid": str(facts.pool.paid),
            "remaining": str(facts.pool.remaining),
        },
        "leftBehind": list(facts.left_behind),
    }


def tokens(base_units: int) -> str:
    """Return an amount in whole tokens with six decimals, floored: for people, never to compute with."""
    micros = base_units // 10 ** (TOKEN_DECIMALS - 6)
    return f"{micros // 10**6:,}.{micros % 10**6:06d}"


def _nodes_table(facts: Facts) -> Table:
    table = Table(title="Relays", title_justify="left")
    for column in ("relay", "node"):
        table.add_column(column)
    for column in ("sessions", "bytes paid", "on time", "reward", "claimed", "claim gas"):
        table.add_column(column, justify="right")
    rewards = rewards_of(facts)
    for node in facts.nodes:
        totals = totals_of(facts, node.node)
        table.add_row(
            node.name,
            _short(node.node),
            str(totals.sessions),
            f"{totals.bytes_delivered:,}",
            f"{totals.on_time_percent:.1f} %",
            tokens(rewards.get(node.node, 0)),
            tokens(node.claimed),
            _gas(node.claim_gas),
        )
    return table


def _epochs_table(facts: Facts) -> Table:
    table = Table(title="Epochs", title_justify="left")
    table.add_column("epoch", justify="right")
    table.add_column("state")
    for column in ("sessions", "rejections", "spend", "commit gas", "finalise gas"):
        table.add_column(column, justify="right")
    table.add_column("audit")
    for epoch in facts.epochs:
        table.add_row(
            str(epoch.epoch),
            "final" if epoch.is_final else "committed",
            str(len(epoch.bundle.session_records)),
            str(len(epoch.bundle.rejections)),
            tokens(epoch.spend()),
            _gas(epoch.commit_gas),
            _gas(epoch.finalise_gas),
            escape(epoch.audit_verdict),
        )
    return table


def _checks_table(results: Sequence[CheckResult]) -> Table:
    table = Table(title="Checks", title_justify="left", show_lines=False)
    table.add_column("check")
    table.add_column("outcome")
    table.add_column("what was seen", overflow="fold")
    for result in results:
        outcome = f"[green]{PASSED}[/]" if result.passed else f"[bold red]{FAILED}[/]"
        seen = result.outcome.statement
        if isinstance(result.outcome, Passed) and result.outcome.rule is not None:
            seen = f"caught by {result.outcome.rule}: {seen}"
        table.add_row(result.name, outcome, escape(seen))
    return table


def _epoch_json(epoch: EpochFacts) -> dict[str, Any]:
    return {
        "epoch": epoch.epoch,
        "state": "final" if epoch.is_final else "committed",
        "headerHash": _hex(epoch.header.hash()),
        "dataHash": _hex(epoch.header.data_hash),
        "sessions": len(epoch.bundle.session_records),
        "rejections": [rejection.code for rejection in epoch.bundle.rejections],
        "weight": str(epoch.header.weight),
        "spend": str(epoch.spend()),
        "commitGas": epoch.commit_gas,
        "finaliseGas": epoch.finalise_gas,
        "audit": {"exitCode": epoch.audit_exit_code, "verdict": epoch.audit_verdict},
    }


def _node_json(facts: Facts, node: NodeFacts) -> dict[str, Any]:
    totals = totals_of(facts, node.node)
    return {
        "name": node.name,
        "node": _hex(node.node),
        "payout": _hex(node.payout),
        "sessions": totals.sessions,
        "bytesDelivered": totals.bytes_delivered,
        "bytesOnTime": totals.bytes_on_time,
        "reward": str(rewards_of(facts).get(node.node, 0)),
        "claimed": str(node.claimed),
        "balance": str(node.balance),
        "claimGas": node.claim_gas,
    }


def _gas(gas: int | None) -> str:
    return "-" if gas is None else f"{gas:,}"


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _short(address: Address) -> str:
    text = address.hex()
    return f"0x{text[:4]}…{text[-4:]}"
