"""What the transactions that everybody pays for cost, whole: with their base fee and call data."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import solcx
from eth_abi.packed import encode_packed
from web3 import HTTPProvider, Web3
from web3.contract import Contract
from web3.contract.contract import ContractFunction
from web3.types import Wei

from tests.support.anvil import running_anvil

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
ABI_FOLDER = ROOT / "protocol" / "streamrp2p" / "chain" / "abi"

PLAIN_TOKEN = """
pragma solidity 0.8.37;
import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
contract Plain is ERC20("Plain", "PLN") {
    constructor() { _mint(msg.sender, 1e27); }
}
"""

# Of whole transactions; the claims are of one pool in a plain ERC-20 token, by the account itself.
COMMIT_GAS = 60_000
FIRST_CLAIM_GAS = 114_000
REPEAT_CLAIM_GAS = 80_000

EPOCH_SECONDS = 3600
GRACE_SECONDS = 600
CHALLENGE_SECONDS = 86_400
TREE_DEPTH = 20
TOKEN = 10**18


@dataclass
class Chain:
    """The contracts on a fresh chain, with one funded pool."""

    web3: Web3
    poster: str
    node: str
    token: Contract
    book: Contract
    pools: Contract
    genesis: int

    def send(self, call: ContractFunction, sender: str, value: int = 0) -> int:
        """Send a call and return the gas that its transaction used."""
        transaction = call.transact(
            {"from": Web3.to_checksum_address(sender), "value": Wei(value), "gas": 5_000_000}
        )
        receipt = self.web3.eth.wait_for_transaction_receipt(transaction)
        assert receipt["status"] == 1
        return int(receipt["gasUsed"])

    def warp(self, timestamp: int) -> None:
        """Mine the next block at that time."""
        self.web3.provider.make_request("evm_setNextBlockTimestamp", [timestamp])  # type: ignore[arg-type]

    def commit(self, header: dict[str, Any]) -> int:
        """Commit a header as early as possible; the gas used."""
        end = self.genesis + (header["epoch"] + 1) * EPOCH_SECONDS
        now = self.web3.eth.get_block("latest")["timestamp"]
        self.warp(max(end + GRACE_SECONDS, now + 1))
        return self.send(self.book.functions.commit(header), self.poster)

    def finalise(self, epoch: int) -> None:
        """Let the challenge window pass and finalise."""
        self.warp(self.web3.eth.get_block("latest")["timestamp"] + CHALLENGE_SECONDS)
        self.send(self.book.functions.finalise(epoch), self.poster)


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    """Deploy everything, bond the poster and fund pool 1."""
    with running_anvil(tmp_path) as url:
        web3 = Web3(HTTPProvider(url))
        accounts = list(web3.eth.accounts)
        poster, streamer, guardian, node = accounts[0], accounts[1], accounts[2], accounts[3]
        genesis = web3.eth.get_block("latest")["timestamp"]

        def deploy(name: str, *arguments: object) -> Contract:
            return deploy_artifact(
                json.loads((ABI_FOLDER / f"{name}.json").read_text()), *arguments
            )

        def deploy_artifact(artifact: dict[str, Any], *arguments: object) -> Contract:
            factory = web3.eth.contract(abi=artifact["abi"], bytecode=artifact["bytecode"])
            transaction = factory.constructor(*arguments).transact({"from": streamer})
            address = web3.eth.wait_for_transaction_receipt(transaction)["contractAddress"]
            return factory(address=address)

        none = "0x" + "00" * 20
        token = deploy_artifact(_plain_token())
        book = deploy(
            "EpochBook",
            (
                genesis,
                EPOCH_SECONDS,
                GRACE_SECONDS,
                CHALLENGE_SECONDS,
                3 * CHALLENGE_SECONDS,
                TOKEN,
                poster,
                guardian,
                none,
                none,
            ),
        )
        registry = deploy("NodeRegistry", book.address, 3 * CHALLENGE_SECONDS)
        pools = deploy("RewardPools", book.address, registry.address)
        chain = Chain(web3, poster, node, token, book, pools, genesis)
        chain.send(book.functions.postBond(), poster, value=TOKEN)
        terms, stream = (TOKEN, 10**6 * TOKEN, streamer), (streamer, 10**6, "https://origin.test")
        chain.send(pools.functions.create(token.address, terms, stream), streamer)
        chain.send(token.functions.approve(pools.address, 2**255), streamer)
        chain.send(pools.functions.deposit(1, 10**6 * TOKEN), streamer)
        yield chain


def _plain_token() -> dict[str, Any]:
    """Compile an ERC-20 token without extensions: what others add to it is theirs."""
    output = solcx.compile_standard(
        {
            "language": "Solidity",
            "sources": {"Plain.sol": {"content": PLAIN_TOKEN}},
            "settings": {
                "remappings": ["@openzeppelin/contracts/=node_modules/@openzeppelin/contracts/"],
                "evmVersion": "prague",
                "optimizer": {"enabled": True, "runs": 1_000_000},
                "outputSelection": {"*": {"Plain": ["abi", "evm.bytecode.object"]}},
            },
        },
        solc_binary=ROOT / ".tools" / "solc" / "solc-v0.8.37",
        base_path=ROOT,
        allow_paths=[ROOT],
    )
    contract = output["contracts"]["Plain.sol"]["Plain"]
    return {"abi": contract["abi"], "bytecode": contract["evm"]["bytecode"]["object"]}


def _claim(account: str, cumulative: int, index: int) -> tuple[bytes, list[int], list[bytes]]:
    """Make a leaf of one entry in a tree of 2^20 accounts; its root, entries and path."""
    entries = [1 << 128 | cumulative]
    inner = Web3.keccak(encode_packed(["address", "uint256[]"], [account, entries]))
    root, path = Web3.keccak(inner), []
    for level in range(TREE_DEPTH):
        sibling = Web3.keccak(text=f"sibling {level}")
        path.append(bytes(sibling))
        pair = sibling + root if index >> level & 1 else root + sibling
        root = Web3.keccak(pair)
    return bytes(root), entries, path


def _header(epoch: int, parent: bytes, claims_root: bytes) -> dict[str, Any]:
    return {
        "epoch": epoch,
        "parent": parent,
        "poolsRoot": bytes(Web3.keccak(text=f"pools {epoch}")),
        "poolCount": 300,
        "weight": 10**15 + epoch,
        "claimsRoot": claims_root,
        "claimCount": 2**TREE_DEPTH,
        "dataHash": bytes(Web3.keccak(text=f"data {epoch}")),
    }


def _hash(header: dict[str, Any]) -> bytes:
    types = ["uint64", "bytes32", "bytes32", "uint32", "uint128", "bytes32", "uint32", "bytes32"]
    return bytes(Web3.keccak(encode_packed(types, list(header.values()))))


def test_commit_and_claims_stay_within_their_gas(chain: Chain) -> None:
    index = 0xABCDE
    gas: dict[str, int] = {}
    parent = bytes(32)
    arguments = []
    for epoch, cumulative in enumerate((123 * TOKEN, 123 * TOKEN + 456_789 * 10**12)):
        root, entries, path = _claim(chain.node, cumulative, index)
        header = _header(epoch, parent, root)
        gas["commit"] = chain.commit(header)
        parent = _hash(header)
        arguments.append((header, (chain.node, entries), index, path, 1))
    chain.finalise(0)
    chain.finalise(1)

    gas["first claim"] = chain.send(
        chain.pools.functions.claimTo(*arguments[0], chain.node), chain.node
    )
    gas["repeat claim"] = chain.send(
        chain.pools.functions.claimTo(*arguments[1], chain.node), chain.node
    )

    assert chain.token.functions.balanceOf(chain.node).call() == 123 * TOKEN + 456_789 * 10**12
    assert gas["commit"] <= COMMIT_GAS
    assert gas["first claim"] <= FIRST_CLAIM_GAS
    assert gas["repeat claim"] <= REPEAT_CLAIM_GAS
