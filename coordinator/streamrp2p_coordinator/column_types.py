"""Column types that keep every digit on both databases."""

from decimal import Decimal

from sqlalchemy import Dialect, Numeric, String
from sqlalchemy.types import TypeDecorator, TypeEngine

UINT64_DIGITS = 20
"""2^64 - 1 has 20 digits: more than a signed 64-bit column can hold."""
UINT256_DIGITS = 78


class Unsigned(TypeDecorator[int]):
    """A non-negative integer of up to `digits` decimal digits, exact and ordered as a number.

    NUMERIC(digits, 0) on PostgreSQL; on SQLite, whose numbers beyond 2^63 become floats, text padded
    with zeros on the left, so that text order is number order.
    """

    impl = Numeric
    cache_ok = True

    def __init__(self, digits: int = UINT256_DIGITS) -> None:
        super().__init__(digits, 0)
        self.digits = digits

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Decimal] | TypeEngine[str]:
        """Choose the storage of the database at hand."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Numeric(self.digits, 0))
        return dialect.type_descriptor(String(self.digits))

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | str | None:
        """Write the number; raises ValueError when it does not fit."""
        if value is None:
            return None
        text = str(value)
        if value < 0 or len(text) > self.digits:
            raise ValueError(f"{value} is not an unsigned number of {self.digits} digits")
        return value if dialect.name == "postgresql" else text.zfill(self.digits)

    def process_result_value(
        self,
        value: Decimal | str | None,
        dialect: Dialect,  # noqa: ARG002 - both forms read alike
    ) -> int | None:
        """Read the number back."""
        return None if value is None else int(value)
