import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner

from streamrp2p.typed_data import Domain
from streamrp2p_auditor.cli import app
from tests.auditor.stage import Stage, account, cheated, mirror
from tests.support.chain import DeployedChain

pytestmark = pytest.mark.integration

FIRST = ((1, 0, 5_000_000_000), (1, 1, 3_000_000_000), (1, 0, 7), (2, 2, 9_000_000_000))
SECOND = ((1, 1, 1_000_000_000), (1, 2, 2_000_000_001))


@pytest.fixture
def stage(deployed: DeployedChain) -> Stage:
    deployed.fund_pool()
    deployed.fund_pool(amount=10**15, price_per_gb=10**15)
    return Stage(deployed, Domain(deployed.deployment.chain_id, deployed.deployment.epoch_book))


@pytest.fixture
def url(stage: Stage) -> Iterator[str]:
    with mirror(stage.bundles) as url:
        yield url


def run(stage: Stage, *arguments: str, rpc: str | None = None) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(
        app,
        [
            *arguments,
            "--json",
            "--rpc",
            rpc or stage.chain.rpc_url,
            "--deployment",
            str(stage.chain.deployment_file),
        ],
    )
    return result.exit_code, json.loads(result.stdout)


def test_calls_an_honest_epoch_byte_identical(stage: Stage, url: str) -> None:
    stage.commit(stage.honest(*FIRST))
    header = stage.commit(stage.honest(*SECOND))
    code, report = run(stage, "epoch", "1", "--coordinator", url)
    assert code == 0
    assert report["verdict"] == "byte-identical"
    assert report["difference"] is None
    assert report["headerHash"] == "0x" + header.hash().hex()
    assert report["bundle"]["source"] == url
    assert [pool["poolId"] for pool in report["pools"]] == [1, 2]
    # 10 tokens per GB for 3 GB, less 1 byte that was late and the half of one that was.
    assert report["pools"][0]["spend"] == "30000000000000000000"


def test_names_a_reward_that_is_one_unit_too_high(stage: Stage, url: str) -> None:
    settled = stage.honest(*FIRST)
    rows = settled.bundle.node_rows
    stage.commit(
        cheated(settled, node_rows=(replace(rows[0], reward=rows[0].reward + 1), *rows[1:]))
    )
    code, report = run(stage, "epoch", "0", "--coordinator", url)
    assert code == 1
    assert report["verdict"] == "wrong"
    assert report["difference"] == {
        "proof": "BadReward",
        "row": f"pool 1, node 0x{account(0).hex()}",
        "field": "reward",
        "expected": str(rows[0].reward),
        "found": str(rows[0].reward + 1),
    }
