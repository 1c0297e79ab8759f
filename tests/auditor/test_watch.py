"""Watchmen that send nothing to the chain: real processes, a real chain, real servers."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from streamrp2p.chain.rpc import request
from streamrp2p.settlement import Settlement
from streamrp2p.typed_data import Domain
from tests.auditor.watchmen import receiving, wait_until, watching
from tests.support.chain import DeployedChain
from tests.support.ports import find_free_port
from tests.support.stage import Stage, cheated, mirror

pytestmark = pytest.mark.integration

SESSIONS = ((1, 0, 5_000_000_000), (1, 1, 3_000_000_000), (1, 0, 7))


@pytest.fixture
def stage(deployed: DeployedChain) -> Stage:
    deployed.fund_pool()
    return Stage(deployed, Domain(deployed.deployment.chain_id, deployed.deployment.epoch_book))


@pytest.fixture
def url(stage: Stage) -> Iterator[str]:
    with mirror(stage.bundles) as url:
        yield url


def wrong(stage: Stage) -> Settlement:
    """Settle the next epoch with a reward that is one unit too high."""
    settled = stage.honest(*SESSIONS)
    rows = settled.bundle.node_rows
    return cheated(settled, node_rows=(replace(rows[0], reward=rows[0].reward + 1), *rows[1:]))


def test_honest_epochs_raise_no_alert(stage: Stage, url: str, tmp_path: Path) -> None:
    stage.commit(stage.honest(*SESSIONS))
    with (
        receiving() as receiver,
        watching(
            *(stage.chain, tmp_path, "--mirror", url, "--webhook", receiver.url),
            *("--metrics-port", "0"),
        ) as watchman,
    ):
        watchman.wait_for("judged", epoch=0, verdict="byte-identical")
        stage.commit(stage.honest())
        watchman.wait_for("judged", epoch=1, verdict="byte-identical")
        shown_at = watchman.wait_for("metrics_shown")["url"]
        assert "streamrp2p_auditor_verified_epoch 1.0\n" in httpx.get(shown_at).text
        assert watchman.stop() == 0
    assert receiver.bodies == []
    assert watchman.log("alert") == []


def test_a_wrong_epoch_is_told_to_the_webhook_until_it_acknowledges(
    stage: Stage, url: str, tmp_path: Path
) -> None:
    stage.commit(wrong(stage))
    with (
        receiving(503, path="/secret-path?token=secret-token") as receiver,
        watching(
            stage.chain,
            tmp_path,
            *("--mirror", url),
            environment={"STREAMRP2P_WEBHOOK": receiver.url},
        ) as watchman,
    ):
        watchman.wait_for("alert_not_delivered")
        watchman.wait_for("alert_delivered")
        assert watchman.stop() == 1
    (body,) = receiver.bodies
    assert (body["kind"], body["epoch"], body["verdict"]) == ("wrong", 0, "wrong")
    assert body["difference"]["proof"] == "BadReward"
    assert receiver.paths == ["/secret-path?token=secret-token"] * 2
    assert "secret" not in watchman.log_file.read_text()


def test_an_alert_survives_kill_9_and_is_not_repeated_once_acknowledged(
    stage: Stage, url: str, tmp_path: Path
) -> None:
    stage.commit(wrong(stage))
    port = find_free_port()
    arguments = ("--mirror", url, "--webhook")
    with watching(stage.chain, tmp_path, *arguments, f"http://127.0.0.1:{port}/") as watchman:
        watchman.wait_for("alert_not_delivered")
        watchman.kill()
    with receiving() as receiver:
        for _ in range(2):
            with watching(stage.chain, tmp_path, *arguments, receiver.url) as watchman:
                wait_until(lambda: receiver.bodies or None, lambda: "no alert came")
                stage.chain.travel_to(stage.chain.now() + 1)
                assert watchman.process.poll() is None
                watchman.kill()
        with watching(stage.chain, tmp_path, *arguments, receiver.url, "--once") as watchman:
            assert watchman.process.wait(60) == 1
    assert [body["kind"] for body in receiver.bodies] == ["wrong"]


def test_a_watchman_outlives_an_rpc_and_a_mirror_that_are_down(
    stage: Stage, tmp_path: Path
) -> None:
    port = find_free_port()
    stage.commit(stage.honest(*SESSIONS))
    with watching(stage.chain, tmp_path, "--mirror", f"http://127.0.0.1:{port}") as watchman:
        watchman.wait_for("judged", epoch=0, verdict="unjudged")
        assert watchman.stop() == 3
    dead = f"http://127.0.0.1:{find_free_port()}/a-secret-key"
    with watching(stage.chain, tmp_path, rpc=dead) as watchman:
        line = watchman.wait_for("round_failed")
        assert "does not answer" in line["reason"]
        assert watchman.stop() == 0
    assert len(watchman.log("round_failed")) == 1
    assert "a-secret-key" not in watchman.log_file.read_text()


def test_a_bundle_that_stays_away_is_missed_and_the_end_of_the_window_warned_of(
    stage: Stage, tmp_path: Path
) -> None:
    stage.commit(stage.honest(*SESSIONS))
    with (
        mirror({}) as empty,
        receiving() as receiver,
        watching(stage.chain, tmp_path, "--mirror", empty, "--webhook", receiver.url) as watchman,
    ):
        watchman.wait_for("judged", epoch=0, verdict="unjudged")
        assert receiver.bodies == [], "it may only be late"
        stage.chain.travel_to(stage.chain.now() + 26)
        watchman.wait_for("alert", kind="unjudged")
        watchman.wait_for("alert", kind="window-ends")
        wait_until(lambda: len(receiver.bodies) == 2 or None, lambda: "alerts are missing")
        assert watchman.stop() == 2


def test_a_commit_that_another_branch_lacks_is_forgotten_and_the_next_one_judged(
    stage: Stage, url: str, tmp_path: Path
) -> None:
    settled = stage.honest(*SESSIONS)
    bad = wrong(stage)
    snapshot = request(stage.chain.web3, "evm_snapshot", [])
    stage.commit(bad)
    with watching(stage.chain, tmp_path, "--mirror", url) as watchman:
        watchman.wait_for("alert", kind="wrong")
        assert request(stage.chain.web3, "evm_revert", [snapshot])
        stage.next_epoch = 0
        stage.chain.travel_to(stage.chain.now() + 3)
        stage.commit(settled)
        stage.chain.travel_to(stage.chain.now() + 1)
        watchman.wait_for("chain_moved")
        watchman.wait_for("alert", kind="void")
        watchman.wait_for("judged", epoch=0, verdict="byte-identical")
        assert watchman.stop() == 1


def test_final_epochs_are_judged_when_they_are_asked_for(
    stage: Stage, url: str, tmp_path: Path
) -> None:
    from tests.support.chain import GUARDIAN  # noqa: PLC0415

    stage.commit(stage.honest(*SESSIONS))
    stage.chain.travel_to(stage.chain.now() + 31)
    stage.chain.send(stage.chain.epoch_book.finalise_call(0), GUARDIAN)
    stage.commit(wrong(stage))
    with watching(stage.chain, tmp_path / "a", "--mirror", url, "--once") as watchman:
        assert watchman.process.wait(60) == 1
        assert [line["epoch"] for line in watchman.log("judged")] == [1]
    with watching(
        stage.chain, tmp_path / "b", "--mirror", url, "--once", "--from", "0"
    ) as watchman:
        assert watchman.process.wait(60) == 1
        assert sorted(line["epoch"] for line in watchman.log("judged")) == [0, 1]


def test_two_watchmen_do_not_share_a_folder(stage: Stage, url: str, tmp_path: Path) -> None:
    with watching(stage.chain, tmp_path, "--mirror", url) as first:
        first.wait_for("watching")
        with watching(stage.chain, tmp_path, "--mirror", url) as second:
            assert second.process.wait(60) == 2
        assert "another watchman runs" in second.log_file.read_text()
        assert first.stop() == 0
