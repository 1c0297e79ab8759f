"""The demo's contracts, its funded pool, and what the chain says of both at the end."""

from dataclasses import dataclass

from web3 import Web3

from streamrp2p.allocation import Terms
from streamrp2p.chain import (
    Call,
    Deployment,
    DeployParameters,
    EpochBookContract,
    RewardPoolsContract,
    Stream,
    StreamTokenContract,
    deploy,
    send,
)
from streamrp2p.chain.rpc import request
from streamrp2p.numbers import Address
from streamrp2p.signatures import address_of
from streamrp2p_demo.anvil import BLOCK_SECONDS, known_key

DEPLOYER, POSTER, STREAMER, GUARDIAN, PAYOUT, WATCHER = 0, 1, 2, 3, 4, 5
"""Which of anvil's accounts is whose."""

PRICE_PER_GB = 987_654321987654321987
"""Base units. Large, so that seconds of video earn visible amounts; odd, so that flooring happens."""
EPOCH_BUDGET = 100 * 10**18
FUNDING = 1_000 * 10**18
GAS_MONEY_WEI = 10**18
MAX_BYTES_PER_SECOND = 150_000
"""The encoder makes about 60,000; a viewer that joins fetches some seconds at once."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The epochs' times, in seconds."""

    epoch_seconds: int = 24
    intake_grace_seconds: int = 4
    challenge_seconds: int = 8
    response_seconds: int = 2


WATCHED_GRID = Grid(challenge_seconds=16, response_seconds=4)
"""With a watchman: a machine of two cores, with twenty processes, needs some seconds to judge, prove and mine."""


@dataclass(frozen=True, slots=True)
class Market:
    """A deployment with one funded pool."""

    web3: Web3
    deployment: Deployment
    pool_id: int

    @property
    def book(self) -> EpochBookContract:
        """The book of epochs."""
        return EpochBookContract(
            self.web3, self.deployment.epoch_book, from_block=self.deployment.block
        )

    @property
    def pools(self) -> RewardPoolsContract:
        """The contract that holds the money."""
        return RewardPoolsContract(
            self.web3, self.deployment.reward_pools, from_block=self.deployment.block
        )

    @property
    def token(self) -> StreamTokenContract:
        """The token that the pool pays in."""
        return StreamTokenContract(self.web3, self.deployment.stream_token)


def deploy_contracts(web3: Web3, grid: Grid) -> Deployment:
    """Deploy the contracts and post the poster's bond. Epoch 0 begins now."""
    parameters = DeployParameters(
        epoch_seconds=grid.epoch_seconds,
        intake_grace_seconds=grid.intake_grace_seconds,
        challenge_seconds=grid.challenge_seconds,
        response_seconds=grid.response_seconds,
        poster=address_of(known_key(POSTER)),
        guardian=address_of(known_key(GUARDIAN)),
    )
    deployment = deploy(web3, known_key(DEPLOYER), parameters)
    book = EpochBookContract(web3, deployment.epoch_book, from_block=deployment.block)
    send(web3, book.post_bond_call(book.rules.bond_wei), known_key(POSTER))
    return deployment


def open_pool(web3: Web3, deployment: Deployment, stream: Stream, ticket_signer: Address) -> Market:
    """Create the streamer's pool and fund it."""
    streamer = known_key(STREAMER)
    token = StreamTokenContract(web3, deployment.stream_token)
    pools = RewardPoolsContract(web3, deployment.reward_pools, from_block=deployment.block)
    send(web3, token.transfer_call(address_of(streamer), FUNDING), known_key(DEPLOYER))
    send(web3, token.approve_call(deployment.reward_pools, FUNDING), streamer)
    terms = Terms(PRICE_PER_GB, EPOCH_BUDGET, ticket_signer)
    created = send(web3, pools.create_call(deployment.stream_token, terms, stream), streamer)
    pool_id = pools.created_pool_id(created)
    send(web3, pools.deposit_call(pool_id, FUNDING), streamer)
    return Market(web3, deployment, pool_id)


def give_gas_money(web3: Web3, accounts: list[Address]) -> None:
    """Send ether to accounts that claim for themselves."""
    for account in accounts:
        send(web3, Call(account, b"", GAS_MONEY_WEI), known_key(DEPLOYER))


def let_time_mine(web3: Web3) -> None:
    """Mine a block each second from now on, instead of one for each transaction."""
    request(web3, "evm_setIntervalMining", [BLOCK_SECONDS])
