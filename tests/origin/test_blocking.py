"""How long a blocking reload is held."""

import asyncio

import pytest

from streamrp2p_origin.blocking import held


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
