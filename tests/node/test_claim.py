"""`streamrp2p node claim` against a real chain and a coordinator that may lie."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from streamrp2p import api
from streamrp2p.chain.rpc import request
from streamrp2p.claim import ClaimProof, prove_claim
from streamrp2p.keys import create_keystore
from streamrp2p.numbers import Address
from streamrp2p.signatures import address_of
from streamrp2p_node.cli import app
from tests.node.fakes import make_config, problem
from tests.node.servers import serving
from tests.support.chain import ONE_TOKEN, DeployedChain, deploy_all
from tests.support.sessions import known_key
from tests.support.stage import NODES, Stage

pytestmark = pytest.mark.integration

NODE, OTHER_NODE = NODES[:2]
NODE_KEY = next(known_key(number) for number in (1, 2, 3) if address_of(known_key(number)) == NODE)
COLD = Address(b"\x77" * 20)
GB = 10**9


@dataclass
class Teller:
    """Answers as the coordinator of a chain; its proofs are what the test says."""

    chain: DeployedChain
    proof: ClaimProof | None = None
    settled: dict[int, int] = field(default_factory=dict)
    chain_id: int = 31337

    def respond(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        deployment = self.chain.deployment
        if path == "/v1/config":
            config = make_config(0).model_copy(
                update={
                    "chain_id": self.chain_id,
                    "epoch_book": deployment.epoch_book,
                    "reward_pools": deployment.reward_pools,
                    "node_registry": deployment.node_registry,
                }
            )
            return 200, config.model_dump_json(by_alias=True).encode()
        if self.proof is None:
            return problem(404, "not-found", "nothing earned yet")
        if path.endswith("/claim"):
            return 200, self._claim(self.proof).model_dump_json(by_alias=True).encode()
        pools = [
            api.PoolEarning(pool_id=pool_id, token=deployment.stream_token, settled=amount, final=0)
            for pool_id, amount in self.settled.items()
        ]
        earnings = api.Earnings(account=NODE, pools=pools, epochs=[])
        return 200, earnings.model_dump_json(by_alias=True).encode()

    def _claim(self, proof: ClaimProof) -> api.Claim:
        header = {name: getattr(proof.header, name) for name in api.Header.model_fields}
        return api.Claim(
            header=api.Header(**header),
            account=proof.leaf.account,
            entries=list(proof.leaf.entries),
            index=proof.index,
            path=list(proof.path),
            to=self.chain.deployment.reward_pools,
            # Whatever this says, the node sends what it made itself.
            call_data=b"\xde\xad",
        )


@dataclass
class Setting:
    """A settled epoch of two pools, committed but not final; and a node's folder."""

    stage: Stage
    teller: Teller
    proof: ClaimProof
    folder: Path
    url: str

    @property
    def chain(self) -> DeployedChain:
        return self.stage.chain

    def finalise(self) -> None:
        """Let the challenge window pass and make epoch 0 final."""
        ends_at = self.chain.epoch_book.status(0).challenge_ends_at
        assert ends_at is not None
        self.chain.travel_to(ends_at + 1)
        self.chain.send(self.chain.epoch_book.finalise_call(0), known_key_with_ether(self.chain))

    def claim(self, *options: str | Path) -> Result:
        arguments = [
            "claim", "--dir", self.folder, "--coordinator", self.url, "--rpc", self.chain.rpc_url,
            "--password-file", self.folder.parent / "password", *options,
        ]  # fmt: skip
        environment = {"STREAMRP2P_DEPLOYMENT": None, "COLUMNS": "200"}
        return CliRunner().invoke(app, [str(argument) for argument in arguments], env=environment)

    def balance(self, account: Address) -> int:
        return self.chain.token.balance_of(account)


def known_key_with_ether(chain: DeployedChain) -> bytes:
    give_ether(chain, NODE)
    return NODE_KEY


def give_ether(chain: DeployedChain, account: Address, wei: int = 10**18) -> None:
    request(chain.web3, "anvil_setBalance", ["0x" + account.hex(), hex(wei)])


@pytest.fixture
def setting(anvil: str, tmp_path: Path) -> Iterator[Setting]:
    chain = deploy_all(anvil, tmp_path)
    pools = [chain.fund_pool(), chain.fund_pool()]
    stage = Stage(chain, chain.epoch_book.domain())
    settled = stage.honest((pools[0], 0, GB), (pools[0], 1, GB), (pools[1], 0, GB))
    stage.commit(settled)
    proof = prove_claim(settled.header, settled.bundle.claims, NODE)
    teller = Teller(chain, proof)
    folder = tmp_path / "node"
    folder.mkdir()
    create_keystore(folder / "node.keystore.json", "correct horse", NODE_KEY, scrypt_n=2)
    (tmp_path / "password").write_text("correct horse\n")
    with serving(teller.respond) as url:
        yield Setting(stage, teller, proof, folder, url)


def test_a_dry_run_shows_amounts_fee_and_stages_and_sends_nothing(setting: Setting) -> None:
    setting.finalise()
    earned = setting.proof.leaf.rewards()
    setting.teller.settled = {1: earned[1] + 5 * ONE_TOKEN}
    before = request(setting.chain.web3, "eth_blockNumber", [])
    shown = setting.claim()
    assert shown.exit_code == 0, shown.output
    assert "verified, final on chain" in shown.stdout
    assert "waiting  5 SRP until finality" in shown.stdout
    assert "gas at" in shown.stdout
    assert "Nothing was sent. Add --yes to claim." in shown.stdout
    plan = json.loads(setting.claim("--json").stdout)
    assert [(pool["poolId"], int(pool["payable"])) for pool in plan["pools"]] == list(
        earned.items()
    )
    assert int(plan["fee"]["gas"]) > 50_000
    assert plan["transaction"] is None
    assert request(setting.chain.web3, "eth_blockNumber", []) == before


def test_a_claim_pays_every_pool_to_the_payout_address_and_a_second_finds_nothing_due(
    setting: Setting,
) -> None:
    setting.finalise()
    earned = setting.proof.leaf.rewards()
    assert setting.balance(NODE) == 0
    claimed = setting.claim("--yes", "--json")
    assert claimed.exit_code == 0, claimed.output
    result = json.loads(claimed.stdout)
    assert {paid["poolId"]: int(paid["amount"]) for paid in result["paid"]} == earned
    assert result["payTo"] == "0x" + NODE.hex()
    assert setting.balance(NODE) == sum(earned.values())
    again = setting.claim("--yes")
    assert again.exit_code == 0
    assert "nothing is payable now" in again.stdout
    assert setting.balance(NODE) == sum(earned.values())


def test_a_claim_can_be_directed_elsewhere(setting: Setting) -> None:
    setting.finalise()
    claimed = setting.claim("--yes", "--to", "0x" + COLD.hex())
    assert claimed.exit_code == 0, claimed.output
    assert f"to 0x{COLD.hex()}" in claimed.stdout
    assert setting.balance(COLD) == sum(setting.proof.leaf.rewards().values())
    assert setting.balance(NODE) == 0


def test_a_claim_can_leave_pools_out(setting: Setting) -> None:
    setting.finalise()
    earned = setting.proof.leaf.rewards()
    claimed = setting.claim("--yes", "--pool", "2", "--json")
    assert claimed.exit_code == 0, claimed.output
    assert [paid["poolId"] for paid in json.loads(claimed.stdout)["paid"]] == [2]
    assert setting.balance(NODE) == earned[2]
    assert setting.claim("--yes").exit_code == 0
    assert setting.balance(NODE) == earned[1] + earned[2]


def test_a_pool_that_the_node_earned_nothing_from_is_named(setting: Setting) -> None:
    setting.finalise()
    refused = setting.claim("--pool", "1", "--pool", "7")
    assert refused.exit_code == 1
    assert "has earned nothing from pool 7" in refused.stderr


def test_a_header_that_is_not_final_is_not_claimed(setting: Setting) -> None:
    refused = setting.claim("--yes")
    assert refused.exit_code == 1
    assert "epoch 0 is pending" in refused.stderr
    assert "wait for finality" in refused.stderr


def test_amounts_that_the_coordinator_invents_are_refused(setting: Setting) -> None:
    setting.finalise()
    leaf = setting.proof.leaf
    inflated = type(leaf)(leaf.account, tuple(entry + 1 for entry in leaf.entries))
    proof = setting.proof
    setting.teller.proof = ClaimProof(proof.header, inflated, proof.index, proof.path)
    refused = setting.claim("--yes")
    assert refused.exit_code == 1
    assert "does not lead to its header's claims root" in refused.stderr


def test_a_header_that_the_coordinator_invents_is_refused(setting: Setting) -> None:
    setting.finalise()
    other = setting.stage.honest((1, 0, 5 * GB))
    setting.teller.proof = prove_claim(other.header, other.bundle.claims, NODE)
    refused = setting.claim("--yes")
    assert refused.exit_code == 1
    assert "no final header there has the hash" in refused.stderr


def test_the_claim_of_another_account_is_refused(setting: Setting) -> None:
    setting.finalise()
    proof = setting.proof
    leaf = type(proof.leaf)(OTHER_NODE, proof.leaf.entries)
    setting.teller.proof = ClaimProof(proof.header, leaf, proof.index, proof.path)
    refused = setting.claim("--yes")
    assert refused.exit_code == 1
    assert f"sent a claim of 0x{OTHER_NODE.hex()}" in refused.stderr


def test_a_node_that_earned_nothing_is_told(setting: Setting) -> None:
    setting.teller.proof = None
    refused = setting.claim()
    assert refused.exit_code == 1
    assert "has earned nothing in a final epoch yet" in refused.stderr


def test_an_rpc_of_another_chain_is_refused(setting: Setting) -> None:
    setting.teller.chain_id = 10
    refused = setting.claim()
    assert refused.exit_code == 2
    assert "serves chain 31337, expected chain 10" in refused.stderr


def test_contracts_other_than_the_deployment_files_are_refused(setting: Setting) -> None:
    setting.finalise()
    file = setting.chain.deployment_file
    assert setting.claim("--deployment", file).exit_code == 0
    found = json.loads(file.read_text())
    found["rewardPools"] = "0x" + COLD.hex()
    other = file.with_name("other.json")
    other.write_text(json.dumps(found))
    refused = setting.claim("--deployment", other)
    assert refused.exit_code == 1
    assert "other contracts than the deployment file" in refused.stderr


def test_a_node_without_ether_is_told_before_and_when_it_sends(setting: Setting) -> None:
    setting.finalise()
    give_ether(setting.chain, NODE, 0)
    shown = setting.claim()
    assert shown.exit_code == 0
    assert "the node's key holds 0 ETH: send it some" in shown.stdout
    refused = setting.claim("--yes")
    assert refused.exit_code == 1
    assert "Error: " in refused.stderr
    assert setting.balance(NODE) == 0


def test_an_rpc_that_is_down_may_be_tried_again(setting: Setting) -> None:
    arguments = [
        "claim", "--dir", str(setting.folder), "--coordinator", setting.url,
        "--rpc", "http://127.0.0.1:9",
    ]  # fmt: skip
    refused = CliRunner().invoke(app, arguments)
    assert refused.exit_code == 3
    assert "does not answer" in refused.stderr
