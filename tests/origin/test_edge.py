"""Blocking reload: what is listed, what is too far ahead, and how long a request is held."""

import asyncio

import pytest

from streamrp2p_origin.blocking import held
from streamrp2p_origin.edge import Edge, Wanted

EDGE = Edge(sequence=50, parts=2, parts_before=4)


@pytest.mark.parametrize(
    ("sequence", "part", "is_listed"),
    [
        (49, None, True),
        (50, None, False),
        (50, 0, True),
        (50, 1, True),
        (50, 2, False),
        (49, 3, True),
        (49, 4, True),  # The first of the next segment, which is there.
        (20, 9, True),
        (51, 0, False),
    ],
)
def test_wanted_is_listed(sequence: int, part: int | None, is_listed: bool) -> None:
    assert Wanted(sequence, part).is_listed(EDGE) == is_listed


def test_part_beyond_the_last_of_a_segment_is_the_first_of_the_next() -> None:
    closed = Edge(sequence=50, parts=0, parts_before=4)
    assert Wanted(49, 3).is_listed(closed)
    assert not Wanted(49, 4).is_listed(closed)


@pytest.mark.parametrize(
    ("sequence", "part", "is_too_far"),
    [(50, 2, False), (51, 0, False), (51, None, False), (52, 0, True), (10**9, None, True),
     (50, 7, False), (50, 8, True), (40, 99, False)],
)  # fmt: skip
def test_wanted_is_too_far_ahead(sequence: int, part: int | None, is_too_far: bool) -> None:
    assert Wanted(sequence, part).is_too_far(EDGE, part_seconds=0.5) == is_too_far


async def test_request_is_held_until_it_is_listed() -> None:
    listed, changed = [False], asyncio.Event()
    holding = asyncio.create_task(held(lambda: listed[0], changed.wait, 60))
    await asyncio.sleep(0)
    assert not holding.done()
    listed[0] = True
    changed.set()
    assert await holding


async def test_request_is_held_no_longer_than_told(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, passed = asyncio.get_running_loop(), [0.0]
    began = loop.time()
    monkeypatch.setattr(loop, "time", lambda: began + passed[0])
    holding = asyncio.create_task(held(lambda: False, asyncio.Event().wait, 6))
    for seconds, is_over in ((0.0, False), (5.9, False), (6.1, True)):
        passed[0] = seconds
        for _ in range(4):
            await asyncio.sleep(0)
        assert holding.done() == is_over
    assert not await holding
