"""A transaction that somebody else signs: a proof as a file that any wallet can send."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from streamrp2p.chain.transactions import Call
from streamrp2p.difference import Difference
from streamrp2p.durable import write_atomically
from streamrp2p.numbers import Address, Hash


@dataclass(frozen=True, slots=True)
class UnsignedTransaction:
    """A call that challenges the header `header_hash` of `epoch`.

    `proof` is its name in docs/protocol.md section 8, `function` what it calls, `difference` what it shows; `gas` is an
    estimate, `sender` for whom it was made.
    """

    chain_id: int
    call: Call
    proof: str
    function: str
    epoch: int
    header_hash: Hash
    difference: Difference
    sender: Address | None = None
    gas: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object. `chainId`, `to`, `data` and `value` (wei) are what a wallet sends."""
        to = self.call.to
        estimated: dict[str, Any] = {}
        if self.sender is not None:
            estimated["from"] = "0x" + self.sender.hex()
        if self.gas is not None:
            estimated["gas"] = self.gas
        return {
            "chainId": self.chain_id,
            "to": None if to is None else "0x" + to.hex(),
            "data": "0x" + self.call.data.hex(),
            "value": str(self.call.value),
            **estimated,
            "proof": self.proof,
            "function": self.function,
            "epoch": self.epoch,
            "headerHash": "0x" + self.header_hash.hex(),
            "difference": asdict(self.difference),
        }

    def save(self, path: Path) -> None:
        """Write the JSON object to a file; raises StorageError."""
        write_atomically(path, json.dumps(self.to_json(), indent=2).encode() + b"\n")
