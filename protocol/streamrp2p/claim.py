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
from streamrp2p.plain_tree import PlainTree, root_of_path, root_of_range

MAX_LEAVES_PER_CALL = 256
"""The most accounts of one `claimMany`: its mask has a bit for each."""

_HEADER_TYPE = "(uint64,bytes32,bytes32,uint32,uint128,bytes32,uint32,bytes32)"
_LEAF_TYPE = "(address,uint256[])"
_CLAIM_TYPES = ("uint64", _LEAF_TYPE, "uint32", "bytes32[]", "uint256")


@dataclass(frozen=True, slots=True)
class ClaimProof:
    """All that a claim needs: the header that opens the epoch's claims, the account's leaf, its index and path."""

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


@dataclass(frozen=True, slots=True)
class ClaimRangeProof:
    """The same of neighbouring accounts, with one range path."""

    header: EpochHeader
    leaves: tuple[ClaimLeaf, ...]
    first: int
    path: tuple[Hash, ...]

    def is_valid(self) -> bool:
        """Tell whether the path leads to the header's claims root."""
        hashes = [leaf.leaf() for leaf in self.leaves]
        try:
            root = root_of_range(hashes, self.first, self.header.claim_count, self.path)
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

    def prove_range(self, first: int, width: int) -> ClaimRangeProof:
        """Return the proof of `width` accounts from place `first` on; raises TreeError when there are no such."""
        path = self._tree.range_path(first, width)
        return ClaimRangeProof(self.header, tuple(self.claims[first : first + width]), first, path)

    @cached_property
    def _tree(self) -> PlainTree:
        return claims_tree(self.claims)


def prove_claim(header: EpochHeader, claims: Sequence[ClaimLeaf], account: Address) -> ClaimProof:
    """Return the proof of one account; for many, keep a `ClaimBook`. Raises TreeError as its `prove` does."""
    return ClaimBook(header, claims).prove(account)


def open_claims_call_data(header: EpochHeader) -> bytes:
    """Return call data of `RewardPools.openClaims`: once per epoch, before its first claim; anyone may send it."""
    return _call("openClaims", (_HEADER_TYPE,), (header_words(header),))


def opening(header: EpochHeader, claim: bytes) -> bytes:
    """Return call data that opens the header's claims and makes `claim`, in one transaction (`multicall`).

    Opening what is open does nothing, so this works whether or not another was first; it only costs more.
    """
    return _call("multicall", ("bytes[]",), ([open_claims_call_data(header), claim],))


def claim_call_data(proof: ClaimProof, skip: int = 0) -> bytes:
    """Return call data of `RewardPools.claim`: pay to the account's registered payout address; anyone may send it.

    Of this and the calls below: bit i of `skip` leaves entry i out.
    """
    return _call("claim", _CLAIM_TYPES, _arguments(proof, skip))


def claim_many_call_data(proof: ClaimRangeProof, skip: int = 0) -> bytes:
    """Return call data of `RewardPools.claimMany`: pay each account to its payout address; anyone may send it.

    Bit i of `skip` leaves the whole leaf i out, for an account that cannot be paid.
    """
    types = ("uint64", f"{_LEAF_TYPE}[]", "uint32", "bytes32[]", "uint256")
    leaves = list(map(_leaf_words, proof.leaves))
    values = (proof.header.epoch, leaves, proof.first, list(proof.path), skip)
    return _call("claimMany", types, values)


def claim_all_call_data(proof: ClaimProof) -> bytes:
    """Return call data of `RewardPools.claimAll`: the account sends it, and all that it earned is paid to itself."""
    types = ("uint64", "uint256[]", "uint32", "bytes32[]")
    values = (proof.header.epoch, list(proof.leaf.entries), proof.index, list(proof.path))
    return _call("claimAll", types, values)


def claim_to_call_data(proof: ClaimProof, to: Address, skip: int = 0) -> bytes:
    """Return call data of `RewardPools.claimTo`: the account sends it and directs the payout."""
    types = ("uint64", "uint256[]", "uint32", "bytes32[]", "uint256", "address")
    epoch, _, *rest = _arguments(proof, skip)
    return _call("claimTo", types, (epoch, list(proof.leaf.entries), *rest, to))


def claim_by_signature_call_data(
    proof: ClaimProof,
    to: Address,
    deadline: int,
    signature: Signature,
    skip: int = 0,
) -> bytes:
    """Return call data of `RewardPools.claimToBySignature`: a relayer submits the account's `ClaimRedirect`."""
    types = (*_CLAIM_TYPES, "address", "uint64", "bytes")
    return _call("claimToBySignature", types, (*_arguments(proof, skip), to, deadline, signature))


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


def _arguments(proof: ClaimProof, skip: int) -> tuple[object, ...]:
    return proof.header.epoch, _leaf_words(proof.leaf), proof.index, list(proof.path), skip


def _leaf_words(leaf: ClaimLeaf) -> tuple[str, list[int]]:
    return "0x" + leaf.account.hex(), list(leaf.entries)


def _call(name: str, types: Sequence[str], values: Sequence[object]) -> bytes:
    selector = keccak(f"{name}({','.join(types)})".encode())[:4]
    encodable = ["0x" + value.hex() if kind == "address" and isinstance(value, bytes) else value
                 for kind, value in zip(types, values, strict=True)]  # fmt: skip
    return selector + abi_encode(types, encodable)
