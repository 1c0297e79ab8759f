"""Play attacks, with the policy on and off, and honest cases: `python -m tests.attacks [--update] [NAME...]`."""

import argparse
import logging
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import structlog
from rich.console import Console
from rich.markdown import Markdown

from tests.attacks.attacks import ATTACKS
from tests.attacks.honest import CASES, treatment
from tests.attacks.outcome import outcome
from tests.attacks.population import FULL, QUICK, Scale
from tests.attacks.report import HonestRow, Report, Row, as_json, page, row

ROOT = Path(__file__).resolve().parents[2]
JSON_FILE = ROOT / "docs" / "attacks.json"
PAGE_FILE = ROOT / "docs" / "attacks.md"
BY_NAME = {attack.name: attack for attack in ATTACKS}
CASES_BY_NAME = {case.name: case for case in CASES}


def main() -> None:
    """Play and print; exit with an error if anything honest was refused."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="attacks and cases, all without")
    parser.add_argument("--update", action="store_true", help="write docs/attacks.json and .md")
    parser.add_argument("--quick", action="store_true", help="at the scale of the tests")
    parser.add_argument(
        "--policy", choices=("off", "on"), help="play attacks with the policy off or on alone"
    )
    options = parser.parse_args()
    known = BY_NAME.keys() | CASES_BY_NAME.keys()
    if unknown := sorted(set(options.names) - known):
        parser.error(f"no {', '.join(unknown)} (there are: {', '.join(sorted(known))})")
    if options.update and options.names:
        parser.error("--update writes the whole page: name no attack")
    policies = {"off": (False,), "on": (True,)}.get(options.policy, (False, True))
    report = _played(set(options.names) or known, QUICK if options.quick else FULL, policies)
    text = page(report)
    Console().print(Markdown(text))
    wronged = [each.name for each in report.attacks if each.honest_refused]
    wronged += [each.name for each in report.honest if each.refused]
    if wronged:
        raise SystemExit(f"honest nodes' records were refused: {', '.join(wronged)}")
    if options.update:
        JSON_FILE.write_text(as_json(report))
        PAGE_FILE.write_text(text)


def _played(names: Iterable[str], scale: Scale, policies: Sequence[bool]) -> Report:
    wanted = set(names)
    turns = [
        (attack.name, scale, with_policy)
        for attack in ATTACKS
        if attack.name in wanted
        for with_policy in policies
    ]
    cases = [(case.name, scale) for case in CASES if case.name in wanted]
    with ProcessPoolExecutor(os.cpu_count(), initializer=_quiet) as processes:
        attacks = list(processes.map(_attack, turns))
        honest = list(processes.map(_case, cases))
    return Report(scale, attacks, honest)


def _quiet() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


def _attack(turn: tuple[str, Scale, bool]) -> Row:
    name, scale, with_policy = turn
    attack = BY_NAME[name]
    return row(
        attack.what, outcome(attack, scale, with_policy=with_policy), with_policy=with_policy
    )


def _case(turn: tuple[str, Scale]) -> HonestRow:
    name, scale = turn
    case = CASES_BY_NAME[name]
    found = treatment(case, scale)
    return HonestRow(
        name, case.what, found.acknowledged, found.refused.total(), sorted(found.suspected)
    )


if __name__ == "__main__":
    main()
