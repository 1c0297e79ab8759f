"""One whole run: start, play, collect, stop, judge. Every way out of it stops what was started."""

from dataclasses import replace
from pathlib import Path

from rich.console import Console

from streamrp2p_demo.anvil import find_anvil
from streamrp2p_demo.checks import CheckResult, run_checks
from streamrp2p_demo.child import tail
from streamrp2p_demo.collect import collect
from streamrp2p_demo.facts import Facts
from streamrp2p_demo.layout import Layout, Ports
from streamrp2p_demo.market import WATCHED_GRID, Grid
from streamrp2p_demo.processes import Supervisor
from streamrp2p_demo.progress import Progress
from streamrp2p_demo.stack import Stack
from streamrp2p_demo.story import Story


def run(
    progress: Progress, folder: Path, epochs: int, *, with_fraud: bool = False
) -> tuple[Facts, list[CheckResult]]:
    """Run the demo in `folder` until `epochs` whole epochs are final; returns what was seen and its judgement.

    With fraud, the poster lies in one of them and a watchman looks out.
    Raises DemoError when the run cannot come to its end, after everything was stopped.
    """
    find_anvil()
    layout = Layout(folder)
    password = layout.make()
    supervisor = Supervisor(layout.logs)
    try:
        with supervisor:
            grid = WATCHED_GRID if with_fraud else Grid()
            stack = Stack(supervisor, layout, Ports.choose(), grid, progress, password)
            facts = collect(_play(stack, epochs, with_fraud=with_fraud))
            progress.tell("stopping every process")
    except BaseException:
        if left := supervisor.left_behind():
            progress.tell(f"still running: {', '.join(left)}", style="bold red")
        raise
    facts = replace(facts, left_behind=tuple(supervisor.left_behind()))
    return facts, run_checks(facts)


def print_tails(console: Console, folder: Path) -> None:
    """Print the end of each process's log: what is needed to see why a run failed."""
    for log in sorted(Layout(folder).logs.glob("*.log")):
        if log.stat().st_size:
            console.rule(log.name)
            console.print(tail(log), markup=False, highlight=False, soft_wrap=True)


def _play(stack: Stack, epochs: int, *, with_fraud: bool) -> Story:
    tell = stack.progress.tell
    stack.make_keys()
    tell("keys made: origin and three relays")
    web3 = stack.start_chain()
    market = stack.open_market(web3)
    tell(f"anvil runs, contracts deployed, pool {market.pool_id} funded")
    # The origin needs no coordinator: both start at the same time.
    stack.start_origin(market.pool_id)
    stack.start_proxy()
    coordinator = stack.start_coordinator(lies=with_fraud)
    tell("coordinator is ready")
    if with_fraud:
        stack.start_watcher()
        tell("a watchman judges every header, with a key of its own to challenge wrong ones")
    for relay in stack.relays:
        stack.start_relay(relay)
    stack.start_encoder(market.pool_id)
    tell("origin publishes what a real encoder pushes over RTMP")
    stack.wait_for_relays(coordinator)
    tell("three relays are registered and healthy")
    story = Story(stack, market, coordinator, epochs, with_fraud)
    story.play()
    return story
