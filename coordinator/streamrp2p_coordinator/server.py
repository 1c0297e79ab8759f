"""One process: the scheduler in its threads, the API in front."""

import errno
import signal
import socket
from functools import partial

import structlog
import uvicorn
from starlette.types import ASGIApp

from streamrp2p.monitoring import Monitored, monitoring
from streamrp2p_coordinator.errors import ConfigurationError
from streamrp2p_coordinator.health import health, leadership, readiness
from streamrp2p_coordinator.jobs import make_scheduler, run_epochs, run_observation
from streamrp2p_coordinator.services import Services
from streamrp2p_coordinator.settings import Settings
from streamrp2p_coordinator.web.app import make_app
from streamrp2p_coordinator.web.bounded_http import BoundedHttp

GRACE_SECONDS = 10
"""How long requests under way may take once the process is told to stop."""

log = structlog.get_logger()


def serve(services: Services, settings: Settings, *, with_scheduler: bool = True) -> None:
    """Serve until SIGTERM or SIGINT; then finish what is under way.

    Raises ConfigurationError if the port is taken, MonitoringError if the metrics' port is.
    """
    listener = listen(settings.host, settings.port)
    monitored = Monitored(
        services.metrics.registry,
        partial(health, services),
        partial(readiness, services),
        partial(leadership, services),
    )
    with monitoring(monitored, settings.metrics_port, settings.metrics_host):
        _serve(listener, services, settings, with_scheduler=with_scheduler)


def _serve(
    listener: socket.socket, services: Services, settings: Settings, *, with_scheduler: bool
) -> None:
    host, port = listener.getsockname()[:2]
    server = uvicorn.Server(http_config(make_app(services)))
    # uvicorn stops on a signal and then raises it again: by default that would end the process at once.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    scheduler = make_scheduler(services, settings.tick_seconds)
    try:
        if with_scheduler:
            run_epochs(services)
            run_observation(services)
            scheduler.start()
        log.info(
            "coordinator_started",
            url=f"http://{host}:{port}",
            chain_id=services.network.domain.chain_id,
            poster="0x" + services.poster.address.hex(),
            ticket_signer="0x" + services.ticket_signer.address.hex(),
        )
        server.run(sockets=[listener])
    finally:
        if scheduler.running:
            scheduler.shutdown(wait=True)
        if services.prober is not None:
            services.prober.close()
        services.traces.close()
        if services.notifier is not None:
            services.notifier.close()
        for signer in services.remote_signers.values():
            signer.close()
        services.database.close()
        listener.close()
    log.info("coordinator_stopped")


def http_config(app: ASGIApp) -> uvicorn.Config:
    """Return how the API is served: bounded, without WebSockets, logged by us."""
    return uvicorn.Config(
        app,
        http=BoundedHttp,
        ws="none",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def listen(host: str, port: int) -> socket.socket:
    """Bind the port, before anything else is started. Raises ConfigurationError when that is not possible."""
    try:
        return socket.create_server((host, port), backlog=2048)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigurationError(
                f"port {port} of {host} is in use; stop what listens there, or set another port"
            ) from error
        raise ConfigurationError(
            f"cannot listen on {host}:{port} ({error.strerror}); set another host or port"
        ) from error
