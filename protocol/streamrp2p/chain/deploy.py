"""Deploys the contracts with web3 alone, for tests, demos and private chains."""

import time
from dataclasses import dataclass

from web3 import Web3

from streamrp2p.chain.abi_codec import artifact
from streamrp2p.chain.deployment import Deployment
from streamrp2p.chain.errors import ChainError
from streamrp2p.chain.rpc import quantity, request
from streamrp2p.chain.transactions import Call, Receipt, send
from streamrp2p.numbers import ZERO_ADDRESS, Address
from streamrp2p.signatures import address_of


@dataclass(frozen=True, slots=True)
class DeployParameters:
    """What is fixed for ever at deployment. Times in seconds, `genesis` in Unix seconds (None: now).

    `poster` None is the sender. `poster_timeout_seconds` None is three times the least that `EpochBook` allows. With
    `stream_token` an existing token is used; else one is made, whose `token_supply` base units the sender gets.
    """

    genesis: int | None = None
    epoch_seconds: int = 3600
    intake_grace_seconds: int = 600
    challenge_seconds: int = 86_400
    poster_timeout_seconds: int | None = None
    bond_wei: int = 10**18
    poster: Address | None = None
    guardian: Address = ZERO_ADDRESS
    challenges: Address = ZERO_ADDRESS
    data_demands: Address = ZERO_ADDRESS
    payout_delay_seconds: int = 86_400
    stream_token: Address | None = None
    token_supply: int = 10**27


def deploy(web3: Web3, sender_key: bytes, parameters: DeployParameters) -> Deployment:
    """Deploy `EpochBook`, `NodeRegistry`, `RewardPools` and, unless given, `StreamToken`; waits for each.

    Raises TransactionRevertedError for parameters that `EpochBook` refuses, and whatever `send` raises.
    """
    sender = address_of(sender_key)
    timeout = parameters.poster_timeout_seconds
    if timeout is None:
        least = max(
            parameters.challenge_seconds,
            parameters.epoch_seconds + parameters.intake_grace_seconds,
        )
        timeout = 3 * least
    genesis = _now(web3) if parameters.genesis is None else parameters.genesis
    rules = (
        genesis,
        parameters.epoch_seconds,
        parameters.intake_grace_seconds,
        parameters.challenge_seconds,
        timeout,
        parameters.bond_wei,
        parameters.poster or sender,
        parameters.guardian,
        parameters.challenges,
        parameters.data_demands,
    )
    book = _create(web3, sender_key, "EpochBook", rules)
    epoch_book = _address(book)
    node_registry = _address(
        _create(web3, sender_key, "NodeRegistry", epoch_book, parameters.payout_delay_seconds)
    )
    reward_pools = _address(_create(web3, sender_key, "RewardPools", epoch_book, node_registry))
    stream_token = parameters.stream_token
    if stream_token is None:
        stream_token = _address(
            _create(web3, sender_key, "StreamToken", sender, parameters.token_supply)
        )
    chain_id = quantity(request(web3, "eth_chainId", []))
    return Deployment(chain_id, epoch_book, reward_pools, node_registry, stream_token, book.block)


def _create(web3: Web3, sender_key: bytes, name: str, *arguments: object) -> Receipt:
    made = artifact(name)
    return send(web3, Call(None, made.bytecode + made.constructor.encode(arguments)), sender_key)


def _address(receipt: Receipt) -> Address:
    if receipt.contract is None:
        raise ChainError(
            f"transaction 0x{receipt.transaction_hash.hex()} created no contract; try another RPC"
        )
    return receipt.contract


def _now(web3: Web3) -> int:
    """Return the chain's time or this machine's, whichever is later: an idle local chain's last block is old."""
    block = request(web3, "eth_getBlockByNumber", ["latest", False])
    return max(quantity(block["timestamp"]), int(time.time()))
