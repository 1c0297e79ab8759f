"""AMF0, the encoding of RTMP's commands. Source: Action Message Format AMF 0, Adobe, 2007."""

from collections.abc import Mapping
from struct import Struct, error

from streamrp2p_origin.errors import RtmpError

_F64 = Struct(">d")
_U16 = Struct(">H")
_U32 = Struct(">I")
_DATE = Struct(">dh")

MAX_DEPTH = 8
"""Commands nest two levels; more is an attack on the stack."""

Value = float | bool | str | None | dict[str, "Value"] | list["Value"]
Encodable = float | bool | str | None | Mapping[str, float | bool | str | None]

_NUMBER, _BOOLEAN, _STRING, _OBJECT, _NULL, _OBJECT_END = 0, 1, 2, 3, 5, 9


def encode(*values: Encodable) -> bytes:
    """Return the values one after the other."""
    return b"".join(map(_encoded, values))


def decode(data: bytes) -> list[Value]:
    """Return all values of `data`; raises RtmpError for anything malformed."""
    values: list[Value] = []
    at = 0
    try:
        while at < len(data):
            value, at = _decoded(data, at, 0)
            values.append(value)
    except (IndexError, error) as cause:
        raise RtmpError("the encoder sent a command that ends too early") from cause
    except UnicodeDecodeError as cause:
        raise RtmpError("the encoder sent a command with text that is not UTF-8") from cause
    return values


def _encoded(value: Encodable) -> bytes:
    match value:
        case None:
            return bytes([_NULL])
        case bool():
            return bytes([_BOOLEAN, value])
        case str():
            return bytes([_STRING]) + _name(value)
        case int() | float():
            return bytes([_NUMBER]) + _F64.pack(value)
    fields = b"".join(_name(name) + _encoded(field) for name, field in value.items())
    return bytes([_OBJECT]) + fields + b"\x00\x00" + bytes([_OBJECT_END])


def _name(text: str) -> bytes:
    data = text.encode()
    return _U16.pack(len(data)) + data


def _decoded(data: bytes, at: int, depth: int) -> tuple[Value, int]:  # noqa: C901, PLR0911 - one per type
    if depth > MAX_DEPTH:
        raise RtmpError("the encoder sent a command that nests too deeply")
    mark, at = data[at], at + 1
    match mark:
        case 0:
            return _F64.unpack_from(data, at)[0], at + 8
        case 1:
            return data[at] != 0, at + 1
        case 2:
            return _text(data, at, _U16)
        case 12:
            return _text(data, at, _U32)
        case 5 | 6:
            return None, at
        case 3:
            return _fields(data, at, depth)
        case 8:
            return _fields(data, at + 4, depth)
        case 10:
            return _items(data, at, depth)
        case 11:
            return _DATE.unpack_from(data, at)[0], at + _DATE.size
    raise RtmpError(f"the encoder sent a command with a value of unknown type {mark}")


def _text(data: bytes, at: int, length: Struct) -> tuple[str, int]:
    end = at + length.size + length.unpack_from(data, at)[0]
    if end > len(data):
        raise IndexError
    return data[at + length.size : end].decode(), end


def _fields(data: bytes, at: int, depth: int) -> tuple[dict[str, Value], int]:
    fields: dict[str, Value] = {}
    while True:
        name, at = _text(data, at, _U16)
        if not name and data[at] == _OBJECT_END:
            return fields, at + 1
        fields[name], at = _decoded(data, at, depth + 1)


def _items(data: bytes, at: int, depth: int) -> tuple[list[Value], int]:
    count, at = _U32.unpack_from(data, at)[0], at + 4
    items: list[Value] = []
    for _ in range(count):
        item, at = _decoded(data, at, depth + 1)
        items.append(item)
    return items, at
