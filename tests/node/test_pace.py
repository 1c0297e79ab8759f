"""A bound on bandwidth, whose turns are given in order."""

from streamrp2p_node.pace import BURST_SECONDS, Pace


class Time:
    """Stands still but for sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.sleeps: list[float] = []

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


async def test_bytes_leave_no_faster_than_told() -> None:
    time = Time()
    pace = Pace(1000, time.monotonic, time.sleep)
    for _ in range(100):
        await pace.turn(100)
    assert 10 - BURST_SECONDS - 0.01 <= time.now - 100 <= 10


async def test_after_a_rest_only_a_short_burst_is_free() -> None:
    time = Time()
    pace = Pace(1000, time.monotonic, time.sleep)
    time.now += 3600
    await pace.turn(round(1000 * BURST_SECONDS))
    assert time.sleeps == []
    await pace.turn(500)
    assert time.sleeps == [0.5]


async def test_turns_that_are_asked_for_at_once_come_one_after_the_other() -> None:
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    pace = Pace(1000, lambda: 0.0, note)
    for _ in range(3):
        await pace.turn(1000)
    assert waits == [1 - BURST_SECONDS, 2 - BURST_SECONDS, 3 - BURST_SECONDS]
