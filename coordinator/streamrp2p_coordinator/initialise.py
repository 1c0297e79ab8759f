"""Make a new coordinator's settings file and keystores."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streamrp2p.chain import Deployment
from streamrp2p.durable import FileAlreadyExistsError, storage_error, write_atomically
from streamrp2p.keys import create_keystore, load_key_file, read_password
from streamrp2p.numbers import Address
from streamrp2p_coordinator.database import open_database

PRIVATE_FOLDER = 0o700


def initialise(
    config: Path,
    *,
    rpc_url: str,
    deployment: Path,
    password_file: Path | None,
    poster_key_file: Path | None,
    ticket_signer_key_file: Path | None,
    database_url: str,
    port: int,
) -> dict[str, Any]:
    """Write the files and return what was made. Nothing that exists is replaced.

    Raises FileAlreadyExistsError, DeploymentError, KeystoreError or ConfigurationError.
    """
    if config.exists():
        raise FileAlreadyExistsError(
            config, "exists already", "remove it yourself if you are sure, or name another file"
        )
    Deployment.load(deployment)
    open_database(database_url).close()
    password = read_password(
        file=password_file, prompt="A password for both keystores: ", confirm=True
    )
    folder = config.resolve().parent
    keys = folder / "keys"
    try:
        keys.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(keys, error) from error
    poster = _keystore(keys / "poster.json", password, poster_key_file)
    ticket_signer = _keystore(keys / "ticket-signer.json", password, ticket_signer_key_file)
    values: dict[str, str | int] = {
        "rpc_url": rpc_url,
        "deployment": str(deployment.resolve()),
        "database_url": database_url,
        "bundle_dir": "bundles",
        "poster_keystore": "keys/poster.json",
        "ticket_signer_keystore": "keys/ticket-signer.json",
        "host": "127.0.0.1",
        "port": port,
    }
    if password_file is not None:
        values["poster_password_file"] = str(password_file.resolve())
        values["ticket_signer_password_file"] = str(password_file.resolve())
    # The RPC and database URLs may hold keys: for the owner's eyes alone.
    write_atomically(config, _toml(values), mode=0o600, overwrite=False)
    return {
        "config": str(config),
        "poster": "0x" + poster.hex(),
        "ticketSigner": "0x" + ticket_signer.hex(),
    }


def _keystore(path: Path, password: str, key_file: Path | None) -> Address:
    return create_keystore(path, password, None if key_file is None else load_key_file(key_file))


def _toml(values: Mapping[str, str | int]) -> bytes:
    # A JSON string without escapes beyond ASCII is a TOML basic string.
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    return ("\n".join(lines) + "\n").encode()
