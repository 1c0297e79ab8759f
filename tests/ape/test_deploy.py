"""The deployment script: the file it writes names contracts that know each other and their rules."""

import json
import os
import subprocess
from dataclasses import asdict
from pathlib import Path

import click
import pytest
from ape.api.accounts import TestAccountAPI
from ape.contracts import ContractContainer
from ape.managers.chain import ChainManager
from ape.managers.networks import NetworkManager
from ape.managers.project import LocalProject

from scripts import deploy as deploy_script
from scripts.deploy import NOBODY, Deployment, Parameters, deploy
from streamrp2p.chain.deployment import Deployment as DeploymentFile

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
SUPPLY_WEI = 10**27


@pytest.fixture
def parameters(accounts: list[TestAccountAPI]) -> Parameters:
    """Rules in which no two numbers and no two accounts are the same."""
    return Parameters(
        genesis=1_700_000_000,
        epoch_seconds=3600,
        intake_grace_seconds=600,
        challenge_seconds=7200,
        poster_timeout_seconds=90_000,
        bond_wei=5 * 10**17,
        poster=str(accounts[1].address),
        guardian=str(accounts[2].address),
        response_seconds=900,
        demand_bond_wei=3 * 10**15,
        payout_delay_seconds=86_400,
    )


def test_contracts_know_each_other_and_their_rules(
    project: LocalProject, accounts: list[TestAccountAPI], parameters: Parameters
) -> None:
    made = deploy(accounts[0], parameters, None, SUPPLY_WEI)

    book = project.EpochBook.at(made.epoch_book)
    assert book.genesis() == 1_700_000_000
    assert book.epochSeconds() == 3600
    assert book.intakeGraceSeconds() == 600
    assert book.challengeSeconds() == 7200
    assert book.posterTimeoutSeconds() == 90_000
    assert book.bondWei() == 5 * 10**17
    assert book.poster() == accounts[1].address
    assert book.guardian() == accounts[2].address
    assert book.challenges() == made.challenges
    assert book.dataDemands() == made.data_demands
    registry = project.NodeRegistry.at(made.node_registry)
    assert registry.epochBook() == made.epoch_book
    assert registry.payoutDelaySeconds() == 86_400
    pools = project.RewardPools.at(made.reward_pools)
    assert pools.epochBook() == made.epoch_book
    assert pools.nodeRegistry() == made.node_registry
    challenges = project.Challenges.at(made.challenges)
    assert challenges.epochBook() == made.epoch_book
    assert challenges.rewardPools() == made.reward_pools
    demands = project.DataDemands.at(made.data_demands)
    assert demands.epochBook() == made.epoch_book
    assert demands.responseSeconds() == 900
    assert demands.demandBondWei() == 3 * 10**15
    token = project.StreamToken.at(made.stream_token)
    assert token.balanceOf(accounts[0]) == SUPPLY_WEI


def test_a_chain_that_makes_its_blocks_by_the_clock_is_waited_for(
    accounts: list[TestAccountAPI],
    chain: ChainManager,
    networks: NetworkManager,
    parameters: Parameters,
) -> None:
    provider = networks.provider
    provider.auto_mine = False
    provider.make_request("evm_setIntervalMining", [1])
    try:
        before = chain.blocks.height
        made = deploy(accounts[0], parameters, None, SUPPLY_WEI)
    finally:
        provider.make_request("evm_setIntervalMining", [0])
        provider.auto_mine = True

    assert before < made.block <= chain.blocks.height
    addresses = [value for value in asdict(made).values() if isinstance(value, str)]
    assert len(addresses) == 6
    for address in addresses:
        assert provider.get_code(address)


def test_transaction_that_comes_between_is_named(
    project: LocalProject,
    accounts: list[TestAccountAPI],
    parameters: Parameters,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create = deploy_script._create

    def create_and_transfer(
        deployer: TestAccountAPI, contract: ContractContainer, *args: object
    ) -> tuple[str, int]:
        made = create(deployer, contract, *args)
        deployer.transfer(accounts[1], 1)
        return made

    monkeypatch.setattr(deploy_script, "_create", create_and_transfer)
    with pytest.raises(click.ClickException, match="another transaction of the deployer"):
        deploy(accounts[0], parameters, None, SUPPLY_WEI)


def test_existing_token_is_kept(
    project: LocalProject, accounts: list[TestAccountAPI], parameters: Parameters
) -> None:
    token = accounts[0].deploy(project.StreamToken, accounts[0], 1)
    made = deploy(accounts[0], parameters, str(token.address), SUPPLY_WEI)
    assert made.stream_token == token.address


def test_deployed_poster_bonds_and_streamer_funds_a_pool(
    project: LocalProject, accounts: list[TestAccountAPI], parameters: Parameters
) -> None:
    made = deploy(accounts[0], parameters, None, SUPPLY_WEI)
    book = project.EpochBook.at(made.epoch_book)
    pools = project.RewardPools.at(made.reward_pools)
    token = project.StreamToken.at(made.stream_token)

    book.postBond(sender=accounts[1], value=5 * 10**17)
    terms = (10**15, 10**18, accounts[5].address)
    stream = (accounts[6].address, 10**6, "https://origin.example/v1")
    pools.create(token, terms, stream, sender=accounts[0])
    token.approve(pools, 7, sender=accounts[0])
    pools.deposit(1, 7, sender=accounts[0])

    assert book.isBonded()
    assert pools.poolOf(1).remaining == 7
    assert pools.fundedAt(1, book.currentEpoch()) == 7


def test_command_writes_the_deployment_file(tmp_path: Path) -> None:
    file = tmp_path / "new" / "deployment.json"
    command = ["ape", "run", "deploy", "--network", "ethereum:local:foundry"]
    environment = os.environ | {
        "STREAMRP2P_EPOCH_SECONDS": "60",
        "STREAMRP2P_GENESIS": "1700000000",
    }
    done = subprocess.run(
        [*command, "--challenge-seconds", "120", "--output", str(file)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr + done.stdout
    written = json.loads(file.read_text())
    assert file.read_text() in done.stdout
    assert written["chainId"] == 31337
    assert written["parameters"]["genesis"] == 1_700_000_000
    assert written["parameters"]["epochSeconds"] == 60
    assert written["parameters"]["challengeSeconds"] == 120
    assert written["parameters"]["posterTimeoutSeconds"] == 3 * (60 + 600)
    assert written["parameters"]["responseSeconds"] == 120 // 24
    assert written["parameters"]["demandBondWei"] == 10**16
    assert written["parameters"]["guardian"] == NOBODY
    loaded = DeploymentFile.load(file)
    assert "0x" + loaded.epoch_book.hex() == written["epochBook"]
    assert "0x" + loaded.challenges.hex() == written["challenges"]
    assert "0x" + loaded.data_demands.hex() == written["dataDemands"]
    assert loaded.chain_id == 31337


def test_file_has_addresses_in_lower_case(parameters: Parameters) -> None:
    made = Deployment(1, "0xAB", "0xCD", "0xEF", "0x01", "0x02", "0x03", 5)
    written = json.loads(made.to_json(parameters))
    assert written["epochBook"] == "0xab"
    assert written["parameters"]["poster"] == parameters.poster.lower()
