"""Signatures of accounts that are contracts (ERC-1271)."""

from eth_abi.abi import encode
from web3 import Web3

from streamrp2p.chain.errors import TransactionRevertedError
from streamrp2p.chain.rpc import data_of, request
from streamrp2p.numbers import Address, Hash

MAGIC = bytes.fromhex("1626ba7e")
"""Selector of `isValidSignature(bytes32,bytes)`, and what it returns for a signature that holds."""
MAX_GAS = 3_000_000


def is_valid_signature(web3: Web3, account: Address, digest: Hash, signature: bytes) -> bool:
    """Ask the account whether the signature holds; False if it has no code, or reverts.

    Raises RpcUnavailableError or RpcRefusedError.
    """
    data = MAGIC + encode(["bytes32", "bytes"], [digest, signature])
    call = {"to": "0x" + account.hex(), "data": "0x" + data.hex(), "gas": hex(MAX_GAS)}
    try:
        answer = data_of(request(web3, "eth_call", [call, "latest"]))
    except TransactionRevertedError:
        return False
    return answer == MAGIC + bytes(28)
