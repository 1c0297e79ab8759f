"""One live stream on a whole running system: origin offload, a relay's processor, receipts, a player."""

import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.costs.audience import Audience, audience
from benchmarks.costs.browser import watched
from benchmarks.costs.live_stage import LiveStage, live_stage
from benchmarks.costs.nginx_cache import nginx_cache
from benchmarks.costs.offload import offload_rows, relay_rows
from benchmarks.costs.player import paid, player_rows
from benchmarks.costs.processes import cpu_seconds
from benchmarks.costs.receipts import Paid, receipt_rows
from benchmarks.costs.report import Row
from benchmarks.costs.window import Flow, Window
from streamrp2p_demo.stack import Relay

VIEWERS = 30
SECONDS = 6.0
SETTLING_SECONDS = 2.0
"""Until viewers who have just joined read what is new and nothing else."""
MOST_ROUND_SECONDS = 60.0
REST_SECONDS = 3.0
"""A batch that comes so long after the one before begins a round: relays hand receipts in every ten seconds."""
POLL_SECONDS = 0.05


def measure(folder: Path) -> dict[str, list[Row]]:
    """Return the rows of each section."""
    with live_stage(folder) as stage:
        stage.start(stage.relays, "origin")
        with audience(stage.coordinator, stage.pool_id) as viewers:
            one_round = _one_round(stage, viewers)
            windows = {1: one_round[0]}
            for count in range(2, len(stage.relays) + 1):
                windows[count] = _abreast(stage, viewers, count)
            cached = _through_nginx(stage, viewers)
            # Before relays are viewers too: their receipts would be counted as the player's.
            moments = watched(stage)
            in_row = _in_row(stage, viewers)
    window, batches = one_round
    journal_bytes = sum(flow.journal_bytes for flow in window.flows)
    return {
        "Origin offload": list(offload_rows(windows, in_row)),
        "Relay CPU, live": list(relay_rows(windows, cached)),
        "Receipts": list(receipt_rows(paid(moments), batches, journal_bytes)),
        "Player CPU": list(player_rows(moments)),
    }


def _one_round(stage: LiveStage, viewers: Audience) -> tuple[Window, Paid]:
    """Observe one relay from one round of its batches to the next."""
    relays = stage.relays[:1]
    _spread(stage, viewers, relays)
    _wait_for_round(stage)
    before = stage.to_coordinator.total("/v1/batches")
    window = _observed(stage, viewers, relays, lambda: _wait_for_round(stage))
    exchanges = stage.to_coordinator.total("/v1/batches") - before
    viewers.leave()
    return window, Paid(exchanges, window.got.object_bytes, window.seconds)


def _abreast(stage: LiveStage, viewers: Audience, count: int) -> Window:
    relays = stage.relays[:count]
    _spread(stage, viewers, relays)
    window = _observed(stage, viewers, relays, lambda: time.sleep(SECONDS))
    viewers.leave()
    return window


def _through_nginx(stage: LiveStage, viewers: Audience) -> Window:
    """Let all read the same stream through nginx."""
    with nginx_cache(stage.stack.ports.origin) as cache:
        before = viewers.got.requests
        viewers.join_for_free(cache.url, VIEWERS)
        stage.stack.wait_for("viewers", lambda: viewers.got.requests > before + VIEWERS or None)
        time.sleep(SETTLING_SECONDS)
        began_at, got, spent = time.monotonic(), viewers.got.copy(), cpu_seconds(cache.pid)
        time.sleep(SECONDS)
        seconds, got = time.monotonic() - began_at, viewers.got - got
        spent = cpu_seconds(cache.pid) - spent
        viewers.leave()
    return Window(seconds, VIEWERS, got, (Flow(0, 0, got.object_bytes, 0, spent),))


def _in_row(stage: LiveStage, viewers: Audience) -> Window:
    """Let all relays but the first be fed by relays."""
    stage.start(stage.relays[1:], "relays")
    _spread(stage, viewers, stage.relays)
    fed = [relay.endpoint for relay in stage.relays]
    stage.stack.wait_for(
        "relays that feed relays",
        lambda: all(stage.status(each)["upstream"] in fed for each in stage.relays[1:]) or None,
    )
    window = _observed(stage, viewers, stage.relays, lambda: time.sleep(SECONDS))
    viewers.leave()
    return window


def _spread(stage: LiveStage, viewers: Audience, relays: list[Relay]) -> None:
    """Let all viewers begin, as many at each relay; return when they read at the live edge."""
    for relay in relays:
        others = [each for each in stage.relays if each is not relay]
        viewers.join(relay, others, VIEWERS // len(relays))
    stage.stack.wait_for(
        "viewers at every relay",
        lambda: all(stage.status(each).get("bytesServed", 0) for each in relays) or None,
    )
    time.sleep(SETTLING_SECONDS)


def _observed(
    stage: LiveStage, viewers: Audience, relays: list[Relay], wait: Callable[[], None]
) -> Window:
    """Return what happens during `wait`."""
    began_at, got = time.monotonic(), viewers.got.copy()
    before = [stage.flow(relay) for relay in relays]
    wait()
    seconds, got = time.monotonic() - began_at, viewers.got - got
    after = [stage.flow(relay) for relay in relays]
    viewers.check()
    flows = tuple(end - begin for begin, end in zip(before, after, strict=True))
    return Window(seconds, VIEWERS, got, flows)


def _wait_for_round(stage: LiveStage) -> None:
    """Wait until relays begin to hand in what is due: they send batches until nothing is, then rest."""
    deadline = time.monotonic() + MOST_ROUND_SECONDS
    count, came_at = stage.to_coordinator.total("/v1/batches").count, time.monotonic()
    while True:
        now, seen = time.monotonic(), stage.to_coordinator.total("/v1/batches").count
        if seen > count:
            if now - came_at > REST_SECONDS:
                return
            count, came_at = seen, now
        assert now < deadline, "no relay hands its receipts in"
        time.sleep(POLL_SECONDS)
