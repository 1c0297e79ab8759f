"""The contracts' ABI and creation code, which Python and the web deploy and call."""

import json
from collections import Counter
from pathlib import Path

from scripts.compile_contracts import compile_contracts

FOLDER = Path("protocol/streamrp2p/chain/abi")
INTERFACES = "contracts/interfaces/"


def files() -> dict[Path, bytes]:
    """Make one JSON file for each contract or interface of ours that has an ABI; abstract parts are none."""
    contracts = [
        contract
        for contract in compile_contracts()
        if contract.abi and (contract.creation_code or contract.source.startswith(INTERFACES))
    ]
    counts = Counter(contract.name for contract in contracts)
    if twice := sorted(name for name, count in counts.items() if count > 1):
        raise SystemExit(f"Two contracts share a name, and would share a file: {', '.join(twice)}")
    return {
        FOLDER / f"{contract.name}.json": json.dumps(
            {
                "contractName": contract.name,
                "abi": contract.abi,
                "bytecode": f"0x{contract.creation_code}",
            },
            indent=1,
            sort_keys=True,
        ).encode()
        + b"\n"
        for contract in contracts
    }
