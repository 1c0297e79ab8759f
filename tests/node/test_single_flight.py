"""One call for all who ask at once."""

import asyncio

import pytest

from streamrp2p_node.single_flight import SingleFlight


class Maker:
    """Counts its calls; each waits for `gate`."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls = 0
        self.gate = asyncio.Event()
        self._error = error

    async def __call__(self) -> int:
        self.calls += 1
        await self.gate.wait()
        if self._error is not None:
            raise self._error
        return self.calls


async def test_who_asks_while_it_is_made_gets_the_same() -> None:
    flights: SingleFlight[int] = SingleFlight()
    maker = Maker()
    waiting = [asyncio.create_task(flights.do("key", maker)) for _ in range(5)]
    await asyncio.sleep(0)
    maker.gate.set()
    assert await asyncio.gather(*waiting) == [1, 1, 1, 1, 1]
    assert await flights.do("key", maker) == 2


async def test_other_keys_are_made_apart() -> None:
    flights: SingleFlight[int] = SingleFlight()
    maker = Maker()
    maker.gate.set()
    assert list(await asyncio.gather(flights.do("a", maker), flights.do("b", maker))) == [1, 2]


async def test_an_error_reaches_all_who_wait_and_the_next_tries_anew() -> None:
    flights: SingleFlight[int] = SingleFlight()
    failing = Maker(ValueError("no"))
    failing.gate.set()
    results = await asyncio.gather(
        *(flights.do("key", failing) for _ in range(3)), return_exceptions=True
    )
    assert [type(result) for result in results] == [ValueError] * 3
    assert failing.calls == 1
    fine = Maker()
    fine.gate.set()
    assert await flights.do("key", fine) == 1


async def test_who_hangs_up_does_not_stop_it_for_the_others() -> None:
    flights: SingleFlight[int] = SingleFlight()
    maker = Maker()
    leaving = asyncio.create_task(flights.do("key", maker))
    staying = asyncio.create_task(flights.do("key", maker))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    maker.gate.set()
    assert await staying == 1
    assert maker.calls == 1
