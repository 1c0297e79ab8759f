"""Watchmen that act: real processes with a funded key against real contracts, until the header falls."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from streamrp2p.chain.rpc import quantity, request
from streamrp2p.signatures import address_of
from tests.auditor.servers import Behaviour, bad_mirror, held_rpc
from tests.auditor.stages import (
    BOND_WEI,
    DEMAND_BOND_WEI,
    RESPONSE_SECONDS,
    SESSIONS,
    answer_all,
    challenge_stage,
    commit_withheld,
    demands_of,
    is_void,
    overpaid,
)
from tests.auditor.watchmen import Watchman, receiving, wait_until, watching
from tests.support.chain import STRANGER, DeployedChain
from tests.support.sessions import known_key
from tests.support.stage import Stage, mirror

pytestmark = pytest.mark.integration


@pytest.fixture
def stage(anvil: str, tmp_path: Path) -> Stage:
    return challenge_stage(anvil, tmp_path)


@pytest.fixture
def url(stage: Stage) -> Iterator[str]:
    with mirror(stage.bundles) as url:
        yield url


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    return write_key(tmp_path / "key", STRANGER)


def write_key(path: Path, key: bytes) -> str:
    path.write_text(key.hex())
    path.chmod(0o600)
    return str(path)


def sent_by_watchman(chain: DeployedChain) -> int:
    shown = "0x" + address_of(STRANGER).hex()
    return quantity(request(chain.web3, "eth_getTransactionCount", [shown, "latest"]))


def balance(chain: DeployedChain) -> int:
    shown = "0x" + address_of(STRANGER).hex()
    return quantity(request(chain.web3, "eth_getBalance", [shown, "latest"]))


def wait_until_void(stage: Stage, watchman: Watchman, epoch: int = 0) -> None:
    wait_until(
        lambda: is_void(stage, epoch) or None,
        lambda: f"the header stands:\n{watchman.log_file.read_text()}",
    )


def test_a_reward_that_is_too_high_is_voided_and_the_watchman_paid(
    stage: Stage, url: str, key_file: str, tmp_path: Path
) -> None:
    stage.commit(stage.honest(*SESSIONS))
    stage.commit(overpaid(stage))
    stage.commit(stage.honest())
    before = balance(stage.chain)
    arguments = ("--mirror", url, "--challenge", "--key-file", key_file, "--withdraw")
    with (
        receiving() as receiver,
        watching(stage.chain, tmp_path, *arguments, "--webhook", receiver.url) as watchman,
    ):
        wait_until_void(stage, watchman, 1)
        watchman.wait_for("headers_voided", from_epoch=1, to_epoch=2, reward_wei=BOND_WEI // 2)
        watchman.wait_for("transaction_ended", does="withdraw 0.5 ETH from EpochBook")
        wait_until(lambda: len(receiver.bodies) >= 2 or None, lambda: str(receiver.bodies))
        assert watchman.stop() == 1
    assert [(body["kind"], body["epoch"]) for body in receiver.bodies] == [
        ("wrong", 1),
        ("void", 1),
    ]
    assert stage.chain.epoch_book.next_epoch() == 1, "the honest epoch before it stands"
    assert not stage.chain.epoch_book.state().is_bonded
    assert before + BOND_WEI // 2 - 10**16 < balance(stage.chain) < before + BOND_WEI // 2
    assert sent_by_watchman(stage.chain) == 2
    assert STRANGER.hex() not in watchman.log_file.read_text()


def test_a_withheld_bundle_is_demanded_and_the_header_falls_without_an_answer(
    stage: Stage, url: str, key_file: str, tmp_path: Path
) -> None:
    commit_withheld(stage, stage.honest(*SESSIONS))
    before = balance(stage.chain)
    arguments = ("--mirror", url, "--challenge", "--key-file", key_file, "--withdraw")
    with watching(stage.chain, tmp_path, *arguments) as watchman:
        watchman.wait_for("judged", verdict="unjudged")
        assert sent_by_watchman(stage.chain) == 0, "it may only be late"
        stage.chain.travel_to(stage.chain.now() + 31)
        watchman.wait_for(
            "transaction_ended",
            end="mined",
            does="demand epoch 0: Withheld, pools, level 0, node 0",
        )
        watchman.wait_for("answer_owed", epoch=0)
        stage.chain.travel_to(stage.chain.now() + RESPONSE_SECONDS + 1)
        wait_until_void(stage, watchman)
        watchman.wait_for("transaction_ended", does="withdraw 0.5 ETH from EpochBook")
        wait_until(
            lambda: balance(stage.chain) > before + BOND_WEI // 2 - 10**16 or None,
            watchman.log_file.read_text,
        )
        assert demands_of(stage).credit_of(address_of(STRANGER)) == 0
        assert watchman.stop() == 0, "no verdict was reached, and none is needed any more"


def test_what_is_answered_on_chain_is_read_and_proved_wrong(
    stage: Stage, url: str, key_file: str, tmp_path: Path
) -> None:
    settled = overpaid(stage)
    commit_withheld(stage, settled)
    arguments = ("--mirror", url, "--challenge", "--key-file", key_file, "--withdraw")
    with watching(stage.chain, tmp_path, *arguments) as watchman:
        watchman.wait_for("judged", verdict="unjudged")
        stage.chain.travel_to(stage.chain.now() + 31)
        wait_until(
            lambda: answer_all(stage, settled) * 0 or (is_void(stage) or None),
            watchman.log_file.read_text,
        )
        line = watchman.wait_for("headers_voided", from_epoch=0)
        assert line["reward_wei"] == BOND_WEI // 2
        watchman.stop()
    states = {record.state for record in demands_of(stage).demands()}
    assert "answered" in states
    assert "expired" not in states


@pytest.mark.parametrize("behaviour", list(Behaviour))
def test_a_lying_mirror_keeps_nobody_from_judging_and_challenging(
    behaviour: Behaviour, stage: Stage, url: str, key_file: str, tmp_path: Path
) -> None:
    settled = overpaid(stage)
    stage.commit(settled)
    lie = stage.honest(*SESSIONS).bundle.encode()
    with bad_mirror(behaviour, lie) as liar:
        arguments = ("--mirror", liar, "--mirror", url, "--challenge", "--key-file", key_file)
        with watching(stage.chain, tmp_path, *arguments) as watchman:
            watchman.wait_for("judged", epoch=0, verdict="wrong")
            wait_until_void(stage, watchman)
            watchman.wait_for("headers_voided")
            assert watchman.stop() == 1


def test_honest_epochs_cost_nothing(stage: Stage, url: str, key_file: str, tmp_path: Path) -> None:
    stage.commit(stage.honest(*SESSIONS))
    stage.commit(stage.honest())
    arguments = ("--mirror", url, "--challenge", "--key-file", key_file, "--withdraw")
    with watching(stage.chain, tmp_path, *arguments) as watchman:
        watchman.wait_for("judged", epoch=1, verdict="byte-identical")
        stage.chain.travel_to(stage.chain.now() + 300)
        stage.commit(stage.honest())
        watchman.wait_for("judged", epoch=2, verdict="byte-identical")
        assert watchman.stop() == 0
    assert sent_by_watchman(stage.chain) == 0
    assert stage.chain.epoch_book.next_epoch() == 3


def test_kill_9_between_record_and_sending_loses_and_doubles_nothing(
    stage: Stage, url: str, key_file: str, tmp_path: Path
) -> None:
    stage.commit(overpaid(stage))
    arguments = ("--mirror", url, "--challenge", "--key-file", key_file)
    with (
        held_rpc(stage.chain.rpc_url) as held,
        watching(stage.chain, tmp_path, *arguments, rpc=held.url) as watchman,
    ):
        wait_until(lambda: held.transactions or None, watchman.log_file.read_text)
        recorded = watchman.wait_for("transaction", purpose="challenge")["hash"]
        watchman.kill()
    assert not is_void(stage)
    with watching(stage.chain, tmp_path, *arguments) as watchman:
        ended = watchman.wait_for("transaction_ended", end="mined")
        watchman.wait_for("header_ended", fate="void")
        assert watchman.stop() == 1
    assert ended["hash"] == recorded
    assert is_void(stage)
    assert sent_by_watchman(stage.chain) == 1


def test_kill_9_after_sending_is_noticed_and_not_repeated(
    stage: Stage, url: str, key_file: str, tmp_path: Path
) -> None:
    stage.commit(overpaid(stage))
    request(stage.chain.web3, "evm_setAutomine", [False])
    arguments = ("--mirror", url, "--challenge", "--key-file", key_file)
    with watching(stage.chain, tmp_path, *arguments) as watchman:
        recorded = watchman.wait_for("transaction", purpose="challenge")["hash"]
        shown = "0x" + address_of(STRANGER).hex()
        pending = [shown, "pending"]
        wait_until(
            lambda: quantity(request(stage.chain.web3, "eth_getTransactionCount", pending)) or None,
            lambda: "nothing was sent",
        )
        watchman.kill()
    request(stage.chain.web3, "evm_mine", [])
    request(stage.chain.web3, "evm_setAutomine", [True])
    assert is_void(stage)
    with watching(stage.chain, tmp_path, *arguments, "--once") as watchman:
        assert watchman.process.wait(60) == 1
        assert watchman.wait_for("transaction_ended", end="mined")["hash"] == recorded
    assert sent_by_watchman(stage.chain) == 1


def test_a_challenge_on_a_branch_that_was_left_is_sent_again(
    stage: Stage, url: str, key_file: str, tmp_path: Path
) -> None:
    stage.commit(overpaid(stage))
    snapshot = request(stage.chain.web3, "evm_snapshot", [])
    arguments = ("--mirror", url, "--challenge", "--key-file", key_file)
    with watching(stage.chain, tmp_path, *arguments) as watchman:
        watchman.wait_for("header_ended", fate="void")
        assert request(stage.chain.web3, "evm_revert", [snapshot])
        assert not is_void(stage)
        for _ in range(3):
            request(stage.chain.web3, "evm_mine", [])
        watchman.wait_for("transaction_lost")
        wait_until_void(stage, watchman)
        assert watchman.stop() == 1
    assert sent_by_watchman(stage.chain) == 1
    assert len({line["hash"] for line in watchman.log("transaction_ended")}) == 1


def test_a_header_that_another_voided_first_is_no_failure(
    stage: Stage, url: str, key_file: str, tmp_path: Path
) -> None:
    stage.commit(overpaid(stage))
    request(stage.chain.web3, "evm_setAutomine", [False])
    other = write_key(tmp_path / "other", known_key(77))
    request(
        stage.chain.web3,
        "anvil_setBalance",
        ["0x" + address_of(known_key(77)).hex(), hex(10**18)],
    )
    arguments = ("--mirror", url, "--challenge", "--key-file")
    with ExitStack() as stack:
        first = stack.enter_context(watching(stage.chain, tmp_path / "a", *arguments, key_file))
        first.wait_for("transaction")
        second = stack.enter_context(watching(stage.chain, tmp_path / "b", *arguments, other))
        # What waits to be mined says nothing: it may be too cheap for ever.
        second.wait_for("transaction")
        request(stage.chain.web3, "evm_mine", [])
        first.wait_for("header_ended", fate="void")
        second.wait_for("header_ended", fate="void")
        assert (first.stop(), second.stop()) == (1, 1)
    ended = [*first.log("transaction_ended"), *second.log("transaction_ended")]
    assert sorted(line["end"] for line in ended) == ["mined", "reverted"]
    voided = [*first.log("headers_voided"), *second.log("headers_voided")]
    assert len(voided) == 1
    alerts = [*first.log("alert"), *second.log("alert")]
    assert {line["kind"] for line in alerts} == {"wrong", "void"}


def test_a_key_without_ether_is_alerted(stage: Stage, url: str, tmp_path: Path) -> None:
    stage.commit(overpaid(stage))
    poor = write_key(tmp_path / "poor", known_key(78))
    arguments = ("--mirror", url, "--challenge", "--key-file", poor)
    with watching(stage.chain, tmp_path, *arguments) as watchman:
        line = watchman.wait_for("alert", kind="unproven")
        assert "send it some ether" in line["text"]
        assert watchman.stop() == 1


def test_demands_stay_within_what_the_operator_allows(
    stage: Stage, url: str, key_file: str, tmp_path: Path
) -> None:
    settled = stage.honest(*SESSIONS)
    commit_withheld(stage, settled)
    arguments = ("--mirror", url, "--challenge", "--key-file", key_file)
    limit = ("--max-demand-wei", str(DEMAND_BOND_WEI))
    with watching(stage.chain, tmp_path, *arguments, *limit) as watchman:
        watchman.wait_for("judged", verdict="unjudged")
        stage.chain.travel_to(stage.chain.now() + 31)
        watchman.wait_for("answer_owed")
        assert answer_all(stage, settled) == 1
        line = watchman.wait_for("alert", kind="unproven")
        assert "more than 0.01 ETH at stake" in line["text"]
        assert watchman.stop() == 2
    assert len(demands_of(stage).demands()) == 1


def test_the_bond_of_a_demand_comes_back_when_the_header_falls_otherwise(
    stage: Stage, url: str, key_file: str, tmp_path: Path
) -> None:
    from tests.support.chain import GUARDIAN  # noqa: PLC0415

    commit_withheld(stage, stage.honest(*SESSIONS))
    before = balance(stage.chain)
    arguments = ("--mirror", url, "--challenge", "--key-file", key_file, "--withdraw")
    with watching(stage.chain, tmp_path, *arguments) as watchman:
        watchman.wait_for("judged", verdict="unjudged")
        stage.chain.travel_to(stage.chain.now() + 31)
        watchman.wait_for("answer_owed")
        stage.chain.send(stage.chain.epoch_book.veto_call(0), GUARDIAN)
        watchman.wait_for("header_ended", fate="void")
        wait_until(
            lambda: balance(stage.chain) > before - DEMAND_BOND_WEI // 2 or None,
            watchman.log_file.read_text,
        )
        watchman.stop()
    assert {record.state for record in demands_of(stage).demands()} == {"reclaimed"}


def test_once_challenges_waits_and_reports(
    stage: Stage, url: str, key_file: str, tmp_path: Path
) -> None:
    import json  # noqa: PLC0415

    stage.commit(overpaid(stage))
    arguments = ("--mirror", url, "--challenge", "--key-file", key_file, "--once", "--json")
    with watching(stage.chain, tmp_path, *arguments) as watchman:
        output, _ = watchman.process.communicate(timeout=60)
        assert watchman.process.returncode == 1
    (report,) = json.loads(output)["epochs"]
    assert (report["verdict"], report["state"]) == ("wrong", "void")
    (transaction,) = report["transactions"]
    assert (transaction["purpose"], transaction["end"]) == ("challenge", "mined")
    with watching(stage.chain, tmp_path, *arguments) as watchman:
        output, _ = watchman.process.communicate(timeout=60)
        assert (watchman.process.returncode, json.loads(output)) == (0, {"epochs": []})
