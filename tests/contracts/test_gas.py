"""What the transactions that everybody pays for use, whole: below their targets, and as the documents say."""

import json

import pytest

from benchmarks.gas import report
from benchmarks.gas.challenges import DEPTHS, PROOFS
from benchmarks.gas.row import Row
from benchmarks.gas.rows import measure
from benchmarks.gas.stage import Cost, calldata_gas

pytestmark = pytest.mark.integration

ROWS = [
    Row("b", Cost(640, 64), target=9, per=64),
    Row("a", Cost(101, 20), target=100),
    Row("c", Cost(7, 1)),
]


@pytest.mark.timeout(300)
def test_all_calls_are_within_their_targets_and_as_documented() -> None:
    rows = measure()
    assert report.over_target(rows) == []
    assert report.differences(rows, report.committed()) == []
    assert report.TABLE_FILE.read_text() == report.as_table(rows)
    assert {row.name: row.target for row in rows if row.target is not None} == {
        "commit": 60_000,
        "claim from 1 pool, 2^20 accounts, first": 103_000,
        "claim from 1 pool, 2^20 accounts, repeat": 68_000,
        "claim to another address, repeat": 73_500,
        "claim from 5 pools of 1 token, first": 180_000,
        "claim from 5 pools of 1 token, repeat": 112_000,
        "claim from 5 pools of 5 tokens, first": 312_000,
        "claim from 5 pools of 5 tokens, repeat": 175_000,
        "push to 64 neighbours, repeat, per account": 24_000,
        "BadSession, 2^20 leaves": 130_000,
    } | {
        f"{name}, 2^{depth} leaves": 180_000
        for depth in DEPTHS
        for name in PROOFS
        if name != "BadSession"
    }


def test_a_row_above_its_target_is_named() -> None:
    assert report.over_target(ROWS) == [
        "b: 10 gas, at most 9 are allowed",
        "a: 101 gas, at most 100 are allowed",
    ]


def test_more_less_new_and_lost_figures_all_differ_from_the_committed() -> None:
    committed = json.loads(report.as_json(ROWS))
    assert report.differences(ROWS, committed) == []
    committed["a"]["gas"] += 1
    committed["d"] = committed.pop("c")
    assert report.differences(ROWS, committed) == [
        "a: 102 gas (20 of it call data) committed, 101 gas (20 of it call data) measured",
        "c: nothing committed, 7 gas (1 of it call data) measured",
        "d: 7 gas (1 of it call data) committed, nothing measured",
    ]


def test_the_files_are_sorted_or_in_the_order_of_measurement() -> None:
    assert list(json.loads(report.as_json(ROWS))) == ["a", "b", "c"]
    table = [line for line in report.as_table(ROWS).splitlines() if line.startswith("| ")]
    assert table[1:] == [
        "| b | 9 | 10 | 1 |",
        "| a | 100 | 101 | 20 |",
        "| c |  | 7 | 1 |",
    ]


def test_a_zero_byte_of_call_data_costs_four_gas_and_others_sixteen() -> None:
    assert calldata_gas(b"\0\0\1") == 4 + 4 + 16
