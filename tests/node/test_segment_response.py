"""A viewer that hangs up is charged what left, and no more."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message

from streamrp2p_node.pace import PIECE_BYTES, Pace
from streamrp2p_node.relay import Served
from streamrp2p_node.segment_response import CHUNK_BYTES, send_object

DATA = bytes(3 * CHUNK_BYTES + 5)


class Connection:
    """An ASGI server's side: hangs up once `hang_up_after` body bytes were sent."""

    def __init__(self, hang_up_after: int | None = None) -> None:
        self.messages: list[Any] = []
        self._hang_up_after = hang_up_after
        self._asked = False

    def hang_up(self) -> None:
        self._hang_up_after = 0

    @property
    def sent(self) -> int:
        return sum(len(message.get("body", b"")) for message in self.messages)

    async def receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        if self._hang_up_after is None or self.sent < self._hang_up_after:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.messages.append(message)


async def respond(connection: Connection) -> list[int]:
    unsent: list[int] = []
    served = Served(DATA, None, unsent.append)
    await send_object(served, "source-1.m4s", connection.receive, connection.send)
    return unsent


async def test_a_viewer_that_stays_gets_everything_and_is_charged_everything() -> None:
    connection = Connection()
    assert await respond(connection) == []
    assert connection.sent == len(DATA)
    assert connection.messages[-1]["more_body"] is False


async def test_a_viewer_that_leaves_is_given_back_what_was_not_sent() -> None:
    connection = Connection(hang_up_after=2 * CHUNK_BYTES)
    assert await respond(connection) == [CHUNK_BYTES + 5]
    assert connection.sent == 2 * CHUNK_BYTES


async def test_a_viewer_that_leaves_while_it_waits_for_its_turn_is_not_charged_for_it() -> None:
    connection = Connection()

    async def leave(_: float) -> None:
        if connection.sent:
            connection.hang_up()

    pace = Pace(PIECE_BYTES, lambda: 0.0, leave)
    unsent: list[int] = []
    served = Served(DATA, None, unsent.append)
    await send_object(served, "source-1.m4s", connection.receive, connection.send, pace)
    assert connection.sent == PIECE_BYTES
    assert unsent == [len(DATA) - PIECE_BYTES]


async def test_a_connection_that_breaks_gives_the_rest_back_too() -> None:
    unsent: list[int] = []
    connection = Connection()

    async def breaking(message: Message) -> None:
        if connection.sent >= CHUNK_BYTES:
            raise OSError("broken pipe")
        await connection.send(message)

    served = Served(DATA, None, unsent.append)
    with pytest.raises(OSError, match="broken pipe"):
        await send_object(served, "source-1.m4s", connection.receive, breaking)
    assert unsent == [2 * CHUNK_BYTES + 5]
