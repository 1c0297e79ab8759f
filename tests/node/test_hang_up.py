"""Work for a viewer ends when the viewer hangs up."""

import asyncio

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from streamrp2p_node.hang_up import while_connected


class Connection:
    """A viewer's request, whose body has come; `hang_up` ends it."""

    def __init__(self) -> None:
        self._messages: asyncio.Queue[Message] = asyncio.Queue()
        self._messages.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        self.request = Request({"type": "http"}, self._messages.get)

    def hang_up(self) -> None:
        self._messages.put_nowait({"type": "http.disconnect"})


class Work:
    """Work that ends when `done` is set, and knows whether it was cancelled."""

    def __init__(self, error: Exception | None = None) -> None:
        self.done = asyncio.Event()
        self.was_cancelled = False
        self._error = error

    async def __call__(self) -> str:
        try:
            await self.done.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        if self._error is not None:
            raise self._error
        return "text"


async def test_result_comes_while_the_viewer_stays() -> None:
    work = Work()
    waiting = asyncio.create_task(while_connected(Connection().request, work()))
    await asyncio.sleep(0)
    work.done.set()
    assert await waiting == "text"


async def test_error_comes_as_it_is() -> None:
    work = Work(ValueError("no"))
    work.done.set()
    with pytest.raises(ValueError, match="no"):
        await while_connected(Connection().request, work())


async def test_work_is_cancelled_when_the_viewer_hangs_up() -> None:
    connection, work = Connection(), Work()
    waiting = asyncio.create_task(while_connected(connection.request, work()))
    await asyncio.sleep(0)
    connection.hang_up()
    with pytest.raises(ClientDisconnect):
        await waiting
    await asyncio.sleep(0)
    assert work.was_cancelled


async def test_work_is_cancelled_with_the_request() -> None:
    work = Work()
    waiting = asyncio.create_task(while_connected(Connection().request, work()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await asyncio.sleep(0)
    assert work.was_cancelled
