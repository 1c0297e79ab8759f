"""A local chain: anvil, and the accounts that every anvil funds."""

import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from eth_account import Account

from streamrp2p_demo.errors import MissingToolError

CHAIN_ID = 31337
BLOCK_SECONDS = 1
"""A block each second: contracts see the time pass even when nobody sends anything."""
CHECKOUT = Path(__file__).parents[2]
MNEMONIC = "test test test test test test test test test test test junk"
"""Anvil's own, known to everybody: never for a chain whose money is worth anything."""


def find_anvil(folders: Sequence[Path] | None = None) -> Path:
    """Return the binary: from PATH, or from the node_modules of a checkout; raises MissingToolError."""
    if found := shutil.which("anvil"):
        return Path(found)
    for folder in (Path.cwd(), CHECKOUT) if folders is None else folders:
        local = folder / "node_modules" / ".bin" / "anvil"
        if local.exists():
            return local.resolve()
    raise MissingToolError(
        "anvil, a local chain, is missing. In a checkout, run `make setup`; "
        "elsewhere install Foundry (https://getfoundry.sh) so that `anvil` is on PATH"
    )


def anvil_command(port: int) -> list[str]:
    """Return the command line of a chain on the loopback interface."""
    return [
        *(str(find_anvil()), "--host", "127.0.0.1", "--port", str(port)),
        *("--chain-id", str(CHAIN_ID), "--mnemonic", MNEMONIC),
    ]


@cache
def known_key(index: int) -> bytes:
    """Return the private key of one of the ten accounts that anvil funds."""
    Account.enable_unaudited_hdwallet_features()
    account = Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")
    return bytes(account.key)
