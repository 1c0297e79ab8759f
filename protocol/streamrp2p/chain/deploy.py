"""Deploys the contracts with web3 alone, for tests, demos and private chains."""

import time
from dataclasses import dataclass

from web3 import Web3
from web3.types import Nonce
from web3.utils import get_create_address

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

    `poster` None is the sender. `poster_timeout_seconds` None is three times the least that `EpochBook` allows,
    `response_seconds` None a 24th of the challenge window. With `stream_token` an existing token is used; else one is
    made, whose `token_supply` base units the sender gets.
    """

    genesis: int | None = None
    epoch_seconds: int = 3600
    intake_grace_seconds: int = 600
    challenge_seconds: int = 86_400
    poster_timeout_seconds: int | None = None
    bond_wei: int = 10**18
    poster: Address | None = None
    guardian: Address = ZERO_ADDRESS
    response_seconds: int | None = None
    demand_bond_wei: int = 10**16
    payout_delay_seconds: int = 86_400
    stream_token: Address | None = None
    token_supply: int = 10**27


def deploy(web3: Web3, sender_key: bytes, parameters: DeployParameters) -> Deployment:
    """Deploy `EpochBook`, `NodeRegistry`, `RewardPools`, `Challenges`, `DataDemands` and, unless given, `StreamToken`.

    Waits for each. The book names two contracts that come after it, so nothing else may be sent from the sender's
    account meanwhile. Raises TransactionRevertedError for parameters that a contract refuses, ChainError when one is
    not where the book expects it, and whatever `send` raises.
    """
    sender = address_of(sender_key)
    first = quantity(request(web3, "eth_getTransactionCount", ["0x" + sender.hex(), "pending"]))
    challenges, data_demands = (_address_at(sender, first + place) for place in (3, 4))
    rules = _rules(web3, parameters, sender, challenges, data_demands)
    book = _create(web3, sender_key, "EpochBook", rules)
    epoch_book = _address(book)
    node_registry = _address(
        _create(web3, sender_key, "NodeRegistry", epoch_book, parameters.payout_delay_seconds)
    )
    reward_pools = _address(_create(web3, sender_key, "RewardPools", epoch_book, node_registry))
    _expect(challenges, _create(web3, sender_key, "Challenges", epoch_book, reward_pools))
    response = parameters.response_seconds
    if response is None:
        response = default_response_seconds(parameters.challenge_seconds)
    _expect(
        data_demands,
        _create(web3, sender_key, "DataDemands", epoch_book, response, parameters.demand_bond_wei),
    )
    stream_token = parameters.stream_token
    if stream_token is None:
        stream_token = _address(
            _create(web3, sender_key, "StreamToken", sender, parameters.token_supply)
        )
    chain_id = quantity(request(web3, "eth_chainId", []))
    return Deployment(
        chain_id,
        epoch_book,
        reward_pools,
        node_registry,
        challenges,
        data_demands,
        stream_token,
        book.block,
    )


def default_response_seconds(challenge_seconds: int) -> int:
    """Return how long an answer may take unless somebody decides otherwise: an hour of a day's challenge window."""
    return max(challenge_seconds // 24, 1)


def _rules(
    web3: Web3,
    parameters: DeployParameters,
    sender: Address,
    challenges: Address,
    data_demands: Address,
) -> tuple[object, ...]:
    """Return `IEpochBook.Parameters`."""
    timeout = parameters.poster_timeout_seconds
    if timeout is None:
        least = max(
            parameters.challenge_seconds,
            parameters.epoch_seconds + parameters.intake_grace_seconds,
        )
        timeout = 3 * least
    return (
        _now(web3) if parameters.genesis is None else parameters.genesis,
        parameters.epoch_seconds,
        parameters.intake_grace_seconds,
        parameters.challenge_seconds,
        timeout,
        parameters.bond_wei,
        parameters.poster or sender,
        parameters.guardian,
        challenges,
        data_demands,
    )


def _create(web3: Web3, sender_key: bytes, name: str, *arguments: object) -> Receipt:
    made = artifact(name)
    return send(web3, Call(None, made.bytecode + made.constructor.encode(arguments)), sender_key)


def _address(receipt: Receipt) -> Address:
    if receipt.contract is None:
        raise ChainError(
            f"transaction 0x{receipt.transaction_hash.hex()} created no contract; try another RPC"
        )
    return receipt.contract


def _address_at(sender: Address, nonce: int) -> Address:
    """Return where the sender's transaction of that nonce creates its contract."""
    address = get_create_address(Web3.to_checksum_address(sender), Nonce(nonce))
    return Address(Web3.to_bytes(hexstr=address))


def _expect(expected: Address, receipt: Receipt) -> None:
    found = _address(receipt)
    if found != expected:
        raise ChainError(
            f"EpochBook expects a contract at 0x{expected.hex()} that was created at 0x{found.hex()}: "
            "another transaction of the deployer came between; deploy again, and send nothing meanwhile"
        )


def _now(web3: Web3) -> int:
    """Return the chain's time or this machine's, whichever is later: an idle local chain's last block is old."""
    block = request(web3, "eth_getBlockByNumber", ["latest", False])
    return max(quantity(block["timestamp"]), int(time.time()))
