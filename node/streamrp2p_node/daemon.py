"""The running node: one process, one event loop; ends cleanly on SIGTERM and loses nothing on SIGKILL."""

import asyncio
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import httpx
import structlog
import uvicorn
import uvloop
from starlette.applications import Starlette

from streamrp2p import api
from streamrp2p.client import CoordinatorClient
from streamrp2p.durable import StorageError
from streamrp2p.monitoring import monitoring
from streamrp2p.numbers import Hash
from streamrp2p.signatures import address_of
from streamrp2p.traces import Traces, traces_to
from streamrp2p_node.background import Background
from streamrp2p_node.bounded_http import BoundedHttp, Bounds, bounded_http
from streamrp2p_node.certificate import Certificate, certificate_of, tls_of
from streamrp2p_node.coordinator_view import CoordinatorView
from streamrp2p_node.direct_route import DirectRoute
from streamrp2p_node.doors import Doors
from streamrp2p_node.drain import Drain
from streamrp2p_node.folder import Folder
from streamrp2p_node.identity import prove_identity
from streamrp2p_node.listener import listening
from streamrp2p_node.live_stream import LiveStream
from streamrp2p_node.monitored import monitored
from streamrp2p_node.month import Month
from streamrp2p_node.outbox import Outbox
from streamrp2p_node.own_path import OwnPath
from streamrp2p_node.pace import Pace
from streamrp2p_node.payouts import Payouts
from streamrp2p_node.port_mapping import PortMapper
from streamrp2p_node.presence import Presence
from streamrp2p_node.relay import Relay
from streamrp2p_node.rendition import Timing
from streamrp2p_node.routes import make_app
from streamrp2p_node.running import Running
from streamrp2p_node.segment_cache import SegmentCache
from streamrp2p_node.settings import RELAYS, Settings
from streamrp2p_node.status import Reporter
from streamrp2p_node.store import Store
from streamrp2p_node.streams import Streams
from streamrp2p_node.submitter import Submitter
from streamrp2p_node.telling import telling
from streamrp2p_node.upstream import make_client
from streamrp2p_node.upstream_tickets import TicketDesk
from streamrp2p_node.upstreams import Upstreams

COORDINATOR_SECONDS = 5.0
"""For one answer of the coordinator."""
GRACE_SECONDS = 2
"""How long answers under way may take once the node is told to stop."""

_log = structlog.get_logger("node")


def run(settings: Settings, key: bytes) -> None:
    """Run the node until SIGTERM or SIGINT.

    Raises SettingsError and its kinds, StorageError, MalformedError or TracesError.
    """
    settings.check()
    certificate = certificate_of(settings)
    folder = Folder(settings.folder)
    folder.make()
    with (
        # The last to end: a collector that does not answer keeps neither the folder nor the port.
        closing(traces_to(settings.traces_endpoint, "node")) as traces,
        folder.locked(),
        listening(settings.host, settings.port) as listener,
    ):
        uvloop.run(_run(settings, folder, key, listener, certificate, traces))


async def _run(
    settings: Settings,
    folder: Folder,
    key: bytes,
    listener: socket.socket,
    certificate: Certificate | None,
    traces: Traces,
) -> None:
    # Port 0 let the system choose one, which a router must know.
    settings = replace(settings, port=listener.getsockname()[1])
    client = CoordinatorClient(
        settings.coordinator_url, timeout_seconds=COORDINATOR_SECONDS, attempts=1
    )
    view = CoordinatorView(client, folder.coordinator, check=_check_of(settings))
    store = Store(folder.journals, view.takes_receipts_of)
    doors = Doors(
        drain=Drain(time.monotonic),
        month=Month(folder.month, time.time),
        max_month_bytes=settings.max_month_bytes,
        schedule=settings.schedule,
        local_time=lambda: datetime.now(UTC).astimezone(settings.time_zone),
    )
    try:
        async with make_client() as origins:
            with client:
                app, http, background, streams, reporter = _assemble(
                    settings, folder, key, client, view, store, doors, origins, traces=traces
                )
                try:
                    shown = monitored(reporter, asyncio.get_running_loop())
                    payouts = Payouts(client.earnings, address_of(key))
                    with (
                        monitoring(shown, settings.metrics_port, settings.metrics_host),
                        telling(reporter, payouts, settings.notify_urls_file),
                    ):
                        await _serve(app, http, background, listener, folder, certificate)
                finally:
                    await streams.close()
    finally:
        store.close()


def _check_of(settings: Settings) -> Callable[[api.Config], None]:
    rpc_url = settings.rpc_url
    if rpc_url is None:
        return lambda _: None
    # Here and not above: the chain's packages take a second to import, and most nodes do without.
    from streamrp2p_node.chain_check import check_against_chain  # noqa: PLC0415

    return partial(check_against_chain, rpc_url)


def _assemble(
    settings: Settings,
    folder: Folder,
    key: bytes,
    client: CoordinatorClient,
    view: CoordinatorView,
    store: Store,
    doors: Doors,
    origins: httpx.AsyncClient,
    *,
    traces: Traces,
) -> tuple[Starlette, type[BoundedHttp], Background, Streams, Reporter]:
    node = address_of(key)
    cache = SegmentCache(
        folder.cache, max_bytes=settings.cache_bytes, memory_bytes=settings.memory_bytes
    )
    desk = TicketDesk(client, node) if settings.upstream == RELAYS else None
    upstreams = Upstreams(origins, view, desk, time.monotonic, traces)
    streams = Streams(
        lambda source, traffic: LiveStream(
            source,
            upstream=upstreams.of(source, traffic),
            cache=cache,
            timing=Timing(settings.playlist_seconds, time.monotonic),
            prefetches=settings.prefetches,
        )
    )
    relay = Relay(
        node=node,
        store=store,
        view=view,
        streams=streams,
        doors=doors,
        credit_bytes=settings.credit_bytes,
        max_sessions=settings.max_sessions,
    )
    submitter = Submitter(
        client=client,
        view=view,
        book=store.book,
        outbox=Outbox(folder.batches),
        node=node,
        key=key,
        traces=traces,
    )
    submitter.restore()
    presence = Presence(settings, client, view, node, key, _mapper_of(settings))
    reporter = Reporter(
        settings,
        node,
        int(time.time()),
        view,
        store,
        relay,
        streams,
        submitter,
        cache,
        presence,
        doors,
    )
    background = Background(settings, folder, client, view, store, submitter, presence, doors)

    def prove(nonce: Hash) -> api.SignedIdentity:
        relay.require_ready()
        return prove_identity(nonce, key=key, node=node, domain=view.domain, now=int(time.time()))

    path = OwnPath(node, view, streams, key)
    rate = settings.max_bytes_per_second
    app = make_app(
        relay,
        path=path.of,
        status=lambda: reporter.report().dump(),
        prove=prove,
        pace=None if rate is None else Pace(rate, time.monotonic),
        traces=traces,
    )
    bounds = Bounds(
        connections=settings.max_connections,
        connections_per_address=settings.max_connections_per_address,
    )
    # A bandwidth that all share is waited for, which is nothing to do between two requests.
    http = bounded_http(bounds, DirectRoute(relay) if rate is None else None)
    return app, http, background, streams, reporter


def _mapper_of(settings: Settings) -> PortMapper | None:
    if not settings.upnp:
        return None
    # Here and not above: it takes half a second to import, and most nodes do without.
    from streamrp2p_node.upnp_mapper import mapper_for  # noqa: PLC0415

    return mapper_for(settings)


class _Server(uvicorn.Server):
    """The HTTP server, told to stop by the daemon and not by signals of its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def is_answering(self) -> bool:
        return bool(self.server_state.tasks)


async def _serve(
    app: Starlette,
    http: type[BoundedHttp],
    background: Background,
    listener: socket.socket,
    folder: Folder,
    certificate: Certificate | None,
) -> None:
    """Serve until a signal and until viewers have moved, or until the background work cannot go on.

    Then hand in what is due. A second signal waits for no viewer.
    """
    server = _Server(
        uvicorn.Config(
            app,
            http=http,
            ws="none",
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=GRACE_SECONDS,
            ssl_context_factory=tls_of(certificate),
        )
    )
    signalled = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signalled.set)
    work = asyncio.create_task(background.run())
    work.add_done_callback(lambda _: _stop(server))
    announce = partial(_announce, listener, folder, certificate)
    _log.info(
        "node_listening",
        url=announce(),
        node="0x" + background.presence.node.hex(),
        endpoint=background.settings.endpoint,
    )
    leaving = asyncio.create_task(
        _leave(server, background.doors.drain, signalled, background.settings.drain_seconds)
    )
    renewal = asyncio.create_task(certificate.watch(announce)) if certificate else None
    try:
        await server.serve(sockets=[listener])
    finally:
        leaving.cancel()
        if renewal is not None:
            renewal.cancel()
        folder.running.unlink(missing_ok=True)
        failure = await _ended(work)
        await background.presence.close()
    await background.flush()
    await background.save_month()
    _log.info("node_stopped", receipts_left=background.submitter.due_count())
    if failure is not None:
        raise failure


async def _leave(
    server: _Server, drain: Drain, signalled: asyncio.Event, max_seconds: float
) -> None:
    await signalled.wait()
    signalled.clear()
    drain.begin()
    _log.info("node_draining", seconds_at_most=max_seconds)
    quiet = asyncio.create_task(drain.until_quiet(max_seconds, server.is_answering))
    again = asyncio.create_task(signalled.wait())
    try:
        await asyncio.wait([quiet, again], return_when=asyncio.FIRST_COMPLETED)
        _log.info("node_stopping", viewers_left=not (quiet.done() and quiet.result()))
    finally:
        quiet.cancel()
        again.cancel()
        _stop(server)


def _stop(server: uvicorn.Server) -> None:
    server.should_exit = True


async def _ended(work: asyncio.Task[None]) -> BaseException | None:
    """Stop the background work and return what had ended it before, if anything had."""
    if not work.done():
        work.cancel()
        await asyncio.wait([work])
    return None if work.cancelled() else work.exception()


def _announce(listener: socket.socket, folder: Folder, certificate: Certificate | None) -> str:
    """Leave word in the folder of where the node answers on this machine; returns the URL."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    local = "127.0.0.1" if host == "0.0.0.0" else shown  # noqa: S104 - compared, not bound
    url = f"{'https' if certificate else 'http'}://{local}:{port}"
    running = Running(url=url, certificate=certificate.leaf if certificate else None)
    try:
        running.write(folder.running)
    except StorageError as error:
        _log.warning(
            "status_needs_url", reason=str(error), advice="while this node runs: status --url"
        )
    return url
