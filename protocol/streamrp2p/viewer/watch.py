"""The reference viewer's one call: watch a stream through relays, pay for it, report."""

import time
from collections.abc import Callable

import httpx

from streamrp2p.client import CoordinatorClient
from streamrp2p.signatures import address_of
from streamrp2p.viewer.admission import Admission, new_viewer_key
from streamrp2p.viewer.errors import NothingPlayedError
from streamrp2p.viewer.options import Clock, WatchOptions
from streamrp2p.viewer.player import Player
from streamrp2p.viewer.report import WatchReport
from streamrp2p.viewer.session import CoordinatorTime


def watch(
    options: WatchOptions,
    *,
    clock: Clock = time,
    viewer_key: bytes | None = None,
    transport: httpx.BaseTransport | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> WatchReport:
    """Watch for `options.seconds` or until `should_stop`, and report.

    Raises the coordinator client's errors if it cannot even begin, and NothingPlayedError if not one segment came.
    `transport` replaces the network, towards coordinator, relays and origin.
    """
    key = viewer_key or new_viewer_key()
    report = WatchReport(options.pool_id, address_of(key), clock.monotonic())
    with CoordinatorClient(
        options.coordinator_url,
        timeout_seconds=options.request_seconds,
        transport=transport,
        sleep=clock.sleep,
    ) as coordinator:
        config, pool = coordinator.config(), coordinator.pool(options.pool_id)
        admission = Admission(
            coordinator=coordinator,
            config=config,
            pool=pool,
            viewer_key=key,
            report=report,
            time=CoordinatorTime(config.time, clock.monotonic()),
            request_seconds=options.request_seconds,
            node_transport=transport,
        )
        Player(options, clock, admission, report).play(should_stop)
    if report.segments == 0:
        why = [str(each.reason) for part in report.sources for each in part.departures]
        raise NothingPlayedError(
            f"not one segment of pool {options.pool_id} came in {options.seconds:g} s "
            f"({', '.join(why) or 'no source'}): check that the stream is on, then try again"
        )
    return report
