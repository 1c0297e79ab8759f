"""The closing report tells people and machines the same."""

import io
import json
from dataclasses import replace

from rich.console import Console

from streamrp2p_demo.checks import run_checks
from streamrp2p_demo.report import print_report, tokens
from streamrp2p_demo.report_json import as_json
from tests.demo.scenario import GOOD


def printed(facts: object = GOOD) -> str:
    assert isinstance(facts, type(GOOD))
    output = io.StringIO()
    print_report(Console(file=output, width=160), facts, run_checks(facts))
    return output.getvalue()


def test_amounts_are_shown_floored_with_six_decimals() -> None:
    assert tokens(1_234_567_891_999_999_999_999) == "1,234.567891"


def test_tables_name_relays_epochs_and_the_rule_that_caught_each_adversary() -> None:
    text = printed()

    assert "relay-2" in text
    assert "6,000" in text
    assert "byte-identical" in text
    assert "OVER_RATE (9)" in text
    assert "SHA-256" in text
    assert "All 11 checks passed." in text


def test_a_failed_check_is_named_in_the_last_line() -> None:
    text = printed(replace(GOOD, left_behind=("node [1]",)))

    assert text.strip().endswith("FAILED: processes")
    assert "still running: node [1]" in text


def test_json_has_one_object_for_each_thing_and_amounts_as_strings() -> None:
    report = json.loads(json.dumps(as_json(GOOD, run_checks(GOOD), 12.34)))

    assert report["ok"] is True
    assert report["seconds"] == 12.3
    assert [check["name"] for check in report["checks"]][:2] == ["viewers", "receipts"]
    assert report["nodes"][0]["bytesDelivered"] == 6_000
    assert report["nodes"][0]["reward"] == report["nodes"][0]["balance"] == "6000"
    assert report["epochs"][0]["rejections"] == [9]
    assert [each["caughtBy"] for each in report["adversaries"]] == [
        "OVER_RATE (9)",
        "SHA-256 in the origin's signed playlist",
        "the ledger: the same record again changes nothing",
    ]
    assert report["pool"]["funded"] == "1000000000000"


def test_json_is_not_ok_when_a_check_fails() -> None:
    facts = replace(GOOD, left_behind=("origin (1)",))

    assert as_json(facts, run_checks(facts), 1.0)["ok"] is False
