"""Objects are answered before the routing of all else, and like all else."""

import httpx
import pytest

from streamrp2p.api import SESSION_HEADER
from tests.node.conftest import World
from tests.node.fakes import POOL, make_ticket, opening_of

NAMED = {"X-Request-Id": "one-for-both"}
SITE = {"Origin": "https://player.test"}
SESSION = {SESSION_HEADER: "0x" + make_ticket()[0].session_id.hex()}


async def opened(world: World) -> None:
    ticket, signature = make_ticket()
    answer = await world.http.post("/v1/sessions", json=opening_of(ticket, signature).dump())
    assert answer.status_code == 201


def cross_origin_of(answer: httpx.Response) -> dict[str, str]:
    headers = answer.headers.items()
    return {name: value for name, value in headers if name.startswith("access-control-")}


async def test_object_has_its_type_and_may_be_read_by_other_sites(world: World) -> None:
    await opened(world)
    answer = await world.http.get(f"/v1/streams/{POOL}/source-1.m4s", headers=SESSION | SITE)
    assert (answer.status_code, answer.content) == (200, world.origin.segment(1))
    assert answer.headers["content-type"] == "video/iso.segment"
    assert answer.headers["cache-control"] == "private, no-store"
    playlist = await world.http.get(f"/v1/streams/{POOL}/source.m3u8", headers=SESSION | SITE)
    assert playlist.status_code == 200
    assert cross_origin_of(answer) == cross_origin_of(playlist) != {}


@pytest.mark.parametrize(
    ("pool", "headers", "status", "slug"),
    [
        (POOL, {}, 401, "session-missing"),
        (POOL, {SESSION_HEADER: "0x12"}, 422, "bad-request"),
        (POOL, {SESSION_HEADER: "0x" + "00" * 32}, 401, "session-unknown"),
        ("first", SESSION, 404, "pool-unknown"),
        (POOL + 1, SESSION, 403, "session-for-other-pool"),
    ],
)
async def test_object_is_refused_as_a_playlist_is(
    world: World, pool: object, headers: dict[str, str], status: int, slug: str
) -> None:
    await opened(world)
    answer, playlist = [
        await world.http.get(f"/v1/streams/{pool}/{name}", headers=headers | SITE | NAMED)
        for name in ("source-1.m4s", "source.m3u8")
    ]
    assert answer.status_code == status
    assert answer.json()["type"] == f"urn:streamrp2p:problem:{slug}"
    assert answer.content == playlist.content
    assert answer.headers == playlist.headers


@pytest.mark.parametrize("method", ["HEAD", "POST", "DELETE"])
async def test_other_methods_are_refused_and_cost_nothing(world: World, method: str) -> None:
    await opened(world)
    path = f"/v1/streams/{POOL}/source-1.m4s"
    answer = await world.http.request(method, path, headers=SESSION | SITE)
    assert answer.status_code == 405
    assert cross_origin_of(answer)["access-control-allow-origin"] == "*"
    assert world.relay.bytes_served.total() == 0


async def test_browser_may_ask_for_an_object_with_the_header_of_the_session(world: World) -> None:
    wanted = {
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": f"{SESSION_HEADER}, Range",
    }
    path = f"/v1/streams/{POOL}/source-1.m4s"
    answer = await world.http.request("OPTIONS", path, headers=SITE | wanted)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
