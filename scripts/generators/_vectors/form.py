"""How a vector file is written: integers as decimal strings, bytes as 0x hex, `caseCount` beside `cases`."""

import json
from collections.abc import Mapping, Sequence

Value = object
Case = Mapping[str, Value]


def document(description: str, cases: Sequence[Case], **shared: Value) -> bytes:
    """Return the bytes of one file. `shared` are the values that all its cases have in common."""
    content = {
        "description": description,
        **shared,
        "caseCount": len(cases),
        "cases": list(cases),
    }
    return json.dumps(plain(content), indent=1, ensure_ascii=True).encode() + b"\n"


def plain(value: Value) -> Value:
    """Replace bytes by hex and integers by decimal strings, at any depth."""
    match value:
        case bool() | str() | None:
            return value
        case int():
            return str(value)
        case bytes():
            return "0x" + value.hex()
        case Mapping():
            return {name: plain(part) for name, part in value.items()}
        case Sequence():
            return [plain(part) for part in value]
    raise TypeError(f"a vector cannot hold {type(value).__name__}")


def camel(name: str) -> str:
    """Return the protocol's spelling of a Python field name."""
    if name == "price_per_gb":
        return "pricePerGB"
    head, *tail = name.split("_")
    return head + "".join(part.title() for part in tail)
