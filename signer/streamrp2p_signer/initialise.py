"""Make a new signer's key and settings file."""

from pathlib import Path

from streamrp2p.durable import FileAlreadyExistsError, storage_error, write_atomically
from streamrp2p.keys import new_private_key
from streamrp2p.numbers import Address
from streamrp2p.signatures import address_of
from streamrp2p_signer.folder import Folder

TEMPLATE = """\
# Facts of the chain, read from it.
chain_id = {chain_id}
epoch_book = "0x{epoch_book}"
genesis = {genesis}
epoch_seconds = {epoch_seconds}

# Who may ask: the poster of each coordinator that admits viewers for you.
askers = ["0x{poster}"]

host = "127.0.0.1"
port = {port}

# A table for each pool that names this signer. Amounts are base units of the pool's token.
# [pools.1]
# price_per_gb = "10000000000000000000"      # as in the pool's terms
# max_ticket_bytes = 310000000               # the stream's maxBytesPerSecond for 310 s
# epoch_budget = "100000000000000000000"     # what the tickets of an epoch may be worth together
# day_budget = "1000000000000000000000"      # the same of a day, of UTC
# max_open_sessions = 10000
"""


def initialise(folder: Folder, rpc_url: str, deployment_file: Path, port: int) -> Address:
    """Write the files, and return the address of the new key. Nothing that exists is replaced.

    Chain, epochs and poster are read from the chain itself: they bound what is signed, so no coordinator is asked.
    Raises FileAlreadyExistsError, StorageError, DeploymentError or another ChainError.
    """
    # Here and not above: the chain's packages take a second to import, and a running signer does without.
    from streamrp2p.chain import Deployment, EpochBookContract, connect  # noqa: PLC0415

    # Before the chain is asked, and before there is a key that nothing belongs to.
    if folder.settings.exists():
        raise FileAlreadyExistsError(
            folder.settings,
            "exists already",
            "remove it yourself if you are sure, or name another folder",
        )
    deployment = Deployment.load(deployment_file)
    book = EpochBookContract(
        connect(rpc_url, deployment.chain_id), deployment.epoch_book, from_block=deployment.block
    )
    text = TEMPLATE.format(
        chain_id=deployment.chain_id,
        epoch_book=deployment.epoch_book.hex(),
        genesis=book.rules.genesis,
        epoch_seconds=book.rules.epoch_seconds,
        poster=book.poster().hex(),
        port=port,
    )
    try:
        folder.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(folder.root, error) from error
    key = new_private_key()
    # The key stands unencrypted for its owner alone: a signer must start again without a person, and all that the key
    # can do is bounded by its pool's budget on chain.
    write_atomically(folder.key, f"0x{key.hex()}\n".encode(), mode=0o600, overwrite=False)
    write_atomically(folder.settings, text.encode(), mode=0o600, overwrite=False)
    return address_of(key)
