"""One measured transaction."""

from dataclasses import dataclass

from benchmarks.gas.stage import Cost


@dataclass(frozen=True, slots=True)
class Row:
    """One measured transaction, and the most gas that it may use. Figures and target are per each of `per` accounts."""

    name: str
    cost: Cost
    target: int | None = None
    per: int = 1

    @property
    def gas(self) -> int:
        """The gas, rounded up."""
        return -(-self.cost.gas // self.per)

    @property
    def calldata_gas(self) -> int:
        """The part of it for call data, rounded up."""
        return -(-self.cost.calldata_gas // self.per)
