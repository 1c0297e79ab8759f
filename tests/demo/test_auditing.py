"""Each committed epoch is audited once, by a process of its own."""

import json
import sys
from pathlib import Path

import pytest

from streamrp2p_demo.auditing import Audit, Auditors, read_audit
from streamrp2p_demo.processes import Supervisor
from tests.demo.scenario import RELAY_1

RIGHT = {
    "verdict": "byte-identical",
    "difference": None,
    "error": None,
    "claims": [{"account": "0x" + RELAY_1.hex(), "cumulativeRewards": {"1": "40", "2": "2"}}],
}


def test_a_right_epoch_has_the_rewards_of_all_pools_summed_up() -> None:
    assert read_audit(0, json.dumps(RIGHT)) == Audit(0, "byte-identical", {RELAY_1: 42})


def test_a_wrong_epoch_has_its_difference_in_the_verdict() -> None:
    said = {"verdict": "wrong", "difference": {"proof": "BadReward"}, "error": None}

    assert read_audit(1, json.dumps(said)) == Audit(1, "wrong: {'proof': 'BadReward'}", {})


@pytest.mark.parametrize("output", ["", "Traceback"])
def test_a_command_that_printed_no_json_gave_no_verdict(output: str) -> None:
    assert read_audit(2, output) == Audit(2, "no verdict", {})


@pytest.mark.integration
def test_each_committed_epoch_is_audited_once_and_told(tmp_path: Path) -> None:
    events: list[str] = []
    script = f"print({json.dumps(RIGHT)!r})"
    with Supervisor(tmp_path) as supervisor:
        auditors = Auditors(
            supervisor, lambda epoch: [sys.executable, "-c", script, str(epoch)], events.append
        )
        auditors.look(1)
        auditors.look(1)
        audits = [auditors.audit(epoch) for epoch in (0, 1)]

    assert [audit.rewards for audit in audits] == [{RELAY_1: 42}] * 2
    assert events == ["audit of epoch 0: byte-identical", "audit of epoch 1: byte-identical"]
    assert len(supervisor.children) == 2


@pytest.mark.integration
def test_an_epoch_whose_header_was_voided_is_audited_again(tmp_path: Path) -> None:
    events: list[str] = []
    script = f"print({json.dumps(RIGHT)!r})"
    with Supervisor(tmp_path) as supervisor:
        auditors = Auditors(
            supervisor, lambda epoch: [sys.executable, "-c", script, str(epoch)], events.append
        )
        auditors.audit(0)
        auditors.forget(0)
        auditors.look(2)
        auditors.forget(1)
        for epoch in (0, 1):
            auditors.audit(epoch)

    told = ["audit of epoch 0: byte-identical"] * 2 + ["audit of epoch 1: byte-identical"]
    assert sorted(events) == told, "what was told before is told again, what was stopped is not"
