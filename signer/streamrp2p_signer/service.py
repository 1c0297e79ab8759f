"""The running signer: one process, which loses nothing on SIGKILL."""

import signal
import socket
import time
from collections import Counter
from contextlib import closing

import structlog
import uvicorn

from streamrp2p.monitoring import Checks, Monitored, monitoring, registry_of
from streamrp2p.signatures import address_of
from streamrp2p.traces import Traces, traces_to
from streamrp2p_signer.desk import Desk
from streamrp2p_signer.folder import Folder, Settings
from streamrp2p_signer.metrics import READINGS, read
from streamrp2p_signer.refusals import SignerSetupError
from streamrp2p_signer.routes import make_app
from streamrp2p_signer.ticket_log import Account, TicketLog, account

MAX_CONNECTIONS = 128
"""More at once are answered 503: the askers are a few coordinators, with some connections each."""
KEEPALIVE_SECONDS = 60
"""Longer than a coordinator keeps a connection, so that none breaks under a request."""
GRACE_SECONDS = 5

log = structlog.get_logger("signer")


def system_clock() -> int:
    """Return the time in Unix seconds."""
    return int(time.time())


def current_account(folder: Folder, settings: Settings, newest: int = 0) -> Account:
    """Read what each pool has used by now, and some of the newest tickets; raises SignerSetupError."""
    return account(folder.log, sorted(settings.pools), settings.epochs(), system_clock(), newest)


def serve(
    folder: Folder,
    host: str | None,
    metrics_port: int | None,
    metrics_host: str,
    traces_endpoint: str | None,
) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is under way; `host` goes before that of the settings.

    Raises SignerSetupError, KeystoreError, StorageError, MonitoringError or TracesError.
    """
    settings, key = folder.load_settings(), folder.load_key()
    counts: Counter[str] = Counter()
    with (
        closing(traces_to(traces_endpoint, "signer")) as traces,
        listening(host or settings.host, settings.port) as listener,
        closing(TicketLog(folder.log)) as tickets,
    ):
        desk = Desk.of(key, settings, tickets, system_clock)

        def checks() -> Checks:
            current_account(folder, settings)
            return {"log": None}

        registry = registry_of(
            READINGS, lambda: read(counts, current_account(folder, settings), desk.limits)
        )
        with monitoring(Monitored(registry, checks, checks), metrics_port, metrics_host):
            _serve(listener, desk, counts, traces)


def _serve(listener: socket.socket, desk: Desk, counts: Counter[str], traces: Traces) -> None:
    server = uvicorn.Server(
        uvicorn.Config(
            make_app(desk, counts, traces),
            log_config=None,
            access_log=False,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=KEEPALIVE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )
    # uvicorn stops on a signal and then raises it again: by default that would end the process at once.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    host, port = listener.getsockname()[:2]
    log.info(
        "signer_started",
        url=f"http://{host}:{port}",
        ticket_signer="0x" + address_of(desk.key).hex(),
        chain_id=desk.domain.chain_id,
        pools=sorted(desk.limits),
    )
    if not desk.limits:
        log.warning(
            "no_pool_served", advice="add a table [pools.ID] to signer.toml and start again"
        )
    server.run(sockets=[listener])
    log.info("signer_stopped")


def listening(host: str, port: int) -> socket.socket:
    """Bind the port before anything else is begun; raises SignerSetupError."""
    try:
        return socket.create_server((host, port), backlog=128)
    except OSError as error:
        raise SignerSetupError(
            f"cannot listen on {host}:{port} ({error.strerror or error}); stop what listens there, or set another host "
            "or port in signer.toml"
        ) from error
