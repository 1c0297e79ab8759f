"""Vectors of section 6: plain trees, sum trees, claims trees, absence."""

from collections.abc import Sequence

from scripts.generators._vectors.form import Case, document
from scripts.generators._vectors.sample import NODES, VIEWERS, digest_of
from streamrp2p.claims_tree import ClaimLeaf, claims_tree, entry_word
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address, Hash
from streamrp2p.plain_tree import PlainTree, neighbours_of
from streamrp2p.sum_tree import MAX_SUM, SumTree, leaf_node

COUNTS = (0, 1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 33)
ALL_RANGES = 9


def files() -> dict[str, bytes]:
    """Return the vector files by name."""
    return {
        "plain-trees.json": _plain_trees(),
        "sum-trees.json": _sum_trees(),
        "claims-trees.json": _claims_trees(),
        "absence.json": _absence(),
    }


def _plain_trees() -> bytes:
    cases: list[Case] = []
    for count in COUNTS:
        leaves = [keccak(digest_of(number)) for number in range(count)]
        tree = PlainTree(leaves)
        cases.append(
            {
                "count": count,
                "leaves": leaves,
                "root": tree.root,
                "paths": [{"index": index, "siblings": tree.path(index)} for index in range(count)],
                "rangeCount": len(_ranges(count)),
                "ranges": [
                    {"first": first, "width": width, "path": tree.range_path(first, width)}
                    for first, width in _ranges(count)
                ],
            }
        )
    return document(
        "Plain trees; leaf i is keccak(uint256 i). Ranges are of neighbouring leaves.", cases
    )


def _ranges(count: int) -> list[tuple[int, int]]:
    """Return every range of a small tree, of a larger one some with an edge at an end or in the middle."""
    middle = count // 2
    return [
        (first, end - first)
        for first in range(count)
        for end in range(first + 1, count + 1)
        if count <= ALL_RANGES or ({first, end} & {0, middle, count} and (first + end) % 3 == 0)
    ]


def _sum_trees() -> bytes:
    cases = [_sum_tree([number * number + 1 for number in range(count)]) for count in COUNTS]
    cases.append(_sum_tree([MAX_SUM]))
    cases.append(_sum_tree([MAX_SUM - 5, 2, 3]))
    cases.append(_sum_tree([0, 0, 7]))
    return document("Sum trees; the digest of leaf i is the 32 bytes of uint256 i.", cases)


def _sum_tree(sums: Sequence[int]) -> Case:
    digests = [digest_of(number) for number in range(len(sums))]
    leaves = [leaf_node(*pair) for pair in zip(digests, sums, strict=True)]
    tree = SumTree(leaves)
    paths = [tree.path(index) for index in range(tree.count)]
    return {
        "count": tree.count,
        "digests": digests,
        "sums": sums,
        "leafHashes": [leaf.hash for leaf in leaves],
        "root": tree.top.hash,
        "total": tree.top.sum,
        "paths": [
            {
                "index": index,
                "siblingHashes": [sibling.hash for sibling in path],
                "siblingSums": [sibling.sum for sibling in path],
            }
            for index, path in enumerate(paths)
        ],
    }


def _claims_trees() -> bytes:
    accounts = sorted((*NODES, *VIEWERS))
    many = [
        ClaimLeaf(
            account,
            tuple(entry_word(1 + pool, 10**18 * (index + pool + 1)) for pool in range(index + 1)),
        )
        for index, account in enumerate(accounts)
    ]
    widest = ClaimLeaf(
        accounts[0], tuple(entry_word(2**32 - 256 + pool, MAX_SUM) for pool in range(256))
    )
    return document(
        "Claims trees: leaf i is keccak(keccak(account ‖ entries)); an entry is poolId << 128 | cumulativeReward.",
        [_claims_tree(claims) for claims in ([], many[:1], many[:3], many, [widest, *many[1:2]])],
    )


def _claims_tree(claims: Sequence[ClaimLeaf]) -> Case:
    tree = claims_tree(claims)
    return {
        "count": tree.count,
        "root": tree.root,
        "claims": [
            {
                "account": claim.account,
                "entries": claim.entries,
                "poolIds": list(claim.rewards()),
                "cumulativeRewards": list(claim.rewards().values()),
                "leaf": claim.leaf(),
                "index": index,
                "path": tree.path(index),
            }
            for index, claim in enumerate(claims)
        ],
    }


def _absence() -> bytes:
    keys = [Address(bytes(19) + bytes([number])) for number in (10, 20, 30, 40, 50)]
    leaves = [Hash(keccak(key)) for key in keys]
    tree = PlainTree(leaves)
    cases: list[Case] = []
    for missing in (0, 9, 11, 29, 49, 51, 255):
        key = bytes(19) + bytes([missing])
        indices = neighbours_of(keys, key)
        cases.append(
            {
                "missing": key,
                "indices": indices,
                "keys": [keys[index] for index in indices],
                "paths": [{"index": index, "siblings": tree.path(index)} for index in indices],
            }
        )
    return document(
        "Absence of a key by its neighbours in a plain tree over `keys`; leaf i is keccak(key i).",
        cases,
        count=tree.count,
        keys=keys,
        root=tree.root,
    )
