"""A chain with the contracts on it: short epochs, a bonded poster, and tokens in everybody's wallet."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from web3 import Web3

from streamrp2p.allocation import Terms
from streamrp2p.chain import (
    DataDemandsContract,
    Deployment,
    DeployParameters,
    EpochBookContract,
    NodeRegistryContract,
    Receipt,
    RewardPoolsContract,
    Stream,
    StreamTokenContract,
    connect,
    deploy,
    send,
)
from streamrp2p.chain.rpc import quantity, request
from streamrp2p.chain.transactions import Call
from streamrp2p.numbers import Address
from streamrp2p.signatures import address_of
from tests.support.anvil import running_anvil

ANVIL_KEYS = tuple(
    bytes.fromhex(key)
    for key in (
        "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
        "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
        "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
        "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
        "8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
        "92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
        "4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
        "dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
        "2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
    )
)
"""The private keys that every anvil prints at its start: public, worthless, funded with test ether."""
DEPLOYER, POSTER, GUARDIAN, STREAMER, TICKET_SIGNER, NODE, STRANGER = ANVIL_KEYS[:7]

ONE_TOKEN = 10**18
WALLET_TOKENS = 1_000_000 * ONE_TOKEN
SHORT_EPOCHS = DeployParameters(
    epoch_seconds=60,
    intake_grace_seconds=5,
    challenge_seconds=30,
    bond_wei=10**18,
    poster=address_of(POSTER),
    guardian=address_of(GUARDIAN),
    payout_delay_seconds=60,
)
"""For tests that move the chain's clock with `travel_to`; give others shorter ones where they wait in real time."""


@dataclass(frozen=True)
class DeployedChain:
    """A running chain with everything deployed, and its contracts' wrappers."""

    rpc_url: str
    web3: Web3
    deployment: Deployment
    deployment_file: Path
    epoch_book: EpochBookContract
    reward_pools: RewardPoolsContract
    node_registry: NodeRegistryContract
    token: StreamTokenContract
    data_demands: DataDemandsContract

    def send(self, call: Call, private_key: bytes) -> Receipt:
        """Send a call and wait for it."""
        return send(self.web3, call, private_key)

    def now(self) -> int:
        """Return the time of the newest block."""
        block = request(self.web3, "eth_getBlockByNumber", ["latest", False])
        return quantity(block["timestamp"])

    def travel_to(self, time: int) -> None:
        """Mine a block at that time; the chain's clock goes on from there."""
        request(self.web3, "evm_setNextBlockTimestamp", [hex(time)])
        request(self.web3, "evm_mine", [])

    def fund_pool(
        self,
        *,
        amount: int = 1000 * ONE_TOKEN,
        price_per_gb: int = 10 * ONE_TOKEN,
        epoch_budget: int = 100 * ONE_TOKEN,
        max_bytes_per_second: int = 2_000_000,
        origin_key: Address | None = None,
        uri: str = "http://127.0.0.1:8100",
        ticket_signer: Address | None = None,
        streamer: bytes = STREAMER,
    ) -> int:
        """Create a pool and deposit into it; its id."""
        terms = Terms(price_per_gb, epoch_budget, ticket_signer or address_of(TICKET_SIGNER))
        stream = Stream(origin_key or address_of(streamer), max_bytes_per_second, uri)
        created = self.send(
            self.reward_pools.create_call(self.token.address, terms, stream), streamer
        )
        pool_id = self.reward_pools.created_pool_id(created)
        if amount:
            self.send(self.token.approve_call(self.reward_pools.address, amount), streamer)
            self.send(self.reward_pools.deposit_call(pool_id, amount), streamer)
        return pool_id


def deploy_all(
    rpc_url: str, folder: Path, parameters: DeployParameters = SHORT_EPOCHS
) -> DeployedChain:
    """Deploy on a running anvil, post the poster's bond, give each key its tokens, save `folder/deployment.json`."""
    web3 = connect(rpc_url)
    deployment = deploy(web3, DEPLOYER, parameters)
    file = folder / "deployment.json"
    deployment.save(file)
    block = deployment.block
    chain = DeployedChain(
        rpc_url,
        web3,
        deployment,
        file,
        EpochBookContract(web3, deployment.epoch_book, from_block=block),
        RewardPoolsContract(web3, deployment.reward_pools, from_block=block),
        NodeRegistryContract(web3, deployment.node_registry, from_block=block),
        StreamTokenContract(web3, deployment.stream_token, from_block=block),
        DataDemandsContract(web3, deployment.data_demands, from_block=block),
    )
    if parameters.poster == address_of(POSTER):
        chain.send(chain.epoch_book.post_bond_call(parameters.bond_wei), POSTER)
    if parameters.stream_token is None:
        for key in ANVIL_KEYS[1:]:
            chain.send(chain.token.transfer_call(address_of(key), WALLET_TOKENS), DEPLOYER)
    return chain


@contextmanager
def running_chain(
    folder: Path, parameters: DeployParameters = SHORT_EPOCHS, *anvil_options: str
) -> Iterator[DeployedChain]:
    """Start anvil and deploy on it; for fixtures of wider scope than one test."""
    with running_anvil(folder, *anvil_options) as rpc_url:
        yield deploy_all(rpc_url, folder, parameters)


def with_genesis(genesis: int, parameters: DeployParameters = SHORT_EPOCHS) -> DeployParameters:
    """Return the parameters with another genesis."""
    return replace(parameters, genesis=genesis)
