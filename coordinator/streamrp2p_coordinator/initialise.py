"""Make a new coordinator's settings file and keystores."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streamrp2p.chain import Deployment, connect
from streamrp2p.durable import FileAlreadyExistsError, storage_error, write_atomically
from streamrp2p.keys import create_keystore, load_key_file, new_private_key, read_password
from streamrp2p.signatures import address_of
from streamrp2p_coordinator.database import open_database
from streamrp2p_coordinator.errors import ConfigurationError
from streamrp2p_coordinator.sdk_chain import SdkChain

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
    bundle_dir: str,
    port: int,
) -> dict[str, Any]:
    """Write the files and return what was made. Nothing that exists is replaced.

    EpochBook is deployed with its poster. So the deployment file may be missing: it is deployed for the new one then,
    and `next` says so. Where there is one, the poster's key must be the one that its EpochBook names.

    Raises FileAlreadyExistsError, DeploymentError or another ChainError, KeystoreError or ConfigurationError.
    """
    if config.exists():
        raise FileAlreadyExistsError(
            config, "exists already", "remove it yourself if you are sure, or name another file"
        )
    poster_key, ticket_signer_key = _key(poster_key_file), _key(ticket_signer_key_file)
    is_deployed = deployment.exists()
    if is_deployed:
        _check_poster(rpc_url, deployment, poster_key)
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
    poster = create_keystore(keys / "poster.json", password, poster_key)
    ticket_signer = create_keystore(keys / "ticket-signer.json", password, ticket_signer_key)
    values: dict[str, str | int] = {
        "rpc_url": rpc_url,
        "deployment": str(deployment.resolve()),
        "database_url": database_url,
        "bundle_dir": bundle_dir,
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
    made = {
        "config": str(config),
        "poster": "0x" + poster.hex(),
        "ticketSigner": "0x" + ticket_signer.hex(),
    }
    if not is_deployed:
        made["next"] = f"deploy with --poster {made['poster']} --output {deployment}"
    return made


def _key(file: Path | None) -> bytes:
    return new_private_key() if file is None else load_key_file(file)


def _check_poster(rpc_url: str, deployment_file: Path, key: bytes) -> None:
    deployment = Deployment.load(deployment_file)
    book = SdkChain(connect(rpc_url, deployment.chain_id), deployment).book()
    if address_of(key) != book.poster:
        raise ConfigurationError(
            f"the EpochBook of {deployment_file} has the poster 0x{book.poster.hex()}; give its key with "
            "--poster-key-file, or name a deployment file that does not exist yet and deploy for the new poster"
        )


def _toml(values: Mapping[str, str | int]) -> bytes:
    # A JSON string without escapes beyond ASCII is a TOML basic string.
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    return ("\n".join(lines) + "\n").encode()
