"""Compile the contracts and print what each one weighs.

py-solc-x drives the pinned compiler with one standard JSON input: the same sources and settings give
the same bytes on every platform. `scripts/generators/contract_abi.py` writes what comes out.
"""

import os
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import solcx
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "contracts"

MAX_RUNTIME_BYTES = 24_576
"""The largest contract that a chain accepts (EIP-170)."""


@dataclass(frozen=True, slots=True)
class CompiledContract:
    """One contract of ours, as the compiler gave it."""

    name: str
    source: str
    abi: list[dict[str, Any]]
    creation_code: str
    runtime_bytes: int

    @property
    def is_deployable(self) -> bool:
        """Whether it has code of its own: no interface, abstract contract or inlined library."""
        return bool(self.creation_code and any(entry["type"] == "function" for entry in self.abi))


class CompilationError(Exception):
    """The compiler refused the sources."""


@cache
def compile_contracts() -> tuple[CompiledContract, ...]:
    """Compile everything below `contracts`, with the settings of `foundry.toml`, in order of name."""
    profile = tomllib.loads((ROOT / "foundry.toml").read_text())["profile"]["default"]
    output = solcx.compile_standard(
        {
            "language": "Solidity",
            "sources": {
                path.relative_to(ROOT).as_posix(): {"content": path.read_text()}
                for path in sorted(CONTRACTS.rglob("*.sol"))
            },
            "settings": {
                "remappings": profile["remappings"],
                "evmVersion": profile["evm_version"],
                "viaIR": profile["via_ir"],
                "optimizer": {"enabled": profile["optimizer"], "runs": profile["optimizer_runs"]},
                "metadata": {
                    "bytecodeHash": profile["bytecode_hash"],
                    "appendCBOR": profile["cbor_metadata"],
                },
                "outputSelection": {
                    "*": {
                        "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"],
                    }
                },
            },
        },
        solc_binary=ROOT / profile["solc"],
        base_path=ROOT,
        allow_paths=[ROOT],
    )
    return tuple(
        sorted(
            (
                CompiledContract(
                    name=name,
                    source=source,
                    abi=contract["abi"],
                    creation_code=contract["evm"]["bytecode"]["object"],
                    runtime_bytes=len(contract["evm"]["deployedBytecode"]["object"]) // 2,
                )
                for source, named in output["contracts"].items()
                if source.startswith("contracts/")
                for name, contract in named.items()
            ),
            key=lambda contract: (contract.name, contract.source),
        )
    )


def main() -> None:
    """Print one row for each contract that can be deployed; fail if one is too large."""
    table = Table("contract", "source", "runtime bytes", "left")
    too_large = []
    for contract in compile_contracts():
        if contract.is_deployable:
            left = MAX_RUNTIME_BYTES - contract.runtime_bytes
            table.add_row(
                contract.name, contract.source, f"{contract.runtime_bytes:,}", f"{left:,}"
            )
            if left < 0:
                too_large.append(contract.name)
    Console(width=int(os.environ.get("COLUMNS", "110"))).print(table)
    if too_large:
        raise SystemExit(f"Larger than a chain accepts: {', '.join(too_large)}")


if __name__ == "__main__":
    main()
