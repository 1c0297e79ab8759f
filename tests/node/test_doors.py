"""Caps and hours, as viewers meet them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from streamrp2p import typed_data
from streamrp2p.api import SESSION_HEADER
from streamrp2p_node.folder import Folder
from streamrp2p_node.schedule import Schedule
from tests.node.conftest import World, close_world, make_world
from tests.node.fake_origin import FakeOrigin
from tests.node.fakes import POOL, Clock, FakeCoordinator, make_ticket, opening_of


async def make_bounded(
    tmp_path: Path, *, max_month_bytes: int | None = None, schedule: Schedule | None = None,
    local_time: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> World:  # fmt: skip
    clock = Clock()
    world = await make_world(
        Folder(tmp_path / "node"), coordinator=FakeCoordinator(clock), origin=FakeOrigin(), clock=clock,
        max_month_bytes=max_month_bytes, schedule=schedule, local_time=local_time,
    )  # fmt: skip
    await world.view.refresh()
    return world


async def come(world: World, nonce: int) -> tuple[httpx.Response, typed_data.SessionTicket]:
    ticket, signature = make_ticket(nonce=nonce)
    answer = await world.http.post("/v1/sessions", json=opening_of(ticket, signature).dump())
    return answer, ticket


async def ask(world: World, ticket: typed_data.SessionTicket, name: str) -> httpx.Response:
    headers = {SESSION_HEADER: "0x" + ticket.session_id.hex()}
    return await world.http.get(f"/v1/streams/{POOL}/{name}", headers=headers)


async def test_over_the_months_cap_nobody_is_served_any_more(tmp_path: Path) -> None:
    world = await make_bounded(tmp_path, max_month_bytes=1500)
    _, ticket = await come(world, 1)
    assert (await ask(world, ticket, "source-0.m4s")).status_code == 200
    assert (await ask(world, ticket, "source-1.m4s")).status_code == 200
    over = await ask(world, ticket, "source-2.m4s")
    assert (over.status_code, over.json()["title"]) == (503, "over data cap")
    refused, _ = await come(world, 2)
    assert (refused.status_code, refused.json()["title"]) == (503, "over data cap")
    status = (await world.http.get("/v1/status")).json()
    assert status["closedBecause"] == "over-data-cap"
    assert (status["month"]["bytesServed"], status["month"]["maxBytes"]) == (2000, 1500)
    await close_world(world)


async def test_off_schedule_nobody_is_served(tmp_path: Path) -> None:
    now = datetime(2026, 11, 23, 23, 29, tzinfo=UTC)
    world = await make_bounded(
        tmp_path, schedule=Schedule.parse("mon 18:00-23:30"), local_time=lambda: now
    )
    answer, ticket = await come(world, 1)
    assert answer.status_code == 201
    assert (await ask(world, ticket, "source-0.m4s")).status_code == 200
    now += timedelta(minutes=1)
    for answer in (await ask(world, ticket, "live.m3u8"), (await come(world, 2))[0]):
        assert (answer.status_code, answer.json()["title"]) == (503, "off schedule")
        # Next Monday at six.
        assert int(answer.headers["Retry-After"]) == 7 * 86_400 - (5 * 60 + 30) * 60
    assert (await world.http.get("/v1/status")).json()["closedBecause"] == "off-schedule"
    await close_world(world)


async def test_a_cap_binds_those_who_watch_also_while_the_node_drains(tmp_path: Path) -> None:
    world = await make_bounded(tmp_path, max_month_bytes=1000)
    _, ticket = await come(world, 1)
    assert (await ask(world, ticket, "source-0.m4s")).status_code == 200
    world.doors.drain.begin()
    assert (await ask(world, ticket, "source-1.m4s")).json()["title"] == "over data cap"
    assert (await come(world, 2))[0].json()["title"] == "draining"
    await close_world(world)
