"""`streamrp2p demo --fraud`: a poster that lies once, caught on a real chain by a watchman that runs by itself."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from streamrp2p.numbers import BYTES_PER_GB
from streamrp2p.signatures import address_of
from streamrp2p_demo.anvil import known_key
from streamrp2p_demo.market import PRICE_PER_GB, WATCHED_GRID, WATCHER

DEMO_SECONDS = 300
"""What the demo may take after set-up."""

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(DEMO_SECONDS + 60)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    folder = tmp_path_factory.mktemp("demo-fraud")
    command = [sys.executable, "-m", "streamrp2p.cli", "demo", "--fraud", "--epochs", "2", "--json"]
    return subprocess.run(
        [*command, str(folder / "demo.json")],
        env={**os.environ, "TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEMO_SECONDS,
        check=False,
    )


@pytest.fixture(scope="module")
def report(finished: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert finished.returncode == 0, finished.stdout + finished.stderr
    loaded: dict[str, Any] = json.loads(Path(finished.args[-1]).read_text())
    return loaded


def test_the_wrong_header_is_voided_in_its_window_and_the_watcher_credited(
    report: dict[str, Any],
) -> None:
    (challenge,) = report["challenges"]

    assert challenge["function"] == "Challenges.badSession"
    assert challenge["challenger"] == "0x" + address_of(known_key(WATCHER)).hex()
    assert challenge["rewardWei"] == challenge["burnedWei"] == str(5 * 10**17)
    assert 0 < challenge["secondsLeft"] <= WATCHED_GRID.challenge_seconds


def test_the_honest_header_of_the_same_epoch_is_final_and_byte_identical(
    report: dict[str, Any],
) -> None:
    (challenge,) = report["challenges"]
    honest = next(each for each in report["epochs"] if each["epoch"] == challenge["epoch"])

    assert honest["headerHash"] != challenge["voidedHeaderHash"]
    assert honest["state"] == "final"
    assert {each["audit"]["verdict"] for each in report["epochs"]} == {"byte-identical"}
    assert int(honest["spend"]) == int(honest["weight"]) * PRICE_PER_GB // BYTES_PER_GB


def test_every_relay_is_paid_what_was_signed_for(report: dict[str, Any]) -> None:
    for node in report["nodes"]:
        assert int(node["balance"]) == int(node["claimed"]) == int(node["reward"]) > 0


def test_it_is_told_in_order_as_it_happens(
    finished: subprocess.CompletedProcess[str], report: dict[str, Any]
) -> None:
    epoch = report["challenges"][0]["epoch"]
    told = " ".join(finished.stdout.split())
    steps = [
        f"epoch {epoch}: the poster settles",
        f"epoch {epoch}: voided by Challenges.badSession",
        f"epoch {epoch}: 0.5 ETH of the bond are burned",
        f"epoch {epoch} is committed again",
        f"epoch {epoch} is final",
        "caught by BadSession",
        "All 12 checks passed.",
    ]

    places = [told.find(step) for step in steps]
    assert -1 not in places, finished.stdout
    assert places == sorted(places)
