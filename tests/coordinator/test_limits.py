"""What one stranger may take of the API: so many posts, of such a size, in such a time."""

import asyncio

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from streamrp2p_coordinator.outside.rate_limit import RateLimit, asker_key
from streamrp2p_coordinator.web.limits import OVERHEAD_BYTES, BodyLimit
from tests.coordinator.world import World

STRANGER, NEIGHBOUR = "203.0.113.7", "203.0.113.8"


def post_from(world: World, address: str, path: str = "/v1/sessions") -> httpx.Response:
    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(world.app, client=(address, 4000))
        async with httpx.AsyncClient(transport=transport, base_url="http://coordinator") as client:
            return await client.post(path, content=b"{}", headers={"Origin": "https://site.test"})

    return asyncio.run(post())


def test_an_address_that_posts_too_often_waits_and_no_other_does(world: World) -> None:
    now = [0.0]
    world.services.posts = RateLimit(3, 2.0, lambda: now[0])
    assert [post_from(world, STRANGER).status_code for _ in range(4)] == [422, 422, 422, 429]
    refused = post_from(world, STRANGER, "/v1/batches")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "2")
    assert refused.json()["type"] == "urn:streamrp2p:problem:too-often"
    # A player in a browser must be able to read that.
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert post_from(world, NEIGHBOUR).status_code == 422
    now[0] += 2.0
    assert post_from(world, STRANGER).status_code == 422
    assert post_from(world, STRANGER).status_code == 429


def test_reading_and_this_machine_itself_are_not_bounded(world: World) -> None:
    world.services.posts = RateLimit(1, 1000.0)
    assert [post_from(world, "127.0.0.1").status_code for _ in range(3)] == [422] * 3
    assert [post_from(world, "::1").status_code for _ in range(3)] == [422] * 3
    assert post_from(world, STRANGER).status_code == 422
    assert post_from(world, STRANGER).status_code == 429
    assert world.request("GET", "/v1/pools").status_code == 200


@pytest.mark.parametrize(
    ("asker", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("testclient", "unknown"),
        (None, "unknown"),
    ],
)
def test_a_home_with_many_ipv6_addresses_is_one_asker(asker: str | None, counted: str) -> None:
    assert asker_key(asker) == counted


def test_only_batches_may_be_large(world: World) -> None:
    large = b" " * (OVERHEAD_BYTES + 1)
    assert world.request("POST", "/v1/batches", content=large).status_code == 422
    for path in ("/v1/sessions", "/v1/nodes", "/v1/reachability", "/v1/nothing"):
        assert world.request("POST", path, content=large).status_code == 413, path
    unsaid = world.request("POST", "/v1/nodes", content=large, headers={"Content-Length": "0"})
    assert unsaid.status_code == 413


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    read: list[Message] = []

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        while True:
            read.append(await receive())

    async def one_piece_then_silence() -> Message:
        if read:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": b"{", "more_body": True}

    async def send(_: Message) -> None:
        pass

    scope = {"type": "http", "method": "POST", "path": "/v1/nodes", "headers": []}
    limited = BodyLimit(app, batch_bytes=100, body_seconds=0.01)
    with pytest.raises(Exception, match="did not come whole in time") as refused:
        await limited(scope, one_piece_then_silence, send)
    assert getattr(refused.value, "status_code", None) == 408
    assert len(read) == 1


async def test_a_whole_body_may_be_thought_about_for_long() -> None:
    ended = asyncio.Event()
    read: list[Message] = []

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        read.append(await receive())
        await asyncio.sleep(0.05)
        ended.set()
        read.append(await receive())

    async def receive() -> Message:
        if read:
            await ended.wait()
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(_: Message) -> None:
        pass

    scope = {"type": "http", "method": "POST", "path": "/v1/nodes", "headers": []}
    await BodyLimit(app, batch_bytes=100, body_seconds=0.01)(scope, receive, send)
    assert [message["type"] for message in read] == ["http.request", "http.disconnect"]
