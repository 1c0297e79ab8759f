"""What stands in paths and queries, checked."""

from typing import Annotated

from fastapi import Path, Query

from streamrp2p.numbers import Address, Hash
from streamrp2p_coordinator.errors import RequestError

MAX_EPOCH = (1 << 63) - 1
"""What the database can hold; the chain will not get there either."""

_ADDRESS = r"^0x[0-9a-fA-F]{40}$"
_HASH = r"^0x[0-9a-fA-F]{64}$"

PoolId = Annotated[int, Path(alias="poolId", ge=0, lt=1 << 32, examples=[1])]
Epoch = Annotated[int, Path(ge=0, le=MAX_EPOCH, examples=[12])]
MaybeEpoch = Annotated[int | None, Query(ge=0, le=MAX_EPOCH, examples=[12])]
Limit = Annotated[int, Query(ge=1, le=1000)]
AddressText = Annotated[str, Path(pattern=_ADDRESS, examples=["0x" + "ab" * 20])]
HashText = Annotated[str, Path(alias="dataHash", pattern=_HASH, examples=["0x" + "cd" * 32])]


def address(text: str) -> Address:
    """Return the address of a checked path part."""
    return Address(_bytes(text))


def data_hash(text: str) -> Hash:
    """Return the hash of a checked path part."""
    return Hash(_bytes(text))


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError as error:
        raise RequestError("expected 0x followed by hex digits") from error
