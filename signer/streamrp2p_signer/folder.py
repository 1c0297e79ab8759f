"""The signer's folder: what lies where, and its settings."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from streamrp2p.api import AddressHex, Uint32, Uint64, Uint128
from streamrp2p.epoch_clock import EpochClock
from streamrp2p.keys import load_key_file
from streamrp2p.numbers import Address
from streamrp2p.typed_data import Domain
from streamrp2p.validation import first_fault
from streamrp2p_signer.budget import Limits
from streamrp2p_signer.refusals import SignerSetupError

MAX_LOGGED = (1 << 63) - 1
"""The largest number that the log can hold in a column of its own."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PoolSettings(_Table):
    """What may be signed for a pool. Amounts are base units of its token, as decimal strings."""

    price_per_gb: Uint128
    """As in the pool's terms: what 10^9 bytes are worth."""
    max_ticket_bytes: Annotated[int, Field(ge=1, le=MAX_LOGGED)]
    epoch_budget: Uint128
    """The most that the tickets of an epoch may be worth together."""
    day_budget: Uint128
    """The same of a day, of UTC."""
    max_open_sessions: Annotated[int, Field(ge=1)] = 10_000
    """Tickets that have not expired."""

    @field_validator("price_per_gb")
    @classmethod
    def _has_a_price(cls, price: int) -> int:
        if not price:
            raise ValueError("at a price of 0 no budget binds; write that of the pool's terms")
        return price

    @field_validator("day_budget")
    @classmethod
    def _holds_an_epoch(cls, day_budget: int, info: ValidationInfo) -> int:
        if day_budget < info.data.get("epoch_budget", 0):
            raise ValueError("it must not be less than epoch_budget, which could never be used up")
        return day_budget

    def limits(self) -> Limits:
        """Return them as the rules take them."""
        return Limits(**dict(self))


def _pool_id(value: object) -> object:
    # The name of a TOML table is always text.
    return int(value) if isinstance(value, str) and value.isdecimal() else value


class Settings(_Table):
    """The settings file. The first six are facts of the chain, which `init` wrote."""

    chain_id: Uint64
    epoch_book: AddressHex
    genesis: Uint64
    epoch_seconds: Annotated[int, Field(ge=1)]
    askers: Annotated[list[AddressHex], Field(min_length=1, max_length=64)]
    """Whose requests are answered: the coordinators' posters."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8500
    """0 lets the system choose."""
    pools: dict[Annotated[Uint32, BeforeValidator(_pool_id)], PoolSettings] = {}

    def domain(self) -> Domain:
        """Return the signing domain."""
        return Domain(self.chain_id, Address(self.epoch_book))

    def epochs(self) -> EpochClock:
        """Return the epoch grid; the signer has nothing to do with intake."""
        return EpochClock(self.genesis, self.epoch_seconds, 0)


@dataclass(frozen=True, slots=True)
class Folder:
    """Paths below a signer's folder."""

    root: Path

    @property
    def settings(self) -> Path:
        """The settings."""
        return self.root / "signer.toml"

    @property
    def key(self) -> Path:
        """The ticket key, as text, for its owner alone."""
        return self.root / "ticket.key"

    @property
    def log(self) -> Path:
        """What was signed."""
        return self.root / "tickets.db"

    def load_key(self) -> bytes:
        """Return the ticket key; raises KeystoreError or StorageError, without what stands in the file."""
        return load_key_file(self.key)

    def load_settings(self) -> Settings:
        """Read the settings; raises SignerSetupError, which names the first wrong one."""
        try:
            values: dict[str, Any] = tomllib.loads(self.settings.read_text())
        except FileNotFoundError:
            raise SignerSetupError(
                f"{self.settings} does not exist; make it first: streamrp2p signer init --dir {self.root}"
            ) from None
        except (OSError, ValueError) as error:
            raise SignerSetupError(f"{self.settings} cannot be read as TOML: {error}") from error
        try:
            return Settings.model_validate(values)
        except ValidationError as error:
            name, fault = first_fault(error)
            raise SignerSetupError(f"{self.settings}: {name}: {fault}") from error
