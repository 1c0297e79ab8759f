"""Where the contracts are: one small JSON file that every actor is given."""

import json
import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pydantic.alias_generators import to_camel

from streamrp2p.chain.errors import DeploymentError
from streamrp2p.durable import write_atomically
from streamrp2p.numbers import Address

MAX_FILE_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Deployment:
    """The contracts of one deployment; `block` is that of the first, before which there is nothing to read.

    The file holds the fields in camelCase: `chainId` and `block` are numbers, addresses 0x hex.
    """

    chain_id: int
    epoch_book: Address
    reward_pools: Address
    node_registry: Address
    challenges: Address
    data_demands: Address
    stream_token: Address
    block: int

    @classmethod
    def load(cls, path: Path | str) -> "Deployment":
        """Read a deployment file; raises DeploymentError, which names the first wrong field."""
        file = Path(path)
        try:
            with file.open("rb") as opened:
                found = json.loads(opened.read(MAX_FILE_BYTES))
        except OSError as error:
            raise DeploymentError(
                f"{file} cannot be read ({error.strerror}); name the deployment file of your chain"
            ) from error
        except (ValueError, RecursionError) as error:
            raise DeploymentError(f"{file} is not JSON; fetch the deployment file again") from error
        if not isinstance(found, dict):
            raise DeploymentError(f"{file} holds no JSON object; fetch the deployment file again")
        values: dict[str, Any] = {
            field.name: _field(file, found, field.name) for field in fields(cls)
        }
        return cls(**values)

    def save(self, path: Path | str) -> None:
        """Write the deployment file; raises StorageError."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        shown = {
            to_camel(name): "0x" + value.hex() if isinstance(value, bytes) else value
            for name, value in values.items()
        }
        write_atomically(Path(path), json.dumps(shown, indent=2).encode() + b"\n")


def _field(file: Path, found: dict[str, Any], name: str) -> int | Address:
    key = to_camel(name)
    value = found.get(key)
    if name in ("chain_id", "block"):
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        raise DeploymentError(f"{file}: {key} must be a number that is not negative")
    if not isinstance(value, str) or not re.fullmatch(r"0x[0-9a-fA-F]{40}", value):
        raise DeploymentError(f"{file}: {key} must be an address of 0x and 40 hex digits")
    return Address(bytes.fromhex(value[2:]))
