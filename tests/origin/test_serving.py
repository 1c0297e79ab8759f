"""What the origin serves over HTTP, and that it serves nothing else."""

from pathlib import Path

import httpx
import pytest

from streamrp2p.numbers import Address
from streamrp2p.typed_data import Domain
from streamrp2p_origin.identity import Identity
from streamrp2p_origin.ingest import Ingest
from streamrp2p_origin.listeners import Listeners, Ports
from streamrp2p_origin.packager import PackedSegment
from streamrp2p_origin.publisher import Publisher, Stream
from streamrp2p_origin.serving import create_app
from streamrp2p_origin.stream_key import StreamKey

STREAM = Stream(7, Domain(31337, Address(bytes(20))), window_segments=3)


class Origin:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.publisher = Publisher(folder, Identity(bytes([1]) * 32), STREAM, lambda: 1000.0)
        key = StreamKey(folder)
        self.source = Listeners("", Ports("127.0.0.1", 1), key)
        self.source.is_ready = True
        self.ingest = Ingest("", self.source, key, folder, self.publisher, 2.0)
        app = create_app(self.publisher, self.ingest, 7)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://origin"
        )

    def publish(self, data: bytes) -> None:
        path = self.folder / "packed.ts"
        path.write_bytes(data)
        self.publisher.publish(PackedSegment(path, 2_000_000))


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    (tmp_path / "origin.key").write_text("secret")
    return Origin(tmp_path)


async def test_playlist_is_never_cached_and_segments_for_long(origin: Origin) -> None:
    origin.publish(b"one")
    playlist = await origin.client.get("/v1/streams/7/live.m3u8")
    assert origin.publisher.published is not None
    assert playlist.content == origin.publisher.published.playlist
    assert playlist.headers["Cache-Control"] == "no-store"
    assert playlist.headers["Content-Type"].startswith("application/vnd.apple.mpegurl")
    segment = await origin.client.get("/v1/streams/7/00001000.ts")
    assert (segment.content, segment.headers["Content-Type"]) == (b"one", "video/mp2t")
    assert segment.headers["Cache-Control"] == "public, max-age=31536000, immutable"


async def test_browsers_of_any_site_may_read(origin: Origin) -> None:
    origin.publish(b"one")
    response = await origin.client.get(
        "/v1/streams/7/live.m3u8", headers={"Origin": "https://player.example"}
    )
    assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    "name",
    [
        "00001001.ts",
        "origin.key",
        "..%2Forigin.key",
        "%2e%2e%2forigin.key",
        "..%5corigin.key",
        "../../../origin.key",
        "segments/00001000.ts",
        "%2Fetc%2Fpasswd",
        "00001000.ts%00",
        "lock",
        "",
    ],
)
async def test_name_that_no_playlist_lists_is_not_found(origin: Origin, name: str) -> None:
    origin.publish(b"one")
    response = await origin.client.get(f"/v1/streams/7/{name}")
    assert response.status_code == 404
    assert b"secret" not in response.content


async def test_file_that_appears_in_the_folder_is_not_served(origin: Origin) -> None:
    origin.publish(b"one")
    (origin.folder / "segments" / "00001001.ts").write_bytes(b"not published")
    assert (await origin.client.get("/v1/streams/7/00001001.ts")).status_code == 404


async def test_recent_segment_beyond_the_window_is_still_served(origin: Origin) -> None:
    for number in range(4):
        origin.publish(b"%d" % number)
    assert (await origin.client.get("/v1/streams/7/00001000.ts")).content == b"0"


async def test_other_pool_is_not_found(origin: Origin) -> None:
    origin.publish(b"one")
    response = await origin.client.get("/v1/streams/8/live.m3u8")
    assert response.status_code == 404
    assert response.json()["detail"] == "this origin serves pool 7"


async def test_stream_that_has_not_begun_says_so_and_when_to_ask_again(origin: Origin) -> None:
    response = await origin.client.get("/v1/streams/7/live.m3u8")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["type"] == "urn:streamrp2p:problem:not-started"


async def test_only_reading_is_allowed(origin: Origin) -> None:
    assert (await origin.client.post("/v1/streams/7/live.m3u8")).status_code == 405
    assert (await origin.client.delete("/v1/streams/7/00001000.ts")).status_code == 405


async def test_health_tells_of_the_encoder_and_of_trouble(origin: Origin) -> None:
    response = await origin.client.get("/healthz")
    assert response.json() == {
        "status": "ok",
        "encoder": "waiting",
        "nextSequence": 1000,
        "publishedAt": None,
    }
    origin.publisher.fault = "the disk is full; free some space"
    response = await origin.client.get("/healthz")
    assert (response.status_code, response.json()["detail"]) == (503, origin.publisher.fault)


async def test_origin_whose_rtmp_port_is_not_open_yet_is_not_healthy(origin: Origin) -> None:
    origin.source.is_ready = False
    assert (await origin.client.get("/healthz")).status_code == 503
