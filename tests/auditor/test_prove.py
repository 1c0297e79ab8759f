"""`streamrp2p audit prove`: the transaction that it writes is sent by a wallet that knows nothing of this project."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from streamrp2p.chain import Call, send
from streamrp2p.numbers import Address
from streamrp2p.signatures import address_of
from streamrp2p_auditor.cli import app
from tests.auditor.stages import (
    DEMAND_BOND_WEI,
    RESPONSE_SECONDS,
    SESSIONS,
    answer_all,
    challenge_stage,
    commit_withheld,
    is_void,
    overpaid,
)
from tests.support.chain import GUARDIAN, STRANGER
from tests.support.stage import Stage, mirror

pytestmark = pytest.mark.integration

SENDER = "0x" + address_of(STRANGER).hex()


@pytest.fixture
def stage(anvil: str, tmp_path: Path) -> Stage:
    return challenge_stage(anvil, tmp_path)


@pytest.fixture
def url(stage: Stage) -> Iterator[str]:
    with mirror(stage.bundles) as url:
        yield url


def invoke(stage: Stage, *arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(
        app,
        [
            *("prove", *arguments, "--rpc", stage.chain.rpc_url),
            *("--deployment", str(stage.chain.deployment_file)),
        ],
    )
    return result.exit_code, result.stdout, result.stderr


def run(stage: Stage, *arguments: str) -> tuple[int, dict[str, Any]]:
    code, output, _ = invoke(stage, *arguments, "--json")
    report: dict[str, Any] = json.loads(output)
    return code, report


def send_file(stage: Stage, file: Path) -> None:
    """Send what is in a file, as any wallet would."""
    written = json.loads(file.read_text())
    assert written["chainId"] == 31337
    call = Call(
        Address(bytes.fromhex(written["to"][2:])),
        bytes.fromhex(written["data"][2:]),
        int(written["value"]),
    )
    send(stage.chain.web3, call, STRANGER)


def test_the_transaction_that_is_written_voids_the_header(
    stage: Stage, url: str, tmp_path: Path
) -> None:
    header = stage.commit(overpaid(stage))
    file = tmp_path / "proof.json"
    code, output, _ = invoke(stage, "0", "--mirror", url, "--output", str(file), "--from", SENDER)
    assert code == 1
    said = " ".join(output.replace("│", " ").split())
    assert "epoch 0: wrong" in said
    assert "0.5 ETH to whoever sends it" in said
    assert "voids the header and all that follow it" in said
    written = json.loads(file.read_text())
    assert written["from"] == SENDER
    assert written["gas"] > 21_000
    assert (written["proof"], written["function"]) == ("BadReward", "badReward")
    assert written["headerHash"] == "0x" + header.hash().hex()
    assert written["difference"]["field"] == "reward"
    assert written["value"] == "0"
    assert not is_void(stage), "nothing was sent"
    send_file(stage, file)
    assert is_void(stage)


def test_an_honest_epoch_gives_no_transaction(stage: Stage, url: str, tmp_path: Path) -> None:
    stage.commit(stage.honest(*SESSIONS))
    file = tmp_path / "proof.json"
    code, report = run(stage, "0", "--mirror", url, "--output", str(file))
    assert (code, report["verdict"], report["transaction"]) == (0, "byte-identical", None)
    assert not file.exists()
    code, output, _ = invoke(stage, "0", "--mirror", url)
    assert code == 0
    assert "nothing to prove" in output


def test_a_withheld_epoch_is_demanded_on_request_and_falls_without_an_answer(
    stage: Stage, url: str, tmp_path: Path
) -> None:
    commit_withheld(stage, stage.honest(*SESSIONS))
    file = tmp_path / "step.json"
    code, report = run(stage, "0", "--mirror", url)
    assert (code, report["verdict"], report["transaction"]) == (2, "unjudged", None)
    assert "audit prove N --demand" in report["error"]["reason"]
    code, report = run(stage, "0", "--mirror", url, "--demand", "--output", str(file))
    assert (code, report["verdict"]) == (1, "unjudged")
    assert report["transaction"]["value"] == str(DEMAND_BOND_WEI)
    code, report = run(stage, "0", "--mirror", url, "--expire")
    assert code == 2
    assert "no demand on epoch 0 is open" in report["error"]["reason"]
    send_file(stage, file)
    code, report = run(stage, "0", "--mirror", url, "--expire")
    assert code == 3
    assert "is owed up to" in report["error"]["reason"]
    stage.chain.travel_to(stage.chain.now() + RESPONSE_SECONDS + 1)
    code, report = run(stage, "0", "--mirror", url, "--expire", "--output", str(file))
    assert (code, report["transaction"]["function"]) == (1, "expire")
    send_file(stage, file)
    assert is_void(stage)


def test_what_was_answered_on_chain_is_proved_wrong(stage: Stage, url: str, tmp_path: Path) -> None:
    settled = overpaid(stage)
    commit_withheld(stage, settled)
    file = tmp_path / "step.json"
    steps = []
    while not is_void(stage):
        code, report = run(stage, "0", "--mirror", url, "--demand", "--output", str(file))
        assert code == 1, report
        steps.append(report["transaction"]["function"])
        send_file(stage, file)
        answer_all(stage, settled)
    assert set(steps[:-1]) == {"demand"}
    assert steps[-1] == "badReward"


def test_a_final_epoch_is_beyond_reach(stage: Stage, url: str) -> None:
    stage.commit(overpaid(stage))
    stage.chain.travel_to(stage.chain.now() + 601)
    stage.chain.send(stage.chain.epoch_book.finalise_call(0), GUARDIAN)
    code, report = run(stage, "0", "--mirror", url)
    assert (code, report["verdict"]) == (2, "wrong")
    assert "final and can no longer be voided" in report["error"]["reason"]
    code, output, _ = invoke(stage, "0", "--mirror", url)
    assert code == 2
    assert "final and can no longer be voided" in " ".join(output.split())


def test_wrong_options_are_said_to_be(stage: Stage, url: str) -> None:
    code, _, error = invoke(stage, "0", "--mirror", url, "--demand", "--expire")
    assert (code, "either --demand or --expire" in error) == (2, True)
    code, _, error = invoke(stage, "0", "--mirror", url, "--from", "0x12")
    assert (code, "--from must be an address" in error) == (2, True)
