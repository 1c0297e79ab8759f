"""What an operator is shown of a node."""

import asyncio

from prometheus_client.samples import Sample

from streamrp2p_node.metrics import NodeMetrics
from streamrp2p_node.monitored import monitored, readiness
from streamrp2p_node.presence import Reach
from streamrp2p_node.status import Reporter
from tests.node.conftest import World
from tests.node.fakes import NODE, POOL
from tests.node.test_relay import get, open_session, pay

P = "streamrp2p_node_"


def reporter_of(world: World) -> Reporter:
    return Reporter(
        world.settings,
        NODE,
        0,
        world.view,
        world.store,
        world.relay,
        world.streams,
        world.submitter,
        world.cache,
        world.presence,
        world.doors,
    )


async def shown(world: World) -> list[Sample]:
    """Read the registry as the operator's port does, in a thread that is not the event loop's."""
    loop = asyncio.get_running_loop()
    registry = monitored(reporter_of(world), loop).registry
    families = await asyncio.to_thread(lambda: list(registry.collect()))
    return [sample for family in families for sample in family.samples]


async def value(world: World, name: str, **labels: str) -> float | None:
    found = [one for one in await shown(world) if (one.name, one.labels) == (P + name, labels)]
    assert len(found) <= 1
    return found[0].value if found else None


async def test_traffic_and_refusals_are_counted_by_pool_and_reason(world: World) -> None:
    ticket = await open_session(world)
    while (await get(world, "source-0.m4s", ticket)).status_code == 200:
        pass
    served = world.relay.bytes_served[POOL]
    assert served > 0
    pool = str(POOL)
    assert await value(world, "sent_bytes_total", pool=pool) == served
    assert await value(world, "unpaid_bytes", pool=pool) == served
    assert await value(world, "sessions_open", pool=pool) == 1
    assert await value(world, "refusals_total", reason="payment-required") == 1
    fetched = await value(world, "fetched_bytes_total", pool=pool, upstream="origin")
    assert fetched is not None
    assert fetched > 0


async def test_bytes_that_did_not_leave_never_lower_a_counter(world: World) -> None:
    ticket = await open_session(world)
    served = await world.relay.object(ticket.session_id, POOL, "source-0.m4s")
    before = await value(world, "sent_bytes_total", pool=str(POOL))
    served.give_back(10)
    assert await value(world, "sent_bytes_total", pool=str(POOL)) == before
    assert await value(world, "unsent_bytes_total", pool=str(POOL)) == 10


async def test_batches_and_the_age_of_the_backlog_are_shown(world: World) -> None:
    ticket = await open_session(world)
    await get(world, "source-0.m4s", ticket)
    assert (await pay(world, ticket, 1, 10)).status_code == 204
    world.clock.now += 40
    assert await value(world, "receipts_due") == 1
    assert await value(world, "backlog_seconds") == 40
    await world.submitter.submit_due()
    assert await value(world, "receipts_due") == 0
    assert await value(world, "backlog_seconds") == 0
    assert await value(world, "batches_total", outcome="sent") == 1
    assert await value(world, "batches_total", outcome="acknowledged") == 1
    assert await value(world, "records_total", code="accepted") == 1


async def test_no_label_names_anybody(world: World) -> None:
    ticket = await open_session(world)
    await get(world, "source-0.m4s", ticket)
    labels = {name: text for one in await shown(world) for name, text in one.labels.items()}
    assert labels.keys() <= {
        "pool", "upstream", "reason", "outcome", "code", "tier", "state"
    }  # fmt: skip
    assert not [text for text in labels.values() if "0x" in text]


async def test_a_node_is_ready_when_viewers_may_come(world: World) -> None:
    reporter = reporter_of(world)
    assert readiness(reporter)["reachability"] is not None
    world.presence.state = Reach.REACHABLE
    assert not any(readiness(reporter).values())
    world.doors.drain.begin()
    assert readiness(reporter)["doors"] == "closed: draining"
    world.clock.now += 61
    assert readiness(reporter)["coordinator"] == "it last answered 61 s ago"
    await world.view.refresh()
    assert readiness(reporter)["coordinator"] is None


async def test_an_event_loop_that_hangs_is_unhealthy(world: World) -> None:
    idle = asyncio.new_event_loop()
    try:
        hung = monitored(reporter_of(world), idle, seconds=0.01)
        trouble = (await asyncio.to_thread(hung.health))["event loop"]
        assert trouble is not None
        assert "restart" in trouble
    finally:
        # What was asked of it is done, so that nothing is left unawaited.
        await asyncio.to_thread(idle.run_until_complete, asyncio.sleep(0))
        idle.close()
    alive = monitored(reporter_of(world), asyncio.get_running_loop())
    assert await asyncio.to_thread(alive.health) == {"event loop": None}


async def test_a_month_without_a_bound_has_no_limit(world: World) -> None:
    values = NodeMetrics(reporter_of(world)).read()
    assert P + "month_limit_bytes" not in values
    assert values[P + "month_bytes"] == 0
