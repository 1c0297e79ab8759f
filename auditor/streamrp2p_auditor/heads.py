"""The chain's blocks: the newest one, and whether one that was read still stands."""

from dataclasses import dataclass

from web3 import Web3

from streamrp2p.chain.errors import RpcRefusedError
from streamrp2p.chain.rpc import Block, block_parameter, data_of, quantity, request


@dataclass(frozen=True, slots=True)
class Head:
    """A block: its number and hash, and its time in Unix seconds."""

    number: int
    hash: bytes
    time: int


def head_at(web3: Web3, block: Block = "latest") -> Head | None:
    """Return a block, or None where the chain has none of that number."""
    found = request(web3, "eth_getBlockByNumber", [block_parameter(block), False])
    if found is None:
        return None
    try:
        return Head(quantity(found["number"]), data_of(found["hash"]), quantity(found["timestamp"]))
    except (KeyError, TypeError) as error:
        raise RpcRefusedError("the RPC sent a malformed block; name another RPC") from error


def newest_head(web3: Web3) -> Head:
    """Return the newest block."""
    head = head_at(web3)
    if head is None:
        raise RpcRefusedError("the RPC knows no block at all; name another RPC")
    return head


def still_stands(web3: Web3, head: Head) -> bool:
    """Tell whether the block is still one of the chain's: what was read as of it holds."""
    found = head_at(web3, head.number)
    return found is not None and found.hash == head.hash


def first_block_at(web3: Web3, time: int, first: int, last: int) -> int:
    """Return the first block from `first` to `last` that is not before `time`; `last + 1` when all are."""
    low, high = first, last + 1
    while low < high:
        middle = (low + high) // 2
        found = head_at(web3, middle)
        if found is not None and found.time < time:
            low = middle + 1
        else:
            high = middle
    return low
