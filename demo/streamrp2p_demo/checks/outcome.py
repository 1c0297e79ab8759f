"""What a check says, and words that all checks use."""

from collections.abc import Iterable
from dataclasses import dataclass

from streamrp2p.verify import Code


@dataclass(frozen=True, slots=True)
class Passed:
    """The claim holds; `statement` says by what numbers, `rule` by which rule an adversary was caught."""

    statement: str
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The claim does not hold; `statement` says what was seen instead."""

    statement: str


Outcome = Passed | Failed


def rule_name(code: int) -> str:
    """Return a rejection code's name and number."""
    return f"{Code(code).name} ({code})" if code in list(Code) else f"code {code}"


def listed(items: Iterable[object]) -> str:
    """Return things in one line."""
    return ", ".join(map(str, items))
