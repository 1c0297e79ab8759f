"""When a stopping node has no viewer left."""

from streamrp2p_node.drain import QUIET_SECONDS, Drain


class Clock:
    """Moves on by a quarter of a second with each look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.25
        return self.now


def idle() -> bool:
    return False


async def test_a_node_that_nobody_watches_need_not_wait() -> None:
    clock = Clock()
    assert await Drain(clock).until_quiet(1000, idle)
    assert clock.now < 3


async def test_a_node_waits_until_it_hears_no_viewer() -> None:
    clock = Clock()
    drain = Drain(clock)
    drain.hear()
    assert await drain.until_quiet(1000, idle)
    assert QUIET_SECONDS <= clock.now < QUIET_SECONDS + 5


async def test_an_answer_that_takes_long_is_waited_for() -> None:
    clock = Clock()
    assert await Drain(clock).until_quiet(1000, lambda: clock.now < 3)
    assert clock.now >= 3
    assert not await Drain(clock).until_quiet(2, lambda: True)


async def test_a_viewer_that_stays_is_waited_for_no_longer_than_told() -> None:
    clock = Clock()
    drain = Drain(clock)
    drain.hear()
    assert not await drain.until_quiet(0, idle)


def test_viewers_are_sent_away_once_it_has_begun() -> None:
    drain = Drain(Clock())
    assert not drain.is_on
    drain.begin()
    assert drain.is_on
