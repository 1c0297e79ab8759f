"""What the origin serves over HTTP, and that it serves nothing else."""

import asyncio
from pathlib import Path

import httpx
import pytest

from streamrp2p_origin.ingest import Ingest
from streamrp2p_origin.listeners import Listeners, Ports
from streamrp2p_origin.serving import create_app
from streamrp2p_origin.stream_key import StreamKey
from tests.support.publishing import START, Clock, Origin


class Served(Origin):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder, Clock())
        self.folder = folder
        key = StreamKey(folder)
        self.source = Listeners("", Ports("127.0.0.1", 1), key)
        self.source.is_ready = True
        self.ingest = Ingest("", self.source, key, self.publisher, self.stream)
        app = create_app(self.publisher, self.ingest, 7)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://origin/v1/streams/7"
        )

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=headers)


@pytest.fixture
def origin(tmp_path: Path) -> Served:
    (tmp_path / "origin.key").write_text("secret")
    origin = Served(tmp_path)
    origin.begin()
    return origin


async def test_playlists_are_never_cached_and_objects_for_long(origin: Served) -> None:
    origin.segment(b"one")
    origin.publisher.add_thumbnail(START, b"jpeg")
    for name in ("live.m3u8", "source.m3u8"):
        playlist = await origin.get(f"/{name}")
        assert playlist.status_code == 200
        assert playlist.headers["Cache-Control"] == "no-store"
        assert playlist.headers["Content-Type"].startswith("application/vnd.apple.mpegurl")
    assert (await origin.get("/source.m3u8")).content == origin.text()
    for name, content, media_type in (
        (f"source-{START}.init.mp4", b"initsource", "video/mp4"),
        (f"source-{START}.0.m4s", b"one0", "video/iso.segment"),
        (f"source-{START}.m4s", b"one0one1", "video/iso.segment"),
        (f"thumb-{START}.jpg", b"jpeg", "image/jpeg"),
    ):
        response = await origin.get(f"/{name}")
        assert (response.content, response.headers["Content-Type"]) == (content, media_type)
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response.headers["Accept-Ranges"] == "bytes"


async def test_part_of_an_object_can_be_asked_for(origin: Served) -> None:
    origin.segment(b"abc")
    for _ in ("from memory", "from the disk"):
        response = await origin.get(f"/source-{START}.m4s", Range="bytes=2-4")
        assert (response.status_code, response.content) == (206, b"c0a")
        assert response.headers["Content-Range"] == "bytes 2-4/8"
        assert (await origin.get(f"/source-{START}.m4s", Range="bytes=8-")).status_code == 416
        await origin.publisher.keep()


async def test_browsers_of_any_site_may_read(origin: Served) -> None:
    origin.segment(b"one")
    response = await origin.get("/live.m3u8", Origin="https://player.example")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    asked = await origin.client.options(
        f"/source-{START}.m4s",
        headers={
            "Origin": "https://player.example",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "range",
        },
    )
    assert asked.status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        f"source-{START + 1}.m4s",
        "720p.m3u8",
        "path",
        "origin.key",
        "numbers.json",
        "..%2Forigin.key",
        "%2e%2e%2forigin.key",
        "..%5corigin.key",
        "../../../origin.key",
        f"media/source-{START}.m4s",
        "%2Fetc%2Fpasswd",
        f"source-{START}.m4s%00",
        "lock",
        "",
    ],
)
async def test_name_that_no_playlist_lists_is_not_found(origin: Served, name: str) -> None:
    origin.segment(b"one")
    await origin.publisher.keep()
    response = await origin.get(f"/{name}")
    assert response.status_code == 404
    assert b"secret" not in response.content


async def test_file_that_appears_in_the_folder_is_not_served(origin: Served) -> None:
    (origin.folder / "media" / f"source-{START}.m4s").write_bytes(b"not published")
    assert (await origin.get(f"/source-{START}.m4s")).status_code == 404


async def test_request_for_what_comes_next_is_answered_when_it_is_there(origin: Served) -> None:
    origin.segment(b"one")
    asking = asyncio.create_task(origin.get(f"/source.m3u8?_HLS_msn={START + 1}&_HLS_part=0"))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not asking.done()
    origin.part("source", b"two")
    assert (await asking).content == origin.text()
    past = await origin.get(f"/source.m3u8?_HLS_msn={START}")
    assert past.content == origin.text()


async def test_update_is_given_to_who_asks_for_it(origin: Served) -> None:
    # The window of eight seconds is shorter than what may be skipped.
    origin.segment(b"one")
    response = await origin.get(f"/source.m3u8?_HLS_msn={START}&_HLS_skip=YES")
    assert response.content == origin.text(delta=True)


@pytest.mark.parametrize(
    ("query", "slug"),
    [
        (f"_HLS_msn={START + 3}", "too-far-ahead"),
        (f"_HLS_msn={START + 1}&_HLS_part=9", "too-far-ahead"),
        ("_HLS_msn=x", "bad-directive"),
        ("_HLS_msn=-1", "bad-directive"),
        ("_HLS_msn=" + "9" * 30, "bad-directive"),
        ("_HLS_part=1", "bad-directive"),
        (f"_HLS_msn={START}&_HLS_part=x", "bad-directive"),
    ],
)
async def test_request_that_no_player_in_step_makes_is_refused_at_once(
    origin: Served, query: str, slug: str
) -> None:
    origin.segment(b"one")
    response = await origin.get(f"/source.m3u8?{query}")
    assert response.status_code == 400
    assert response.json()["type"] == f"urn:streamrp2p:problem:{slug}"


async def test_request_that_waits_in_vain_is_told_so_after_three_targets(
    origin: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin.segment(b"one")
    loop, passed = asyncio.get_running_loop(), [0.0]
    began = loop.time()
    monkeypatch.setattr(loop, "time", lambda: began + passed[0])
    asking = asyncio.create_task(origin.get(f"/source.m3u8?_HLS_msn={START + 1}"))
    for seconds, is_over in ((0.0, False), (5.9, False), (6.1, True)):
        passed[0] = seconds
        for _ in range(30):
            await asyncio.sleep(0)
        assert asking.done() == is_over
    response = await asking
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert response.json()["type"] == "urn:streamrp2p:problem:not-there-yet"


async def test_other_pool_is_not_found(origin: Served) -> None:
    origin.segment(b"one")
    response = await origin.client.get("http://origin/v1/streams/8/live.m3u8")
    assert response.status_code == 404
    assert response.json()["detail"] == "this origin serves pool 7"


@pytest.mark.parametrize("name", ["live", "source"])
async def test_stream_that_has_not_begun_says_so_and_when_to_ask_again(
    origin: Served, name: str
) -> None:
    response = await origin.get(f"/{name}.m3u8")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["type"] == "urn:streamrp2p:problem:not-started"


async def test_only_reading_is_allowed(origin: Served) -> None:
    assert (await origin.client.post("/live.m3u8")).status_code == 405
    assert (await origin.client.delete(f"/source-{START}.m4s")).status_code == 405


async def test_health_tells_of_the_encoder_and_of_trouble(origin: Served) -> None:
    response = await origin.client.get("http://origin/healthz")
    assert response.json() == {
        "status": "ok",
        "encoder": "waiting",
        "nextSequence": START,
        "publishedAt": None,
    }
    origin.publisher.visit_fault = "the disk is full; free some space"
    response = await origin.client.get("http://origin/healthz")
    assert (response.status_code, response.json()["detail"]) == (503, origin.publisher.fault)


async def test_origin_whose_rtmp_port_is_not_open_yet_is_not_healthy(origin: Served) -> None:
    origin.source.is_ready = False
    assert (await origin.client.get("http://origin/healthz")).status_code == 503
