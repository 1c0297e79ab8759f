"""A real Chromium that watches, and what its player says of itself."""

import subprocess
import time
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.costs.exchanges import Exchanges
from benchmarks.costs.live_stage import LiveStage
from benchmarks.costs.player import JOBS, Moment
from benchmarks.costs.processes import cpu_seconds, first_named
from tests.browser.chromium import CHROMIUM, running_chromium, served_folder
from tests.browser.watching import Watching

ROOT = Path(__file__).parents[2]
WINDOWS, SECONDS = 3, 6.0
CHOICE = "Watch through relays"
SETTLING_SECONDS = 3.0
"""Until the player reads what is new and nothing else."""


def watched(stage: LiveStage) -> list[Moment]:
    """Let a browser watch; return its counters at the beginning and after each window."""
    subprocess.run(["make", "--silent", "web"], cwd=ROOT, check=True, capture_output=True)
    query = urlencode({"coordinator": stage.stack.commands.coordinator_url, "pool": stage.pool_id})
    with running_chromium() as browser, served_folder(ROOT / "web" / "dist") as site:
        watching = Watching.open(browser, f"{site}/embed/embed.html?{query}")
        watching.choose(CHOICE)
        watching.watch(SETTLING_SECONDS)
        moments = [_moment(stage, watching)]
        for _ in range(WINDOWS):
            watching.watch(SECONDS)
            moments.append(_moment(stage, watching))
        stats = watching.stats()
        assert stats["state"] == "playing", stats
        watching.page.context.close()
    return moments


def _moment(stage: LiveStage, watching: Watching) -> Moment:
    stats = watching.stats()
    return Moment(
        time.monotonic(),
        sum(source["bytesDelivered"] for source in stats["sources"] if source["node"]),
        {job: stats["cpu"][key] for job, key in JOBS.items()},
        cpu_seconds(first_named(CHROMIUM.name)),
        sum((proxy.total("/v1/receipts") for proxy in stage.to_relays), Exchanges()),
    )
