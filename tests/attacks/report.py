"""What came of all attacks, as docs/attacks.json keeps it and docs/attacks.md shows it. Pure."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from tests.attacks.outcome import ADDRESS_WEI_PER_HOUR, SENT_WEI_PER_GB, Outcome
from tests.attacks.population import Scale
from tests.attacks.simulation import EPOCHS, TOKEN_WEI

HEAD = """# What attacks bring

`tests/attacks` plays attacks against a coordinator: its real API over a real database, in simulated time, with
{nodes} honest nodes, {viewers} honest viewers and an attacker of up to {bots} programs that pose as viewers, for
{epochs} epochs of {epoch_seconds} s. `make attacks` prints these tables, `make attacks UPDATE=1` writes this page; a
smaller run is part of the tests. The same seed gives the same figures.

- Amounts are tokens. The pool pays 1 a GB, and as much in an epoch as its honest viewers are worth: what an attacker
  earns beyond honest work, honest nodes lose, or the streamer.
- **Honest** is what the same machines earn when each relays under one name. **Cost** is what the attack costs more
  than that: {sent:g} for each GB that is really sent, {rent:g} for each hour of an address in another network.
  **Profit** is earned - honest - cost.
- **Off**: the rules of [protocol.md](protocol.md) section 4 alone. **On**: viewers' networks, probes and the stream's
  rate are known to the coordinator, which may refuse on suspicion.
- **Refused by** names the codes of the attacker's rejections, with the seconds from its beginning to the first and the
  records that were acknowledged before it, those of real viewers included.
- Bots watch nothing, and are sent nothing unless it says so.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One attack with the policy on or off. Amounts in tokens."""

    name: str
    what: str
    with_policy: bool
    earned: float
    honest: float
    cost: float
    others_lost: float
    refused: dict[str, tuple[int, int]]
    """By code: how many records, and after how many seconds the first."""
    acknowledged_before: int
    noted: list[str]
    honest_refused: int
    pays: bool
    """Whether it brings more than chance does."""

    @property
    def profit(self) -> float:
        return self.earned - self.honest - self.cost


@dataclass(frozen=True, slots=True)
class HonestRow:
    """One honest case."""

    name: str
    what: str
    acknowledged: int
    refused: int
    noted: list[str]


@dataclass(frozen=True, slots=True)
class Report:
    """All of it."""

    scale: Scale
    attacks: list[Row]
    honest: list[HonestRow]


def row(what: str, outcome: Outcome, *, with_policy: bool) -> Row:
    """Return an outcome in tokens."""
    run, records = outcome.attack, outcome.attack.records
    cost = (run.earned_wei - run.net_wei) - (outcome.honest.earned_wei - outcome.honest.net_wei)
    return Row(
        outcome.name,
        what,
        with_policy,
        _tokens(run.earned_wei),
        _tokens(outcome.honest.earned_wei),
        _tokens(cost),
        _tokens(outcome.others_lost_wei),
        {
            code: (count, records.first_at[code] - run.began_at)
            for code, count in sorted(records.refused.items())
        },
        records.acknowledged_before,
        sorted(run.suspected - records.refused.keys()),
        run.honest_refused.total(),
        outcome.pays,
    )


def as_json(report: Report) -> str:
    """Return the text of docs/attacks.json."""
    return json.dumps(asdict(report), indent=1) + "\n"


def from_json(text: str) -> Report:
    """Read what `as_json` wrote."""
    document = json.loads(text)
    return Report(
        Scale(**document["scale"]),
        [
            Row(
                **(
                    each
                    | {"refused": {code: tuple(found) for code, found in each["refused"].items()}}
                )
            )
            for each in document["attacks"]
        ],
        [HonestRow(**each) for each in document["honest"]],
    )


def page(report: Report) -> str:
    """Return the text of docs/attacks.md."""
    head = HEAD.format(
        **asdict(report.scale),
        epoch_seconds=EPOCHS.epoch_seconds,
        sent=SENT_WEI_PER_GB / TOKEN_WEI,
        rent=ADDRESS_WEI_PER_HOUR / TOKEN_WEI,
    )
    return (
        "\n".join(
            [
                head,
                *_attacks(report.attacks),
                "",
                *_what_pays(report.attacks),
                "",
                *_honest(report.honest),
            ]
        )
        + "\n"
    )


def _attacks(rows: Sequence[Row]) -> Iterator[str]:
    yield from ("## Attacks", "")
    columns = ("attack", "policy", "earned", "honest", "cost", "profit", "others lost")
    yield f"| {' | '.join(columns)} | refused by | acknowledged before | noted |"
    yield "|---|---|---:|---:|---:|---:|---:|---|---:|---|"
    for each in rows:
        profit = f"**{each.profit:.2f}**" if each.pays else f"{each.profit:.2f}"
        codes = ", ".join(f"{code} after {first} s" for code, (_, first) in each.refused.items())
        yield (
            f"| {each.name} | {'on' if each.with_policy else 'off'} | {each.earned:.2f} | {each.honest:.2f} | "
            f"{each.cost:.2f} | {profit} | {each.others_lost:.2f} | {codes or '-'} | "
            f"{each.acknowledged_before if each.refused else '-'} | {', '.join(each.noted) or '-'} |"
        )
    yield ""
    whats = {each.name: each.what for each in rows}
    yield from (f"- **{name}**: {what}" for name, what in whats.items())


def _what_pays(rows: Sequence[Row]) -> Iterator[str]:
    if not any(each.with_policy for each in rows):
        return
    yield from ("## What still pays", "")
    paying = [each for each in rows if each.with_policy and each.pays]
    if not paying:
        yield "At these prices no attack brings more than honest work with the same machines."
    for each in paying:
        more = each.profit / each.honest * 100
        yield f"- **{each.name}** brings {each.profit:.2f}, {more:.0f} % of what honest work does, on top of it."


def _honest(rows: Sequence[HonestRow]) -> Iterator[str]:
    yield from (
        "## Honest nodes",
        "",
        "With the policy on. Nothing of theirs may be refused.",
        "",
    )
    yield from ("| case | what | records | refused | noted |", "|---|---|---:|---:|---|")
    for each in rows:
        yield f"| {each.name} | {each.what} | {each.acknowledged} | {each.refused} | {', '.join(each.noted) or '-'} |"


def _tokens(wei: int) -> float:
    return round(wei / TOKEN_WEI, 3)
