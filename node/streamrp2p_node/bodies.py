"""Reading request bodies, bounded before they are parsed."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from streamrp2p.validation import first_fault
from streamrp2p_node.errors import Reason, RefusedError

MAX_BODY_BYTES = 16 * 1024
"""Tickets and receipts take less than 1 kB of JSON."""

Model = TypeVar("Model", bound=BaseModel)


async def read_model(request: Request, model: type[Model]) -> Model:
    """Return the body as `model`; raises RefusedError for one that is too large or something else."""
    data = await _read(request)
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        where, fault = first_fault(error, "the body")
        raise RefusedError(Reason.BAD_REQUEST, f"{where}: {fault}") from error


async def _read(request: Request) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and (len(declared) > 9 or int(declared) > MAX_BODY_BYTES):  # noqa: PLR2004 - digits
        raise _too_large()
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise _too_large()
    return bytes(body)


def _too_large() -> RefusedError:
    return RefusedError(
        Reason.BODY_TOO_LARGE,
        f"the body exceeds {MAX_BODY_BYTES} bytes; send one message at a time",
    )
