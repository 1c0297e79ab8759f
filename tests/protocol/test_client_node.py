"""The node's client: a viewer's requests, with their session, bounded, and never repeated behind its back."""

import json

import httpx
import pytest

from streamrp2p import api
from streamrp2p.errors import MalformedError
from streamrp2p.node_client import (
    ApiError,
    BadAnswerError,
    NodeClient,
    PaymentRequiredError,
    PlaylistAnswer,
    UnreachableError,
)
from streamrp2p.numbers import Address
from streamrp2p.playlist import Reload
from streamrp2p.typed_data import RelayPath

SESSION = bytes(range(32))


def client(*answers: httpx.Response | Exception) -> tuple[NodeClient, list[httpx.Request]]:
    seen: list[httpx.Request] = []
    queue = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        answer = queue.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return NodeClient("http://127.0.0.1:8200", transport=httpx.MockTransport(handle)), seen


def signed_receipt() -> api.SignedReceipt:
    receipt = api.Receipt(
        session_id=SESSION, sequence=3, bytes_delivered=9, bytes_on_time=7, media_sequence=1, signed_at=5
    )  # fmt: skip
    return api.SignedReceipt(receipt=receipt, signature=bytes(65))


def test_segment_is_asked_for_with_its_session() -> None:
    node, seen = client(httpx.Response(200, content=b"segment"))
    assert node.fetch(7, "segment-000017.ts", SESSION) == b"segment"
    assert seen[0].url.path == "/v1/streams/7/segment-000017.ts"
    assert seen[0].headers["StreamrP2P-Session"] == "0x" + SESSION.hex()


def test_origin_is_asked_without_a_session() -> None:
    node, seen = client(httpx.Response(200, content=b"#EXTM3U\n"))
    assert node.multivariant_playlist(7) == PlaylistAnswer(b"#EXTM3U\n", is_draining=False)
    assert seen[0].url.path == "/v1/streams/7/live.m3u8"
    assert "StreamrP2P-Session" not in seen[0].headers


@pytest.mark.parametrize(
    ("reload", "query"),
    [
        (Reload(), ""),
        (Reload(17), "_HLS_msn=17"),
        (Reload(17, 0), "_HLS_msn=17&_HLS_part=0"),
        (Reload(17, 2, is_delta=True), "_HLS_msn=17&_HLS_part=2&_HLS_skip=YES"),
        (Reload(is_delta=True), "_HLS_skip=YES"),
    ],
)
def test_media_playlist_is_asked_for_with_its_directives(reload: Reload, query: str) -> None:
    node, seen = client(httpx.Response(200, content=b"#EXTM3U\n"))
    assert node.media_playlist(7, "720p", SESSION, reload).data == b"#EXTM3U\n"
    assert (seen[0].url.path, seen[0].url.query.decode()) == ("/v1/streams/7/720p.m3u8", query)
    assert seen[0].headers["StreamrP2P-Session"] == "0x" + SESSION.hex()


@pytest.mark.parametrize("rendition", ["live", "path", "", "a/b", "A", "a" * 17, "720p.m3u8"])
def test_playlist_of_what_is_no_rendition_is_never_asked_for(rendition: str) -> None:
    node, seen = client(httpx.Response(200))
    with pytest.raises(MalformedError, match="names no rendition"):
        node.media_playlist(7, rendition, SESSION)
    assert seen == []


@pytest.mark.parametrize(("value", "is_draining"), [("1", True), ("0", False), ("yes", False)])
def test_node_that_drains_says_so_beside_its_playlist(value: str, is_draining: bool) -> None:
    node, _ = client(httpx.Response(200, headers={"StreamrP2P-Draining": value}))
    assert node.media_playlist(7, "source", SESSION).is_draining is is_draining


def test_path_of_a_node_is_read_from_its_wire_form() -> None:
    path = {"path": ["0x" + "01" * 20], "signedAt": 9, "signature": "0x" + "02" * 65}
    node, seen = client(
        httpx.Response(200, json=path), httpx.Response(200, json={**path, "path": []})
    )
    assert node.path(7).message(7) == RelayPath(7, (Address(bytes([1]) * 20),), 9)
    assert seen[0].url.path == "/v1/streams/7/path"
    with pytest.raises(BadAnswerError, match="no valid RelayPath"):
        node.path(7)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "live.m3u8",
        "path",
        "../secret",
        "a/b",
        "..",
        ".hidden",
        "a\\b",
        "a?x=1",
        "a#b",
        "é.ts",
        "a" * 129,
        "a\n",
    ],
)
def test_name_that_could_leave_the_stream_is_never_sent(name: str) -> None:
    node, seen = client(httpx.Response(200))
    with pytest.raises(MalformedError, match="has no object of the name"):
        node.fetch(7, name, SESSION)
    assert seen == []


def test_unpaid_credit_is_its_own_error() -> None:
    body = {
        "type": "urn:streamrp2p:problem:payment-required",
        "title": "Payment required",
        "status": 402,
        "detail": "hand in a receipt",
    }
    node, _ = client(httpx.Response(402, json=body))
    with pytest.raises(PaymentRequiredError, match="hand in a receipt") as caught:
        node.fetch(7, "segment-000017.ts", SESSION)
    assert caught.value.slug == "payment-required"


def test_other_refusals_stay_api_errors() -> None:
    node, _ = client(httpx.Response(404, content=b"gone"))
    with pytest.raises(ApiError) as caught:
        node.fetch(7, "segment-000017.ts", SESSION)
    assert not isinstance(caught.value, PaymentRequiredError)


def test_segment_beyond_the_signed_length_is_refused() -> None:
    node, _ = client(httpx.Response(200, content=bytes(1001)))
    with pytest.raises(BadAnswerError, match="exceeds 1000 bytes"):
        node.fetch(7, "segment-000017.ts", SESSION, max_bytes=1000)


def test_failure_is_not_repeated_so_that_the_viewer_can_move() -> None:
    node, seen = client(httpx.ConnectError("refused"))
    with pytest.raises(UnreachableError):
        node.multivariant_playlist(7, SESSION)
    assert len(seen) == 1


def test_receipt_is_posted_in_its_wire_form() -> None:
    node, seen = client(httpx.Response(204))
    node.send_receipt(signed_receipt())
    assert seen[0].url.path == "/v1/receipts"
    assert json.loads(seen[0].content)["receipt"]["bytesOnTime"] == 7


def test_opened_session_tells_the_credit() -> None:
    ticket = api.SessionTicket(
        pool_id=1, epoch=2, node=bytes(20), viewer=bytes(20), max_bytes=9, issued_at=1, expires_at=2, nonce=3
    )  # fmt: skip
    answer = {"sessionId": "0x" + SESSION.hex(), "creditBytes": 4_000_000}
    node, seen = client(httpx.Response(200, json=answer))
    opened = node.open_session(api.OpenSession(ticket=ticket, signature=bytes(65)))
    assert (opened.session_id, opened.credit_bytes) == (SESSION, 4_000_000)
    assert json.loads(seen[0].content)["ticket"]["nonce"] == "3"


def test_status_is_the_nodes_own_object() -> None:
    node, _ = client(httpx.Response(200, json={"sessions": 3}), httpx.Response(200, json=[]))
    assert node.status() == {"sessions": 3}
    with pytest.raises(BadAnswerError):
        node.status()


def test_health_is_a_yes_or_no() -> None:
    node, _ = client(httpx.Response(200), httpx.Response(500), httpx.ConnectError("refused"))
    assert [node.is_healthy() for _ in range(3)] == [True, False, False]
