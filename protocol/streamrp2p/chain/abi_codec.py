"""ABI encoding from the contracts' own generated files: values in and out are the pure core's (addresses are bytes)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from eth_abi.abi import decode, encode

from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address, Hash

Value = Any
"""An ABI value: int, bool, str, bytes, or tuples of them. Its type is the ABI's, which no annotation can know."""

CONTRACTS = ("EpochBook", "RewardPools", "NodeRegistry", "StreamToken", "Errors")


@dataclass(frozen=True)
class Parameters:
    """The types of an ABI tuple: what a function takes or gives, what an error or event carries."""

    entries: tuple[Mapping[str, Any], ...]

    @property
    def types(self) -> tuple[str, ...]:
        """Return the canonical types, tuples spelled out."""
        return tuple(map(_type_of, self.entries))

    def encode(self, values: Sequence[object]) -> bytes:
        """Encode values in order."""
        return encode(self.types, list(values))

    def decode(self, data: bytes) -> tuple[Value, ...]:
        """Decode values; addresses become 20 bytes, structs tuples. Raises eth_abi's DecodingError.

        Strings are what somebody wrote on chain: what is no UTF-8 in them is replaced. One that could not be read would
        keep its reader from all that stands beside it.
        """
        values = decode([kind.replace("string", "bytes") for kind in self.types], data)
        return tuple(
            _native(entry, value) for entry, value in zip(self.entries, values, strict=True)
        )

    def named(self, data: bytes) -> dict[str, Value]:
        """Decode values by name."""
        names = [entry["name"] or f"_{index}" for index, entry in enumerate(self.entries)]
        return dict(zip(names, self.decode(data), strict=True))


@dataclass(frozen=True)
class Signature:
    """A function, error or event: `topic` is the hash of its signature, `selector` the first four bytes."""

    name: str
    inputs: Parameters
    outputs: Parameters
    indexed: Parameters

    @property
    def topic(self) -> Hash:
        """Return the hash of the signature."""
        entries = (*self.indexed.entries, *self.inputs.entries)
        # The order is the declaration's, whichever are indexed.
        ordered = sorted(entries, key=lambda entry: int(entry["position"]))
        return keccak(f"{self.name}({','.join(map(_type_of, ordered))})".encode())

    @property
    def selector(self) -> bytes:
        """Return the first four bytes of the hash."""
        return self.topic[:4]


@dataclass(frozen=True)
class Artifact:
    """A compiled contract."""

    name: str
    functions: Mapping[str, Signature]
    errors: Mapping[str, Signature]
    events: Mapping[str, Signature]
    constructor: Parameters
    bytecode: bytes


@cache
def artifact(name: str) -> Artifact:
    """Load `abi/<name>.json` of this package."""
    text = files("streamrp2p.chain").joinpath("abi", f"{name}.json").read_text()
    loaded = json.loads(text)
    by_kind: dict[str, dict[str, Signature]] = {"function": {}, "error": {}, "event": {}}
    constructor = Parameters(())
    for item in loaded["abi"]:
        if item["type"] in by_kind:
            by_kind[item["type"]][item["name"]] = _signature(item)
        elif item["type"] == "constructor":
            constructor = Parameters(tuple(item["inputs"]))
    return Artifact(
        name,
        by_kind["function"],
        by_kind["error"],
        by_kind["event"],
        constructor,
        bytes.fromhex(loaded["bytecode"].removeprefix("0x")),
    )


@cache
def errors_by_selector() -> Mapping[bytes, Signature]:
    """Return every custom error of every contract, by its four bytes."""
    return {error.selector: error for name in CONTRACTS for error in artifact(name).errors.values()}


def _signature(item: Mapping[str, Any]) -> Signature:
    inputs = [{**entry, "position": index} for index, entry in enumerate(item["inputs"])]
    return Signature(
        item["name"],
        Parameters(tuple(entry for entry in inputs if not entry.get("indexed"))),
        Parameters(tuple(item.get("outputs", ()))),
        Parameters(tuple(entry for entry in inputs if entry.get("indexed"))),
    )


def _type_of(entry: Mapping[str, Any]) -> str:
    kind: str = entry["type"]
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(map(_type_of, entry["components"]))
    return f"({inner}){kind.removeprefix('tuple')}"


def _native(entry: Mapping[str, Any], value: Value) -> Value:
    kind: str = entry["type"]
    if kind.endswith("]"):
        item = {**entry, "type": kind[: kind.rindex("[")]}
        return tuple(_native(item, one) for one in value)
    if kind == "tuple":
        return tuple(
            _native(part, one) for part, one in zip(entry["components"], value, strict=True)
        )
    if kind == "string":
        return value.decode(errors="replace")
    return Address(bytes.fromhex(value.removeprefix("0x"))) if kind == "address" else value
