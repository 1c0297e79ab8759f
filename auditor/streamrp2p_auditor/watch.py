"""The use case: watch a chain until told to stop, or once."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from types import FrameType

import structlog

from streamrp2p.bundle_store import BundleStore
from streamrp2p.chain import Chain
from streamrp2p.cli_options import DEFAULT_METRICS_HOST
from streamrp2p.durable import StorageError
from streamrp2p.errors import StreamrP2PError
from streamrp2p.monitoring import monitoring
from streamrp2p.traces import Traces, traces_to
from streamrp2p_auditor.alerts import FIRST_WAIT_SECONDS, Bell
from streamrp2p_auditor.followed_book import FollowedBook
from streamrp2p_auditor.metrics import WatchMetrics
from streamrp2p_auditor.prosecutor import Prosecution
from streamrp2p_auditor.run import Sources
from streamrp2p_auditor.state import Case, State
from streamrp2p_auditor.steps import Limits
from streamrp2p_auditor.wallet import Wallet
from streamrp2p_auditor.watchman import Watchman
from streamrp2p_auditor.webhook import Webhook

DELIVERIES = 3
"""With `once`, so often an alert is handed over before it is left to the next run."""
MINED_SECONDS = 300.0
"""With `once`, so long a transaction may take; the next run looks after one that is slower."""
MINED_POLL_SECONDS = 1.0

log = structlog.get_logger("audit")


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """What the operator asked for. Without a key nothing is sent to the chain."""

    state: Path
    first: int | None = None
    once: bool = False
    poll_seconds: float = 12.0
    webhook_url: str | None = None
    key: bytes | None = None
    max_demand_wei: int | None = None
    withdraw: bool = False
    metrics_port: int | None = None
    metrics_host: str = DEFAULT_METRICS_HOST
    traces_endpoint: str | None = None


def watch(sources: Sources, options: WatchOptions) -> list[Case]:
    """Watch until SIGINT or SIGTERM, or judge all that is pending once; every case that was looked at, rising by epoch.

    Raises what is wrong with the options, files and RPC at the start; later failures of RPC and mirrors are waited out.
    """
    state = State(options.state)
    with ExitStack() as stack:
        # The last to end: a collector that does not answer keeps nobody from the folder.
        traces = traces_to(options.traces_endpoint, "auditor")
        stack.callback(traces.close)
        webhook = None
        if options.webhook_url is not None:
            webhook = stack.enter_context(Webhook(options.webhook_url))
        opened = sources.prepare(FollowedBook)
        stack.enter_context(state.locked(opened.domain))
        bell = Bell(state, webhook, monotonic=time.monotonic)
        prosecution = _prosecution(sources, options, state, bell, opened.bundles, traces)

        def connect() -> Chain:
            chain = opened.connect()
            log.info("watching", epoch_book="0x" + chain.book.address.hex())
            if prosecution is not None:
                prosecution.greet(chain)
            return chain

        watchman = Watchman(
            state=state,
            bell=bell,
            bundles=opened.bundles,
            batches=sources.batches,
            first=options.first,
            is_patient=not options.once,
            prosecutor=prosecution,
            monotonic=time.monotonic,
            traces=traces,
        )
        watchman.load()
        if options.once:
            _once(watchman, connect, bell)
        else:
            metrics = WatchMetrics(watchman, options.poll_seconds)
            with monitoring(metrics.monitored, options.metrics_port, options.metrics_host):
                _until_stopped(watchman, connect, options.poll_seconds, metrics)
        seen = [watchman.cases[key] for key in watchman.seen]
        return sorted(seen, key=lambda case: (case.epoch, case.committed_at or 0))


def _once(watchman: Watchman, connect: Callable[[], Chain], bell: Bell) -> None:
    chain = connect()
    deadline = time.monotonic() + MINED_SECONDS
    was_busy = False
    # After a transaction ended, one round more sees what it brought about.
    while watchman.round(chain) or was_busy or watchman.is_busy:
        was_busy = watchman.is_busy
        if was_busy and time.monotonic() >= deadline:
            log.warning("transaction_slow", advice="run this again: it is looked after")
            break
        if was_busy:
            time.sleep(MINED_POLL_SECONDS)
    for attempt in range(DELIVERIES):
        if bell.is_silent:
            return
        if attempt:
            time.sleep(FIRST_WAIT_SECONDS * 2 ** (attempt - 1))
        bell.deliver()


def _until_stopped(
    watchman: Watchman, connect: Callable[[], Chain], poll_seconds: float, metrics: WatchMetrics
) -> None:
    chain: Chain | None = None
    was_connected = False
    told: str | None = None
    with _stopped_by_signals() as is_stopped:
        while not is_stopped():
            has_backlog = False
            try:
                if chain is None:
                    chain = connect()
                has_backlog = watchman.round(chain)
                was_connected = True
                if told is not None:
                    log.info("recovered")
                told = None
                metrics.ended("done")
            except StreamrP2PError as error:
                if not was_connected and not error.retryable:
                    raise
                if told != str(error):
                    log.warning("round_failed", reason=str(error), advice="it is tried again")
                told = str(error)
                metrics.ended("failed", told)
            except Exception:
                # A bug must not end the watch.
                log.exception("round_crashed")
                metrics.ended("crashed", "the last round crashed; the log says how")
            try:
                watchman.bell.deliver()
            except StorageError as error:
                log.warning("alerts_not_delivered", reason=str(error), advice="it is tried again")
            if not has_backlog:
                time.sleep(poll_seconds)


class _StoppedError(BaseException):
    """A signal. It passes by all who handle failures; what it interrupts survives even `kill -9`."""


@contextmanager
def _stopped_by_signals() -> Iterator[Callable[[], bool]]:
    # An exception is lost where Python is called back: by a destructor, or by C. So it is noted as well.
    stopped = Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()
        raise _StoppedError

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, stop) for number in numbers]
    try:
        yield stopped.is_set
    except _StoppedError:
        pass
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
    log.info("stopped")


def _prosecution(
    sources: Sources,
    options: WatchOptions,
    state: State,
    bell: Bell,
    bundles: BundleStore,
    traces: Traces,
) -> Prosecution | None:
    if options.key is None:
        return None
    wallet = Wallet(options.key, state, time.time)
    return Prosecution(
        wallet=wallet,
        state=state,
        bell=bell,
        bundles=bundles,
        batches=sources.batches,
        limits=Limits(wallet.address, options.max_demand_wei),
        withdraw=options.withdraw,
        monotonic=time.monotonic,
        traces=traces,
    )
