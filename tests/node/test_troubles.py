"""What the operator of a node is told of."""

from dataclasses import replace

from streamrp2p_node.presence import Reach
from streamrp2p_node.troubles import troubles
from tests.node.conftest import World
from tests.node.test_metrics import reporter_of


async def test_a_node_that_is_well_tells_nothing(world: World) -> None:
    world.presence.state = Reach.REACHABLE
    assert troubles(reporter_of(world).report(), 0, 5.0) == {}
    # Before the coordinator's first answer the node waits, and says so in its log.
    assert troubles(reporter_of(world).report(), 0, None) == {}


async def test_each_trouble_has_its_name(world: World) -> None:
    world.presence.state = Reach.RELAY_ONLY
    world.cache.has_full_disk = True
    world.doors.month.add(1000)
    reporter = replace(reporter_of(world), doors=replace(world.doors, max_month_bytes=1000))
    world.submitter.last_error = "the coordinator is down"
    found = troubles(reporter.report(), 121, 121.0)
    assert set(found) == {
        "unreachable", "cap reached", "receipts wait", "disk full", "coordinator silent"
    }  # fmt: skip
    assert "the coordinator is down" in found["receipts wait"]


async def test_a_node_that_drains_has_no_trouble(world: World) -> None:
    world.presence.state = Reach.REACHABLE
    world.doors.drain.begin()
    assert troubles(reporter_of(world).report(), 0, 5.0) == {}
