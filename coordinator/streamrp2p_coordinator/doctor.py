"""`coordinator doctor`: look at all that an operator can get wrong. Changes nothing, and asks for no password."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from shutil import disk_usage

from sqlalchemy import make_url
from web3 import Web3

from streamrp2p.chain import Deployment, connect
from streamrp2p.chain.rpc import quantity, request, shown_url
from streamrp2p.client import CoordinatorClient
from streamrp2p.errors import StreamrP2PError
from streamrp2p.keys import load_keystore, read_password
from streamrp2p.numbers import Address
from streamrp2p.signatures import address_of
from streamrp2p.signer_client import SignerClient
from streamrp2p.traces import traces_to
from streamrp2p_coordinator.assembly import admin_token, notifier, probe_plan
from streamrp2p_coordinator.bundles import is_whole
from streamrp2p_coordinator.database import Database, open_database
from streamrp2p_coordinator.errors import ConfigurationError
from streamrp2p_coordinator.findings import (
    Finding,
    judge_balance,
    judge_bundles,
    judge_clock,
    judge_confirmations,
    judge_leader,
    judge_poster,
    judge_private_file,
    judge_revision,
    judge_room,
    judge_ticket_signer,
)
from streamrp2p_coordinator.leadership import LEADER_LOCK
from streamrp2p_coordinator.migrate import current_revision, known_revisions
from streamrp2p_coordinator.network import Clock, Network
from streamrp2p_coordinator.public_look import public
from streamrp2p_coordinator.remote_signer import ANSWER_SECONDS
from streamrp2p_coordinator.sdk_chain import SdkChain
from streamrp2p_coordinator.server import listen
from streamrp2p_coordinator.services import system_clock
from streamrp2p_coordinator.settings import Settings, load_settings


def examine(config: Path, clock: Clock = system_clock) -> list[Finding]:
    """Look at everything, as far as the settings can be read. Raises nothing that is expected to go wrong."""
    try:
        settings = load_settings(config)
    except ConfigurationError as error:
        return [Finding.of("settings", error)]
    poster, keys = _keys(settings)
    return [
        Finding("settings", "ok", f"{config} can be read"),
        judge_private_file("settings' mode", config, _mode(config)),
        *keys,
        *_extras(settings),
        *_chain(settings, poster, clock),
        *_storage(settings),
        _port(settings, poster),
        *public(settings, poster, clock),
    ]


def _keys(settings: Settings) -> tuple[Address | None, list[Finding]]:
    """Return the poster's address, if its keystore can be opened."""
    found: list[Finding] = []
    addresses: list[Address | None] = []
    for name, keystore, password_file in (
        ("poster", settings.poster_keystore, settings.poster_password_file),
        (
            "ticket signer",
            settings.ticket_signer_keystore,
            settings.ticket_signer_password_file,
        ),
    ):
        files = [("keystore", keystore)]
        if password_file is not None:
            files.append(("password file", password_file))
        found += [judge_private_file(f"{name}'s {what}", path, _mode(path)) for what, path in files]
        finding, address = _opened(f"{name}'s password", keystore, password_file)
        found.append(finding)
        addresses.append(address)
    return addresses[0], found


def _opened(
    check: str, keystore: Path, password_file: Path | None
) -> tuple[Finding, Address | None]:
    if password_file is None:
        return Finding(
            check,
            "warn",
            f"it is asked for at each start, and was not tried on {keystore}",
            "set a password file, or nothing can restart the coordinator by itself",
        ), None
    try:
        key = load_keystore(keystore, read_password(file=password_file, prompt=""))
    except StreamrP2PError as error:
        return Finding.of(check, error), None
    address = address_of(key)
    return Finding(check, "ok", f"opens {keystore} (0x{address.hex()})"), address


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except OSError:
        return None


def _extras(settings: Settings) -> Iterator[Finding]:
    """Look at what may be left out, by the functions that `run` uses."""
    named: tuple[tuple[str, object, Callable[[Settings], object]], ...] = (
        ("operator's token", settings.admin_token_file, admin_token),
        ("notifications", settings.notify_urls_file, notifier),
        ("probes' proxies", settings.probe_proxies_file, probe_plan),
        ("traces", settings.traces_endpoint, _traces),
    )
    for check, setting, load in named:
        if setting is None:
            continue
        try:
            load(settings)
        except StreamrP2PError as error:
            yield Finding.of(check, error)
        else:
            yield Finding(check, "ok", "can be used")


def _traces(settings: Settings) -> None:
    traces_to(settings.traces_endpoint, "coordinator").close()


def _chain(settings: Settings, poster: Address | None, clock: Clock) -> Iterator[Finding]:
    try:
        deployment = Deployment.load(settings.deployment)
    except StreamrP2PError as error:
        yield Finding.of("deployment", error)
        return
    yield Finding("deployment", "ok", f"{settings.deployment}: chain {deployment.chain_id}")
    yield judge_confirmations(settings.confirmations, deployment.chain_id)
    web3: Web3 | None = None
    for url in settings.rpc_url.split(","):
        check = f"RPC {shown_url(url.strip())}"
        try:
            answering = connect(url.strip(), deployment.chain_id)
        except StreamrP2PError as error:
            yield Finding.of(check, error)
            continue
        yield Finding(check, "ok", f"serves chain {deployment.chain_id}")
        web3 = web3 or answering
    if web3 is not None:
        try:
            yield from _contracts(settings, web3, deployment, poster, clock)
        except StreamrP2PError as error:
            yield Finding.of("contracts", error)


def _contracts(
    settings: Settings, web3: Web3, deployment: Deployment, poster: Address | None, clock: Clock
) -> Iterator[Finding]:
    chain = SdkChain(web3, deployment, settings.confirmations)
    network, book = chain.network(), chain.book()
    yield Finding("contracts", "ok", f"the book expects epoch {book.next_epoch}")
    if poster is not None:
        yield judge_poster(poster, book)
    gas_price_wei = quantity(request(web3, "eth_gasPrice", []))
    yield judge_balance(chain.balance(poster or book.poster), book, gas_price_wei)
    yield judge_clock(clock(), chain.newest().time, settings.max_clock_skew_seconds)
    if settings.ticket_signers:
        yield from _ticket_signers(settings, chain, network, poster or book.poster, clock)


def _ticket_signers(
    settings: Settings, chain: SdkChain, network: Network, asker: Address, clock: Clock
) -> Iterator[Finding]:
    epoch, block = network.epochs.at(clock()), chain.newest()
    current, coming = (
        {pool.pool_id: pool.terms.ticket_signer for pool in chain.pool_inputs(number, block)}
        for number in (epoch, epoch + 1)
    )
    for pool_id, url in settings.ticket_signers.items():
        try:
            with SignerClient(url, timeout_seconds=ANSWER_SECONDS) as client:
                facts = client.facts()
        except StreamrP2PError as error:
            yield Finding.of(f"ticket signer of pool {pool_id}", error)
            continue
        yield judge_ticket_signer(
            pool_id, facts, network.domain, asker, current.get(pool_id), coming.get(pool_id)
        )


def _storage(settings: Settings) -> Iterator[Finding]:
    folder = settings.bundle_dir
    if folder.is_dir():
        yield judge_room("bundles", folder, disk_usage(folder).free)
    try:
        url = make_url(settings.database_url)
        # To open a SQLite database makes its file, and this command makes nothing.
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
            yield Finding(
                "database", "warn", f"{url.database} does not exist yet", "`run` makes it"
            )
            return
        with closing(open_database(settings.database_url)) as database:
            yield from _database(database, folder)
    except StreamrP2PError as error:
        yield Finding.of("database", error)


def _database(database: Database, bundle_folder: Path) -> Iterator[Finding]:
    database.check_writable()
    yield Finding("database", "ok", f"{database.engine.dialect.name} takes writes")
    if database.folder is not None:
        yield judge_room("database", database.folder, disk_usage(database.folder).free)
    known, revision = known_revisions(), current_revision(database)
    yield judge_revision(revision, known)
    if revision != known[-1]:
        return
    with database.read() as store:
        headers, newest = store.epochs.headers(), store.leader.newest()
    yield judge_leader(newest, is_led=database.is_held(LEADER_LOCK))
    missing = [header.epoch for header in headers if not is_whole(bundle_folder, header.data_hash)]
    yield judge_bundles(bundle_folder, len(headers), missing)


def _port(settings: Settings, poster: Address | None) -> Finding:
    where = f"{settings.host}:{settings.port}"
    try:
        listen(settings.host, settings.port).close()
    except ConfigurationError as error:
        try:
            with CoordinatorClient(f"http://{where}", attempts=1) as client:
                found = client.config().poster
        except StreamrP2PError:
            return Finding.of("port", error)
        if poster in (None, found):
            return Finding("port", "ok", f"this coordinator answers at {where}")
        return Finding(
            "port",
            "fail",
            f"a coordinator of another poster (0x{found.hex()}) answers at {where}",
            "stop it, or set another port",
        )
    return Finding("port", "ok", f"{where} is free")
