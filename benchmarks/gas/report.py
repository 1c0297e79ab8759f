"""The committed figures: docs/gas.json for machines, docs/gas.md for people, both made of the same rows."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.gas.row import Row

ROOT = Path(__file__).resolve().parents[2]
JSON_FILE = ROOT / "docs" / "gas.json"
TABLE_FILE = ROOT / "docs" / "gas.md"

HEAD = """# Gas

Whole transactions with their call data, as `make gas` measures them on a fresh chain (rules of Prague) with
plain ERC-20 tokens of OpenZeppelin's; `make gas UPDATE=1` writes this file. The claims tree has 2^20 accounts
unless a row says otherwise, and the claims of its epoch are open. A *first* claim writes words of storage that
were 0, at 17,100 more each: one for each pair of pools, and the receiver's balance of each token. A push costs
what its row says for each account.

A fraud proof is measured with the tree that it is mainly about as deep as the row says, and 4 pools and 4 nodes above
it: each voids a header that was really committed. The zero address, to which half of the bond is burned, has a
balance, as on every public chain; else it would be 25,000 more. With all trees that deep the floor for call data
(EIP-7623) is what counts.

Demands for data, their answers and ends are measured in trees of 513 leaves. The answer with 8 accounts is the dearest
that there is.

| transaction | target | measured | of it call data |
|---|---|---|---|
"""
TAIL = """
Claims pushed to a registered payout address ask one more contract. BadSession with 2^24 sessions of one node is
beyond the 130,000 that it keeps to at 2^20. Of its gas, about 43,000 are the void itself (a new word of credit for
the challenger, since ether leaves by pull alone, and the burning), 30,000 are call data, 21,000 the transaction,
15,000 what book and pools are asked, 7,000 the two signatures. Every level of a sum tree adds about 920, of which
690 are call data.
"""


def as_json(rows: Sequence[Row]) -> str:
    """Return the text of docs/gas.json: sorted by name."""
    figures = {
        row.name: {
            "calldataGas": row.calldata_gas,
            "gas": row.gas,
            "target": row.target,
        }
        for row in rows
    }
    return json.dumps(figures, indent=1, sort_keys=True) + "\n"


def as_table(rows: Sequence[Row]) -> str:
    """Return the text of docs/gas.md, in the order of measurement."""
    lines = [
        f"| {row.name} | {'' if row.target is None else f'{row.target:,}'} "
        f"| {row.gas:,} | {row.calldata_gas:,} |"
        for row in rows
    ]
    return HEAD + "\n".join(lines) + "\n" + TAIL


def over_target(rows: Sequence[Row]) -> list[str]:
    """Say which rows use more than their target."""
    return [
        f"{row.name}: {row.gas:,} gas, at most {row.target:,} are allowed"
        for row in rows
        if row.target is not None and row.gas > row.target
    ]


def differences(
    rows: Sequence[Row], committed: Mapping[str, Mapping[str, int | None]]
) -> list[str]:
    """Say which measured figures are not the committed ones, and which committed ones were not measured."""
    measured = json.loads(as_json(rows))
    return [
        f"{name}: {_shown(committed.get(name))} committed, {_shown(measured.get(name))} measured"
        for name in sorted(measured.keys() | committed.keys())
        if measured.get(name) != committed.get(name)
    ]


def committed() -> dict[str, dict[str, int | None]]:
    """Return the figures of docs/gas.json; none if there is no such file."""
    if not JSON_FILE.is_file():
        return {}
    figures: dict[str, dict[str, int | None]] = json.loads(JSON_FILE.read_text())
    return figures


def write(rows: Sequence[Row]) -> None:
    """Write both files."""
    JSON_FILE.write_text(as_json(rows))
    TABLE_FILE.write_text(as_table(rows))


def _shown(figures: Mapping[str, int | None] | None) -> str:
    if figures is None:
        return "nothing"
    return f"{figures['gas']} gas ({figures['calldataGas']} of it call data)"
