"""What the node believes of its coordinator, and when it refuses to go on."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from streamrp2p import api
from streamrp2p.client import CoordinatorClient, UnreachableError
from streamrp2p.durable import StorageError
from streamrp2p_node.coordinator_view import CoordinatorView
from streamrp2p_node.errors import ClockSkewError, WrongDeploymentError
from tests.node.fakes import DOMAIN, POOL, Clock, FakeCoordinator, make_pool


class Setting:
    """A coordinator and the file that a view of it is kept in."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.monotonic = Clock(0.0)
        self.coordinator = FakeCoordinator(self.clock)
        self.client = CoordinatorClient(
            "http://coordinator.test",
            transport=httpx.MockTransport(self.coordinator),
            attempts=1,
        )
        self.path = folder / "coordinator.json"

    def view(self, check: Callable[[api.Config], None] = lambda _: None) -> CoordinatorView:
        return CoordinatorView(self.client, self.path, self.clock, check, self.monotonic)

    def go_down(self) -> None:
        def down(path: str) -> httpx.Response | None:
            raise httpx.ConnectError("down")

        self.coordinator.fails = down


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path)


async def test_a_new_node_knows_nothing_until_the_coordinator_answers(setting: Setting) -> None:
    assert not setting.view().is_known
    view = setting.view()
    await view.refresh()
    assert view.is_known
    assert view.domain == DOMAIN
    assert set(view.pools) == {POOL}


async def test_a_restarted_node_goes_on_without_its_coordinator(setting: Setting) -> None:
    await setting.view().refresh()
    setting.go_down()
    view = setting.view()
    assert view.is_known
    assert set(view.pools) == {POOL}
    with pytest.raises(UnreachableError, match="is not reachable"):
        await view.refresh()
    assert set(view.pools) == {POOL}


async def test_new_pools_appear_after_a_refresh(setting: Setting) -> None:
    view = setting.view()
    await view.refresh()
    setting.coordinator.pools.append(make_pool().model_copy(update={"pool_id": 8}))
    await view.refresh()
    assert set(view.pools) == {POOL, 8}
    assert set(setting.view().pools) == {POOL, 8}


@pytest.mark.parametrize(("ahead", "words"), [(61, "behind"), (-62, "ahead of"), (3600, "behind")])
async def test_a_clock_that_is_wrong_by_more_than_a_minute_is_refused(
    setting: Setting, ahead: float, words: str
) -> None:
    setting.coordinator.ahead_seconds = ahead
    view = setting.view()
    await view.refresh()
    with pytest.raises(ClockSkewError, match=f"{words} the coordinator's.*timedatectl"):
        view.check_skew()


@pytest.mark.parametrize("ahead", [0, 58, -58])
async def test_a_clock_that_is_wrong_by_less_is_accepted(setting: Setting, ahead: float) -> None:
    setting.coordinator.ahead_seconds = ahead
    view = setting.view()
    await view.refresh()
    view.check_skew()
    assert view.skew_seconds == pytest.approx(-ahead, abs=1)


async def test_another_chain_than_the_journals_are_for_is_refused(setting: Setting) -> None:
    await setting.view().refresh()
    setting.coordinator.chain_id = 1
    with pytest.raises(WrongDeploymentError, match=r"chain 1.*signed for chain 31337"):
        await setting.view().refresh()


async def test_an_unknown_pool_makes_the_node_ask_at_most_once_a_second(setting: Setting) -> None:
    view = setting.view()
    await view.refresh()
    asked = len(setting.coordinator.paths)
    assert not await view.refresh_soon()
    assert len(setting.coordinator.paths) == asked
    setting.clock.now += 2
    assert await view.refresh_soon()
    setting.go_down()
    setting.clock.now += 2
    assert not await view.refresh_soon()


def test_a_damaged_file_says_what_to_do(setting: Setting) -> None:
    setting.path.write_bytes(b'{"config": 1}')
    with pytest.raises(StorageError, match="delete it"):
        setting.view()


async def test_each_new_configuration_is_checked_once_before_it_is_believed(
    setting: Setting,
) -> None:
    checked: list[int] = []

    def check(config: api.Config) -> None:
        if config.epoch_seconds == 61:
            raise WrongDeploymentError("not believed")
        checked.append(config.epoch_seconds)

    view = setting.view(check)
    await view.refresh()
    setting.clock.now += 7
    await view.refresh()
    assert checked == [60]
    setting.coordinator.epoch_seconds = 61
    with pytest.raises(WrongDeploymentError, match="not believed"):
        await view.refresh()
    assert view.config.epoch_seconds == 60


@pytest.mark.parametrize(("ahead", "by"), [(50, 50), (-50, -50), (1, 0)])
async def test_a_clock_that_is_a_little_wrong_is_set_right_by_the_coordinators(
    setting: Setting, ahead: float, by: int
) -> None:
    setting.coordinator.ahead_seconds = ahead
    view = setting.view()
    await view.refresh()
    assert view.now() == pytest.approx(setting.clock.now + by, abs=1)


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
async def test_wall_clock_that_is_set_moves_no_ticket_and_no_epoch(
    setting: Setting, jump: float
) -> None:
    view = setting.view()
    await view.refresh()
    began = view.now()
    true_time = setting.clock.now
    setting.coordinator.clock = lambda: true_time + setting.monotonic.now
    setting.clock.now += jump
    setting.monotonic.now = 5.0
    assert view.now() == began + 5
    # The next answer shows that this machine's clock is wrong, and changes as little.
    await view.refresh()
    assert view.skew_seconds == pytest.approx(jump - 5, abs=1)
    assert view.now() == pytest.approx(began + 5, abs=1)


async def test_coordinator_whose_clock_jumps_is_followed(setting: Setting) -> None:
    view = setting.view()
    await view.refresh()
    began = view.now()
    setting.coordinator.ahead_seconds = 600
    await view.refresh()
    assert view.now() == pytest.approx(began + 600, abs=1)
