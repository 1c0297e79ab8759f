"""An ERC-20 token of OpenZeppelin's without extensions: what others add to it is theirs."""

import tomllib
from pathlib import Path

import solcx

ROOT = Path(__file__).resolve().parents[2]

SOURCE = """
pragma solidity 0.8.37;
import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
contract Plain is ERC20("Plain", "PLN") {
    constructor() { _mint(msg.sender, 1e27); }
}
"""


def creation_code() -> bytes:
    """Compile it as `foundry.toml` says for our contracts; the deployer gets 10^27 base units."""
    profile = tomllib.loads((ROOT / "foundry.toml").read_text())["profile"]["default"]
    output = solcx.compile_standard(
        {
            "language": "Solidity",
            "sources": {"Plain.sol": {"content": SOURCE}},
            "settings": {
                "remappings": profile["remappings"],
                "evmVersion": profile["evm_version"],
                "optimizer": {"enabled": profile["optimizer"], "runs": profile["optimizer_runs"]},
                "outputSelection": {"*": {"Plain": ["evm.bytecode.object"]}},
            },
        },
        solc_binary=ROOT / profile["solc"],
        base_path=ROOT,
        allow_paths=[ROOT],
    )
    return bytes.fromhex(output["contracts"]["Plain.sol"]["Plain"]["evm"]["bytecode"]["object"])
