"""What pydantic finds wrong, for a person."""

from pydantic import ValidationError


def first_fault(error: ValidationError, whole: str = "") -> tuple[str, str]:
    """Return where the first fault is, as a dotted path, and what it is; what was found there is not repeated.

    `whole` is where a fault is that is of no field.
    """
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return ".".join(map(str, first["loc"])) or whole, first["msg"].removeprefix("Value error, ")
