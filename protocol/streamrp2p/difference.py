"""The first thing in which a bundle or header differs from the recomputed one, and the fraud proof that shows it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from itertools import zip_longest

from streamrp2p.bundle import Bundle
from streamrp2p.claims_tree import ClaimLeaf
from streamrp2p.header import EpochHeader
from streamrp2p.records import NodeRow, PoolRow


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing that is wrong. `proof` is the fraud proof of section 8 that shows it.

    `row` names the leaf or header (such as `pool 3, node 0x…`), `field` its part; values are printable. `Withheld`
    stands for bytes that are no bundle of this header: a demand for the data is the answer to it.
    """

    proof: str
    row: str
    field: str
    expected: str
    found: str


_HEADER_PROOFS = {"parent": "Withheld", "claims_root": "BadClaim", "claim_count": "BadClaim"}


def rows_difference(found: Bundle, expected: Bundle) -> Difference | None:
    """Compare node and pool rows of two bundles that have the same pools in the same order.

    In each pool causes come before their effects: sums, then the pool's spend, then its nodes' rewards, then roots.
    """
    for (found_pool, found_nodes), (pool, nodes) in zip(
        found.by_pool(), expected.by_pool(), strict=True
    ):
        where = f"pool {pool.pool_id}"
        difference = (
            _nodes_difference(where, found_nodes, nodes)
            or _each_node(where, found_nodes, nodes, "BadSum", ("sessions_root", "session_count"))
            or _each_node(where, found_nodes, nodes, "BadSum", ("weight",))
            or _fields("BadSum", where, pool, found_pool, ("node_count", "weight"))
            or _fields("BadSpend", where, pool, found_pool, ("spend", "cumulative_spend"))
            or _each_node(where, found_nodes, nodes, "BadReward", ("reward",))
            or _fields("BadSum", where, pool, found_pool, ("nodes_root",))
        )
        if difference is not None:
            return difference
    return None


def claims_difference(
    found: tuple[ClaimLeaf, ...], expected: tuple[ClaimLeaf, ...]
) -> Difference | None:
    """Compare claims: every account, its pools and its cumulative rewards."""
    for wanted, got in zip_longest(expected, found):
        if wanted == got:
            continue
        if wanted is not None and got is not None and wanted.account == got.account:
            row = f"account {text(wanted.account)}"
            return Difference("BadClaim", row, "entries", _entries(wanted), _entries(got))
        return _misplaced(
            "BadClaim",
            "account ",
            wanted.account if wanted else None,
            got.account if got else None,
            {claim.account for claim in expected}.__contains__,
        )
    return None


def header_difference(found: EpochHeader, expected: EpochHeader) -> Difference | None:
    """Compare headers field by field."""
    return _fields("BadSum", f"header {found.epoch}", expected, found, None, _HEADER_PROOFS)


def text(value: object) -> str:
    """Return a value as a person reads it: bytes in hex, what is not there as `none`."""
    if value is None:
        return "none"
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)


def camel(name: str) -> str:
    """Return the protocol's spelling of a field."""
    head, *tail = name.split("_")
    return head + "".join(part.title() for part in tail)


def _nodes_difference(
    where: str, found: tuple[NodeRow, ...], expected: tuple[NodeRow, ...]
) -> Difference | None:
    for wanted, got in zip_longest(expected, found):
        if wanted is None or got is None or wanted.node != got.node:
            return _misplaced(
                "BadSum",
                f"{where}, node ",
                wanted.node if wanted else None,
                got.node if got else None,
                {row.node for row in expected}.__contains__,
            )
    return None


def _misplaced(
    proof: str,
    prefix: str,
    wanted: bytes | None,
    got: bytes | None,
    is_expected: Callable[[bytes], bool],
) -> Difference:
    """Tell a row that should not be there from one that is missing or stands elsewhere."""
    if got is not None and not is_expected(got):
        return Difference(proof, f"{prefix}{text(got)}", "row", "none", "a row")
    return Difference(proof, f"{prefix}{text(wanted)}", "row", "a row", text(got))


def _each_node(
    where: str,
    found: tuple[NodeRow, ...],
    expected: tuple[NodeRow, ...],
    proof: str,
    names: tuple[str, ...],
) -> Difference | None:
    for wanted, got in zip(expected, found, strict=True):
        difference = _fields(proof, f"{where}, node {text(wanted.node)}", wanted, got, names)
        if difference is not None:
            return difference
    return None


def _fields(
    proof: str,
    row: str,
    expected: NodeRow | PoolRow | EpochHeader,
    found: NodeRow | PoolRow | EpochHeader,
    names: tuple[str, ...] | None,
    proofs: Mapping[str, str] | None = None,
) -> Difference | None:
    for name in names or [field.name for field in fields(expected)]:
        wanted, got = getattr(expected, name), getattr(found, name)
        if wanted != got:
            return Difference(
                (proofs or {}).get(name, proof), row, camel(name), text(wanted), text(got)
            )
    return None


def _entries(claim: ClaimLeaf) -> str:
    return ", ".join(f"pool {pool_id}: {reward}" for pool_id, reward in claim.rewards().items())
