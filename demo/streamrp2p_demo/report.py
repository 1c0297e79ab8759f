"""The closing report for people: tables and the verdict."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from streamrp2p_demo.checks import CheckResult, Passed, rewards_of
from streamrp2p_demo.facts import Facts
from streamrp2p_demo.totals import totals_of

TOKEN_DECIMALS = 18
PASSED, FAILED = "passed", "FAILED"


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


def tokens(base_units: int) -> str:
    """Return an amount in whole tokens with six decimals, floored: for people, never to compute with."""
    micros = base_units // 10 ** (TOKEN_DECIMALS - 6)
    return f"{micros // 10**6:,}.{micros % 10**6:06d}"


def _table(title: str, columns: Sequence[str]) -> Table:
    """Make a table without side lines: with them, the widest would not fit a terminal of 80 columns."""
    table = Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True
    )
    for column in columns:
        table.add_column(column)
    return table


def _nodes_table(facts: Facts) -> Table:
    table = _table("Relays", ("relay",))
    for column in ("sessions", "bytes paid", "on time", "reward", "claimed", "claim gas"):
        table.add_column(column, justify="right")
    rewards = rewards_of(facts)
    for node in facts.nodes:
        totals = totals_of(facts, node.node)
        table.add_row(
            node.name,
            str(totals.sessions),
            f"{totals.bytes_delivered:,}",
            f"{totals.on_time_percent:.1f} %",
            tokens(rewards.get(node.node, 0)),
            tokens(node.claimed),
            _gas(node.claim_gas),
        )
    return table


def _epochs_table(facts: Facts) -> Table:
    table = _table("Epochs", ("epoch", "state"))
    for column in ("sessions", "rejected", "spend", "commit\ngas", "finalise\ngas"):
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
    table = _table("Checks", ("check", "outcome"))
    table.add_column("what was seen", overflow="fold")
    for result in results:
        outcome = f"[green]{PASSED}[/]" if result.passed else f"[bold red]{FAILED}[/]"
        seen = result.outcome.statement
        if isinstance(result.outcome, Passed) and result.outcome.rule is not None:
            seen = f"caught by {result.outcome.rule}: {seen}"
        table.add_row(result.name, outcome, escape(seen))
    return table


def _gas(gas: int | None) -> str:
    return "-" if gas is None else f"{gas:,}"
