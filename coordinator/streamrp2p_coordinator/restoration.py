"""`coordinator backup` and `restore`: open what they need, and nothing more."""

from contextlib import ExitStack, closing
from pathlib import Path

from streamrp2p.chain import Deployment, connect
from streamrp2p.client import CoordinatorClient
from streamrp2p.typed_data import Domain
from streamrp2p_coordinator.backup import Backup, make_backup, restore_backup
from streamrp2p_coordinator.bundles import Bundles
from streamrp2p_coordinator.database import open_database, open_existing
from streamrp2p_coordinator.migrate import migrate
from streamrp2p_coordinator.sdk_chain import SdkChain
from streamrp2p_coordinator.services import system_clock
from streamrp2p_coordinator.settings import Settings
from streamrp2p_coordinator.use_cases.restore_epochs import Fetch, restore_epochs


def restore_from_public_data(settings: Settings, mirror: str | None) -> list[int]:
    """Restore from the bundle folder and, if it is named, a mirror. Raises as `restore_epochs` and `connect` do."""
    deployment = Deployment.load(settings.deployment)
    with ExitStack() as stack:
        fetch: Fetch | None = None
        if mirror is not None:
            fetch = stack.enter_context(CoordinatorClient(mirror)).bundle
        web3 = connect(settings.rpc_url, deployment.chain_id)
        database = open_database(settings.database_url)
        stack.callback(database.close)
        migrate(database)
        return restore_epochs(
            database=database,
            chain=SdkChain(web3, deployment, settings.confirmations),
            domain=Domain(deployment.chain_id, deployment.epoch_book),
            bundles=Bundles(settings.bundle_dir),
            fetch=fetch,
        )


def back_up(settings: Settings, folder: Path) -> Backup:
    """Back up database and bundles; the coordinator may run. Raises as `make_backup` does."""
    with closing(open_existing(settings.database_url)) as database:
        return make_backup(database, Bundles(settings.bundle_dir), folder, system_clock)


def restore_from_backup(settings: Settings, folder: Path) -> Backup:
    """Restore database and bundles. Raises as `restore_backup` does."""
    with closing(open_database(settings.database_url)) as database:
        return restore_backup(folder, database, Bundles(settings.bundle_dir))
