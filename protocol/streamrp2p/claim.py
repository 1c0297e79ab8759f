"""An account's claim of a final epoch: its proof and its call data. Source: docs/protocol.md section 7."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter

from eth_abi.abi import encode as abi_encode

from streamrp2p.claims_tree import ClaimLeaf, claims_tree
from streamrp2p.errors import TreeError
from streamrp2p.header import EpochHeader
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address, Hash, Signature
from streamrp2p.plain_tree import PlainTree, root_of_path

ALL_ENTRIES = (1 << 256) - 1
"""The mask that claims from every pool of the leaf."""

_HEADER_TYPE = "(uint64,bytes32,bytes32,uint32,uint128,bytes32,uint32,bytes32)"
_CLAIM_TYPES = (_HEADER_TYPE, "(address,uint256[])", "uint32", "bytes32[]", "uint256")


@dataclass(frozen=True, slots=True)
class ClaimProof:
    """All that a claim call needs: the header's preimage, the account's leaf, its index and path."""

    header: EpochHeader
    leaf: ClaimLeaf
    index: int
    path: tuple[Hash, ...]

    def is_valid(self) -> bool:
        """Tell whether the path leads to the header's claims root."""
        try:
            root = root_of_path(self.leaf.leaf(), self.index, self.header.claim_count, self.path)
        except TreeError:
            return False
        return root == self.header.claims_root


class ClaimBook:
    """The claims of one epoch, ready to prove any account: the tree is built once, on the first proof."""

    def __init__(self, header: EpochHeader, claims: Sequence[ClaimLeaf]) -> None:
        """Take the header and its claims in rising order of account, as in its bundle."""
        self.header = header
        self.claims = claims

    def prove(self, account: Address) -> ClaimProof:
        """Return the proof of `account`; raises TreeError when it has earned nothing yet."""
        index = bisect_left(self.claims, account, key=attrgetter("account"))
        if index == len(self.claims) or self.claims[index].account != account:
            raise TreeError(
                f"account 0x{account.hex()} has earned nothing up to epoch {self.header.epoch}"
            )
        return ClaimProof(self.header, self.claims[index], index, self._tree.path(index))

    @cached_property
    def _tree(self) -> PlainTree:
        return claims_tree(self.claims)


def prove_claim(header: EpochHeader, claims: Sequence[ClaimLeaf], account: Address) -> ClaimProof:
    """Return the proof of one account; for many, keep a `ClaimBook`. Raises TreeError as its `prove` does."""
    return ClaimBook(header, claims).prove(account)


def claim_call_data(proof: ClaimProof, mask: int = ALL_ENTRIES) -> bytes:
    """Return call data of `RewardPools.claim`: pay to the account's registered payout address; anyone may send it."""
    return _call("claim", _CLAIM_TYPES, _arguments(proof, mask))


def claim_to_call_data(proof: ClaimProof, to: Address, mask: int = ALL_ENTRIES) -> bytes:
    """Return call data of `RewardPools.claimTo`: the account itself directs the payout."""
    return _call("claimTo", (*_CLAIM_TYPES, "address"), (*_arguments(proof, mask), to))


def claim_by_signature_call_data(
    proof: ClaimProof,
    to: Address,
    deadline: int,
    signature: Signature,
    mask: int = ALL_ENTRIES,
) -> bytes:
    """Return call data of `RewardPools.claimToBySignature`: a relayer submits the account's `ClaimRedirect`."""
    types = (*_CLAIM_TYPES, "address", "uint64", "bytes")
    return _call("claimToBySignature", types, (*_arguments(proof, mask), to, deadline, signature))


def header_words(
    header: EpochHeader,
) -> tuple[int, bytes, bytes, int, int, bytes, int, bytes]:
    """Return the header's fields in the order of the ABI struct."""
    return (
        header.epoch,
        header.parent,
        header.pools_root,
        header.pool_count,
        header.weight,
        header.claims_root,
        header.claim_count,
        header.data_hash,
    )


def _arguments(proof: ClaimProof, mask: int) -> tuple[object, ...]:
    leaf = ("0x" + proof.leaf.account.hex(), list(proof.leaf.entries))
    return header_words(proof.header), leaf, proof.index, list(proof.path), mask


def _call(name: str, types: Sequence[str], values: Sequence[object]) -> bytes:
    selector = keccak(f"{name}({','.join(types)})".encode())[:4]
    encodable = ["0x" + value.hex() if kind == "address" and isinstance(value, bytes) else value
                 for kind, value in zip(types, values, strict=True)]  # fmt: skip
    return selector + abi_encode(types, encodable)
