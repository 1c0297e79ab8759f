"""Trees: what one leaf costs, and one path."""

from collections.abc import Iterator

from benchmarks.measurement import Measurement, measured
from streamrp2p.keccak import keccak
from streamrp2p.plain_tree import PlainTree, root_of_path
from streamrp2p.sum_tree import SumTree, leaf_node

COUNT = 20_000


def measure() -> Iterator[Measurement]:
    """Build both trees over digests that are there, take and check paths."""
    digests = [keccak(number.to_bytes(32)) for number in range(COUNT)]
    yield measured("plain tree, one leaf", lambda: PlainTree(digests), items=COUNT)
    yield measured(
        "sum tree, one leaf",
        lambda: SumTree([leaf_node(digest, 1) for digest in digests]),
        items=COUNT,
    )
    tree = PlainTree(digests)
    indices = range(0, COUNT, 20)
    yield measured(
        f"path of {COUNT} leaves", lambda: list(map(tree.path, indices)), items=len(indices)
    )
    paths = [(digests[index], index, tree.path(index)) for index in indices]
    yield measured(
        f"check of a path of {COUNT} leaves",
        lambda: [root_of_path(leaf, index, COUNT, path) for leaf, index, path in paths],
        items=len(paths),
    )
