"""Which streams a node keeps: one per pool, the idle ones let go."""

from dataclasses import dataclass, field
from typing import cast

import pytest

from streamrp2p_node import streams as streams_module
from streamrp2p_node.live_stream import LiveStream
from streamrp2p_node.streams import Streams
from streamrp2p_node.upstream import Source, Traffic
from tests.node.fakes import DOMAIN, ORIGIN, OTHER


@dataclass(slots=True)
class IdleStream:
    """Stands for a stream: only what the keeper of streams asks of one."""

    source: Source
    traffic: Traffic
    is_wanted: bool = False
    closed: list[int] = field(default_factory=list)

    async def close(self) -> None:
        self.closed.append(self.source.pool_id)


def source(pool_id: int, url: str = "http://origin.test") -> Source:
    return Source(pool_id, url, ORIGIN, DOMAIN)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[IdleStream]:
    monkeypatch.setattr(streams_module, "MAX_STREAMS", 3)
    return []


def keeper(made: list[IdleStream]) -> Streams:
    def make(source: Source, traffic: Traffic) -> LiveStream:
        made.append(IdleStream(source, traffic))
        return cast("LiveStream", made[-1])

    return Streams(make)


async def test_pool_has_one_stream_until_its_record_names_another_origin(
    made: list[IdleStream],
) -> None:
    streams = keeper(made)
    first = streams.of(source(1))
    assert streams.of(source(1)) is first
    assert streams.of(source(1, "http://moved.test")) is not first
    changed = Source(1, "http://moved.test", OTHER, DOMAIN)
    streams.of(changed)
    await streams.close()
    assert [stream.closed for stream in made] == [[1], [1], [1]]
    # What the pool cost upstream is counted over all of them.
    assert made[0].traffic is made[2].traffic


async def test_streams_that_nobody_watches_make_room_the_oldest_first(
    made: list[IdleStream],
) -> None:
    streams = keeper(made)
    for pool_id in (1, 2, 3):
        streams.of(source(pool_id))
    made[0].is_wanted = True
    streams.of(source(4))
    assert [stream.source.pool_id for stream in streams] == [1, 3, 4]
    for stream in made:
        stream.is_wanted = True
    streams.of(source(5))
    assert [stream.source.pool_id for stream in streams] == [1, 3, 4, 5]
    await streams.close()
    assert [*streams] == []
