"""Ingest servers ask in their own words; only the stream key opens, and nothing malformed is guessed at."""

import contextlib
import json
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p_origin.callback_server import MAX_BODY_BYTES, create_callback_app
from streamrp2p_origin.callbacks import READERS, Callback, Wish, mediamtx, nginx, srs
from streamrp2p_origin.errors import MalformedCallbackError
from streamrp2p_origin.publications import Publications
from streamrp2p_origin.stream_key import StreamKey

KEY = "4f0b5c8e9a7d6e3f2a1b0c9d8e7f6a5b4c3d2e1f"
NEW_KEY = "0123456789abcdef0123456789abcdef01234567"

# As nginx 1.22 with libnginx-mod-rtmp 1.2.2 posts it for OBS.
NGINX = (
    "app=live&flashver=FMLE/3.0%20%28compatible%3B%20FMSc/1.0%29&swfurl=rtmp://127.0.0.1:1935/live"
    "&tcurl=rtmp://127.0.0.1:1935/live&pageurl=&addr=192.0.2.7&clientid=11&call={call}&name={name}&type=live"
)
# From the documentation of SRS 6.
SRS = {
    "server_id": "vid-0xk989d",
    "action": "on_publish",
    "client_id": "341w361a",
    "ip": "192.0.2.7",
    "vhost": "__defaultVhost__",
    "app": "live",
    "tcUrl": "rtmp://127.0.0.1:1935/live?vhost=__defaultVhost__",
    "stream": KEY,
    "param": "",
    "stream_url": "video.test.com/live/livestream",
    "stream_id": "vid-124q9y3",
}
# From the documentation of MediaMTX; the values are those of its RTMP server.
MEDIAMTX = {
    "ip": "192.0.2.7",
    "user": "",
    "password": "",
    "token": "",
    "action": "publish",
    "path": f"live/{KEY}",
    "protocol": "rtmp",
    "id": "5f0c3a54-0d2b-4c1f-9f0b-6a4de2a1c7b3",
    "query": "",
}


def form(call: str = "publish", name: str = KEY) -> bytes:
    return NGINX.format(call=call, name=name).encode()


def changed(document: dict[str, str], **changes: str | int | None) -> bytes:
    return json.dumps({**document, **changes}).encode()


def test_each_dialect_says_the_same() -> None:
    assert nginx(form()) == Callback(Wish.PUBLISH, "live", KEY, "11", "192.0.2.7")
    assert srs(changed(SRS)) == Callback(Wish.PUBLISH, "live", KEY, "341w361a", "192.0.2.7")
    assert mediamtx(changed(MEDIAMTX)) == Callback(
        Wish.PUBLISH, "live", KEY, MEDIAMTX["id"], "192.0.2.7"
    )


@pytest.mark.parametrize(
    ("callback", "wish"),
    [
        (nginx(form("update_publish")), Wish.GO_ON),
        (nginx(form("publish_done")), Wish.LEAVE),
        (nginx(form("play")), Wish.PLAY),
        (nginx(form("update_play")), Wish.PLAY),
        (srs(changed(SRS, action="on_unpublish")), Wish.LEAVE),
        (srs(changed(SRS, action="on_play")), Wish.PLAY),
        (srs(changed(SRS, client_id=1985)), Wish.PUBLISH),
        (mediamtx(changed(MEDIAMTX, action="read")), Wish.PLAY),
    ],
)
def test_wishes(callback: Callback, wish: Wish) -> None:
    assert callback.wish is wish


@pytest.mark.parametrize("server", READERS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"call=publish&call=publish",
        b"&" * 2000,
        b"%",
        b'{"action":"on_publish"}',
        b'{"action":"publish"}',
        b'{"action":1,"ip":2,"path":3}',
        b'{"action":"publish","ip":"::1","path":{"a":1}}',
        b"[" * 5000,
        changed(MEDIAMTX, action="api"),
        changed(SRS, action="on_hls"),
        NGINX.format(call="record_done", name=KEY).encode(),
    ],
)
def test_malformed_requests_are_told_so(server: str, body: bytes) -> None:
    with pytest.raises(MalformedCallbackError):
        READERS[server](body)


@pytest.mark.parametrize("smuggled", ["name", "app", "call", "clientid", "addr"])
def test_publishers_query_string_cannot_replace_what_nginx_says(smuggled: str) -> None:
    with pytest.raises(MalformedCallbackError, match=smuggled):
        nginx(form(name="wrong") + f"&{smuggled}={KEY}".encode())


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for read in READERS.values():
        with contextlib.suppress(MalformedCallbackError):
            read(body)


class Desk:
    """The callback port of an origin that takes the application `live`."""

    def __init__(self, folder: Path) -> None:
        self.key = StreamKey(folder)
        self.set_key(KEY)
        self.publications = Publications("live", self.key)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(create_callback_app(self.publications)),
            base_url="http://origin",
        )

    def set_key(self, key: str) -> None:
        self.key.path.write_text(key)
        self.key.path.chmod(0o600)

    async def ask(self, server: str, body: bytes) -> int:
        response = await self.client.post(f"/{server}", content=body)
        assert response.json()["code"] == (0 if response.is_success else response.status_code)
        return response.status_code


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize(
    ("server", "right", "wrong"),
    [
        ("nginx", form(), form(name="wrong")),
        ("srs", changed(SRS), changed(SRS, stream="wrong")),
        ("mediamtx", changed(MEDIAMTX), changed(MEDIAMTX, path="live/wrong")),
    ],
)
async def test_key_opens_and_nothing_else(
    desk: Desk, server: str, right: bytes, wrong: bytes
) -> None:
    assert await desk.ask(server, wrong) == 403
    assert await desk.ask(server, right) == 200
    assert (await desk.publications.next()).key == KEY


@pytest.mark.parametrize(
    ("server", "body"),
    [
        ("nginx", form(name="")),
        ("nginx", form(name="x" * 7000)),
        ("nginx", form(name=KEY + "%0a")),
        ("nginx", form().replace(b"app=live", b"app=other")),
        ("nginx", form().replace(b"clientid=11", b"clientid=")),
        ("srs", changed(SRS, app="other")),
        ("srs", changed(SRS, stream=KEY.upper())),
        ("mediamtx", changed(MEDIAMTX, path=KEY)),
        ("mediamtx", changed(MEDIAMTX, path=f"other/{KEY}")),
        ("mediamtx", changed(MEDIAMTX, path=f"live/x/{KEY}")),
        ("mediamtx", changed(MEDIAMTX, id=None)),
    ],
)
async def test_other_names_and_applications_are_refused(
    desk: Desk, server: str, body: bytes
) -> None:
    assert await desk.ask(server, body) == 403


async def test_only_loopback_plays(desk: Desk) -> None:
    for ip, status in (
        ("127.0.0.1", 200), ("::1", 200), ("192.0.2.7", 403), ("", 403), ("localhost", 403),
    ):  # fmt: skip
        assert await desk.ask("mediamtx", changed(MEDIAMTX, action="read", ip=ip)) == status
        assert await desk.ask("srs", changed(SRS, action="on_play", ip=ip)) == status


async def test_first_encoder_is_kept_until_it_leaves(desk: Desk) -> None:
    assert await desk.ask("srs", changed(SRS)) == 200
    first = await desk.publications.next()
    first.is_live = True
    assert await desk.ask("srs", changed(SRS, client_id="second")) == 403
    assert await desk.ask("srs", changed(SRS, client_id="second", action="on_unpublish")) == 200
    assert not first.ended.is_set(), "the one that was refused left, not the one that is live"
    assert await desk.ask("srs", changed(SRS, action="on_unpublish")) == 200
    assert first.ended.is_set()
    assert await desk.ask("srs", changed(SRS, client_id="second")) == 200


async def test_encoder_that_gives_no_picture_yields_to_the_next(desk: Desk) -> None:
    assert await desk.ask("srs", changed(SRS)) == 200
    first = await desk.publications.next()
    assert await desk.ask("srs", changed(SRS, client_id="second")) == 200
    assert first.ended.is_set()
    assert (await desk.publications.next()).client == "second"


async def test_after_a_rotation_the_live_encoder_goes_on_and_the_old_key_opens_nothing(
    desk: Desk,
) -> None:
    assert await desk.ask("nginx", form()) == 200
    live = await desk.publications.next()
    live.is_live = True
    desk.set_key(NEW_KEY)
    assert await desk.ask("nginx", form("update_publish")) == 200
    desk.publications.end(live)
    assert await desk.ask("nginx", form("update_publish")) == 403
    assert await desk.ask("nginx", form()) == 403
    assert await desk.ask("nginx", form(name=NEW_KEY)) == 200


async def test_encoder_that_was_there_before_the_origin_is_taken_at_its_next_update(
    desk: Desk,
) -> None:
    assert await desk.ask("nginx", form("update_publish", "wrong")) == 403
    assert await desk.ask("nginx", form("update_publish")) == 200
    assert (await desk.publications.next()).client == "11"


async def test_key_that_cannot_be_read_opens_nothing(desk: Desk) -> None:
    desk.key.path.unlink()
    assert await desk.ask("nginx", form()) == 503
    assert await desk.ask("nginx", form(name="")) == 503


async def test_answers_and_logs_do_not_repeat_the_key(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    for body in (form(), form(name=KEY[:-1]), form().replace(b"app=live", b"app=other")):
        response = await desk.client.post("/nginx", content=body)
        assert KEY[:-1] not in response.text
    output = capsys.readouterr()
    assert "encoder_refused" in output.out + output.err
    assert KEY[:-1] not in output.out + output.err


async def test_large_bodies_other_paths_and_methods_are_refused(desk: Desk) -> None:
    assert await desk.ask("nginx", b"x" * (MAX_BODY_BYTES + 1)) == 413
    for path in ("/other", "/"):
        assert (await desk.client.post(path, content=form())).status_code == 404
    assert (await desk.client.get("/nginx")).status_code == 405
