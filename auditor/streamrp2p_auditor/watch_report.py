"""What a watchman says of the cases that it looked at: JSON for machines, lines for people, and the exit code."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape

from streamrp2p.audit import Difference
from streamrp2p_auditor.report import (
    EXIT_IDENTICAL,
    EXIT_RETRY,
    EXIT_UNJUDGED,
    EXIT_WRONG,
    WRONG,
    difference_table,
)
from streamrp2p_auditor.state import Case, Transaction

_COLOURS = {"byte-identical": "bold green", "wrong": "bold red", "unjudged": "yellow"}


def exit_code_of_cases(cases: Sequence[Case]) -> int:
    """Return the exit code of a watch: what was wrong outweighs all, also where it fell since."""
    if any(case.verdict == WRONG for case in cases):
        return EXIT_WRONG
    unjudged = [case for case in cases if case.verdict == "unjudged" and case.fate != "void"]
    if not unjudged:
        return EXIT_IDENTICAL
    return EXIT_RETRY if all(case.retryable for case in unjudged) else EXIT_UNJUDGED


def cases_json(cases: Sequence[Case]) -> dict[str, Any]:
    """Return the JSON object of a watch."""
    return {"epochs": [_json_of(case) for case in cases]}


def cases_renderable(cases: Sequence[Case]) -> RenderableType:
    """Return what a watch saw, for a terminal."""
    if not cases:
        return "nothing is pending"
    return Group(*[line for case in cases for line in _lines(case)])


def _json_of(case: Case) -> dict[str, Any]:
    dumped = case.dump()
    reason = {"reason": case.reason, "retryable": case.retryable}
    return {
        "epoch": case.epoch,
        "verdict": case.verdict,
        "difference": dumped["difference"],
        "error": reason if case.reason is not None else None,
        "state": case.fate,
        "headerHash": dumped["headerHash"],
        "committedAt": case.committed_at,
        "challengeEndsAt": case.challenge_ends_at,
        "transactions": [
            {
                "purpose": one.purpose,
                "does": one.shown,
                "hash": "0x" + one.signed[-1].hash.hex(),
                "end": one.end,
            }
            for one in case.transactions
        ],
    }


def _lines(case: Case) -> list[RenderableType]:
    colour = _COLOURS[case.verdict]
    name = f"0x{(case.header_hash or case.digest).hex()}"
    lines: list[RenderableType] = [
        f"epoch {case.epoch}: [{colour}]{case.verdict}[/{colour}] (header {name}, {case.fate})"
    ]
    if case.reason is not None:
        lines.append(f"  {escape(case.reason)}")
    if case.difference is not None:
        lines.append(difference_table(Difference(**dict(case.difference))))
    lines += [_transaction(one) for one in case.transactions]
    return lines


def _transaction(transaction: Transaction) -> str:
    shown = f"0x{transaction.signed[-1].hash.hex()}"
    return f"  {transaction.end}: {escape(transaction.shown)}\n  transaction {shown}"
