"""The node's loops: they wait for the coordinator, hand in, register again, and end when they must."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest
from structlog.testing import capture_logs

from streamrp2p import api
from streamrp2p.chain.errors import RpcRefusedError
from streamrp2p.verify import Code
from streamrp2p_node.background import MARGIN_SECONDS, Background, Backoff
from streamrp2p_node.coordinator_view import CoordinatorView
from streamrp2p_node.errors import ClockSkewError, WrongDeploymentError
from tests.node.conftest import World
from tests.node.fakes import ENDPOINT, EPOCH_SECONDS, GENESIS, GRACE_SECONDS, NODE
from tests.node.test_submitter import paid_session, sent

PATIENCE_SECONDS = 10


@pytest.fixture
def background(world: World, monkeypatch: pytest.MonkeyPatch) -> Background:
    """Make the loops of the world's node, with short waits."""
    monkeypatch.setattr("streamrp2p_node.background.FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr("streamrp2p_node.background.MAX_WAIT_SECONDS", 0.05)
    return Background(
        world.settings,
        world.folder,
        world.client,
        world.view,
        world.store,
        world.submitter,
        world.presence,
        world.doors,
    )


async def run_until(background: Background, is_so: Callable[[], bool]) -> None:
    work = asyncio.create_task(background.run())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so() and not work.done():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)
    if work.done():
        await work
    work.cancel()
    await asyncio.wait([work])


def failing(times: int, where: str) -> Callable[[str], httpx.Response | None]:
    left = [times]

    def fails(path: str) -> httpx.Response | None:
        if path == where and left[0] > 0:
            left[0] -= 1
            raise httpx.ConnectError("down")
        return None

    return fails


def test_waits_double_up_to_a_bound_and_start_over_after_success() -> None:
    backoff = Backoff()
    assert [backoff.failed() for _ in range(7)] == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]
    backoff.succeeded()
    assert backoff.failed() == 0.5


async def test_a_coordinator_that_is_down_at_the_start_is_waited_for(
    world: World, background: Background
) -> None:
    world.coordinator.fails = failing(3, "/v1/config")
    with capture_logs() as logs:
        await run_until(background, lambda: NODE in world.coordinator.nodes)
    waits = [log for log in logs if log["event"] == "coordinator_not_reached"]
    assert len(waits) == 3
    assert world.coordinator.nodes[NODE].endpoint == ENDPOINT


async def test_the_months_bytes_are_kept_also_while_the_coordinator_is_down(
    world: World, background: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamrp2p_node.background.TIDY_SECONDS", 0.01)
    world.coordinator.fails = failing(1_000_000, "/v1/config")
    world.doors.month.add(700)
    await run_until(background, world.folder.month.exists)
    assert json.loads(world.folder.month.read_text())["bytesServed"] == 700


async def test_receipts_are_handed_in_once_the_coordinator_is_back(
    world: World, background: Background
) -> None:
    await paid_session(world)
    world.coordinator.fails = failing(4, "/v1/batches")
    await run_until(background, lambda: world.submitter.due_count() == 0)
    assert [batch.submission.batch_number for batch in sent(world)] == [1]
    assert world.submitter.last_error is None


async def test_a_node_that_the_coordinator_forgot_registers_again_and_hands_in_again(
    world: World, background: Background
) -> None:
    await paid_session(world)
    world.coordinator.reject = lambda _: Code.NODE_NOT_REGISTERED

    def forget(path: str) -> httpx.Response | None:
        if path == "/v1/batches" and not world.coordinator.batches:
            world.coordinator.nodes.clear()
        elif path == "/v1/nodes":
            registered.append(path)
            if len(registered) == 2:
                world.coordinator.reject = lambda _: None
        return None

    registered: list[str] = []
    world.coordinator.fails = forget
    await run_until(background, lambda: world.submitter.due_count() == 0)
    assert len(registered) == 2
    assert [batch.submission.batch_number for batch in sent(world)] == [1, 2]


async def test_a_wrong_clock_ends_the_loops(world: World, background: Background) -> None:
    world.coordinator.ahead_seconds = 1000
    with pytest.raises(ClockSkewError):
        await run_until(background, lambda: False)


async def test_another_chain_ends_the_loops(world: World, background: Background) -> None:
    world.coordinator.chain_id = 2
    with pytest.raises(WrongDeploymentError):
        await run_until(background, lambda: False)


async def test_the_next_submission_is_sooner_when_intake_closes(
    world: World, background: Background
) -> None:
    await paid_session(world)
    assert background._next_submission() == world.settings.submit_seconds
    world.clock.now = GENESIS + EPOCH_SECONDS + GRACE_SECONDS - MARGIN_SECONDS - 2
    assert background._next_submission() == 2


async def test_a_stopping_node_hands_in_and_gives_up_in_time(
    world: World, background: Background
) -> None:
    await paid_session(world)
    world.coordinator.fails = failing(1, "/v1/batches")
    with capture_logs() as logs:
        await background.flush()
    assert [log["event"] for log in logs] == ["receipts_not_handed_in"]
    await background.flush()
    assert world.submitter.due_count() == 0


async def test_a_running_node_serves_on_when_its_coordinator_turns_to_another_chain(
    world: World, background: Background
) -> None:
    quick = Background(
        replace(world.settings, refresh_seconds=0.01),
        world.folder,
        world.client,
        world.view,
        world.store,
        world.submitter,
        world.presence,
        world.doors,
    )
    with capture_logs() as logs:

        def turned() -> bool:
            if NODE in world.coordinator.nodes:
                world.coordinator.chain_id = 2
            return any(log["event"] == "coordinator_not_believed" for log in logs)

        await run_until(quick, turned)
    assert world.view.config.chain_id == 31337


async def test_a_running_node_goes_on_while_its_own_rpc_refuses_and_believes_what_is_checked_later(
    world: World, background: Background
) -> None:
    checked: list[int] = []

    def check(config: api.Config) -> None:
        if config.genesis == checked_first:
            return
        checked.append(config.genesis)
        if len(checked) < 3:
            raise RpcRefusedError("the RPC refused with HTTP 401")

    checked_first = world.coordinator.genesis
    view = CoordinatorView(
        world.client, world.folder.coordinator, world.clock, check=check, monotonic=world.clock
    )
    quick = replace(background, settings=replace(world.settings, refresh_seconds=0.01), view=view)
    with capture_logs() as logs:

        def is_believed() -> bool:
            if NODE in world.coordinator.nodes:
                world.coordinator.genesis = GENESIS - EPOCH_SECONDS
            return view.config.genesis != checked_first

        await view.refresh()
        await run_until(quick, is_believed)
    told = [log["reason"] for log in logs if log["event"] == "coordinator_not_asked"]
    assert told == ["the RPC refused with HTTP 401"] * 2


async def test_a_node_does_not_begin_while_its_own_rpc_refuses(
    world: World, background: Background
) -> None:
    def check(_: api.Config) -> None:
        raise RpcRefusedError("the RPC refused with HTTP 401")

    view = CoordinatorView(world.client, world.folder.coordinator, world.clock, check=check)
    with pytest.raises(RpcRefusedError):
        await run_until(replace(background, view=view), lambda: False)


async def test_the_operator_is_told_once_when_viewers_are_refused_and_served_again(
    world: World, background: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamrp2p_node.background.TIDY_SECONDS", 0.01)
    month = world.doors.month
    capped = replace(background, doors=replace(world.doors, max_month_bytes=1000))
    month.add(1000)
    with capture_logs() as logs:

        def told() -> list[str]:
            return [each["event"] for each in logs if each["event"].startswith("doors_")]

        def is_refused() -> bool:
            if told() == ["doors_closed"]:
                month.add(-1)
            return told() == ["doors_closed", "doors_opened"]

        await run_until(capped, is_refused)
        assert told() == ["doors_closed", "doors_opened"]
    refusal = next(each for each in logs if each["event"] == "doors_closed")
    assert (refusal["log_level"], refusal["reason"]) == ("warning", "over-data-cap")
