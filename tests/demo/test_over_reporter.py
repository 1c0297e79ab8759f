"""The over-reporting viewer: honest receipts, then one for the ticket's whole credit."""

from hashlib import sha256
from pathlib import Path

import httpx

from streamrp2p import api
from streamrp2p.node_client import NodeClient
from streamrp2p.numbers import Hash
from streamrp2p.playlist import MediaObject, sign_playlist
from streamrp2p.signatures import address_of, check_signer
from streamrp2p.typed_data import SessionTicket
from streamrp2p_demo.adversaries.over_reporter import (
    Watching,
    over_report,
    read_report,
    write_report,
)
from tests.demo.scenario import DOMAIN, GOOD, RELAY_1, VIEWER_KEY

ORIGIN_KEY = bytes([4]) * 32
SEGMENTS = {"7.ts": b"a" * 100, "8.ts": b"b" * 50}
MEDIA = """#EXTM3U
#EXT-X-TARGETDURATION:1
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-STREAMRP2P-RENDITION:source
#EXTINF:1.0,
7.ts
#EXTINF:1.0,
8.ts
"""
MULTIVARIANT = """#EXTM3U
#EXT-X-STREAMRP2P-MULTIVARIANT
#EXT-X-STREAM-INF:BANDWIDTH=1000
source.m3u8
"""


def signed(text: str) -> bytes:
    objects = [
        MediaObject(name, len(data), Hash(sha256(data).digest())) for name, data in SEGMENTS.items()
    ]
    return sign_playlist(
        text, objects, pool_id=1, domain=DOMAIN, published_at=100, origin_key=ORIGIN_KEY
    )


PLAYLISTS = {"live.m3u8": signed(MULTIVARIANT), "source.m3u8": signed(MEDIA)}
TICKET = SessionTicket(1, 0, RELAY_1, address_of(VIEWER_KEY), 1_000_000, 100, 200, 1)


class Relay:
    """Serves two segments and keeps the receipts; `served` may differ from what the origin signed."""

    def __init__(self, served: dict[str, bytes]) -> None:
        self.served = served
        self.receipts: list[api.SignedReceipt] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        if request.method == "POST":
            self.receipts.append(api.SignedReceipt.model_validate_json(request.content))
            return httpx.Response(204)
        assert request.headers["StreamrP2P-Session"] == "0x" + TICKET.session_id.hex()
        return httpx.Response(200, content=(PLAYLISTS | self.served)[name])

    def watching(self) -> Watching:
        client = NodeClient("http://relay", transport=httpx.MockTransport(self.answer))
        return Watching(client, TICKET, VIEWER_KEY, DOMAIN, address_of(ORIGIN_KEY))


def test_each_segment_is_signed_for_once_and_then_the_whole_credit_is_claimed() -> None:
    relay = Relay(SEGMENTS)

    done = over_report(relay.watching(), 0.0, lambda _: None)

    told = [(sent.receipt.sequence, sent.receipt.bytes_delivered) for sent in relay.receipts]
    assert told == [(1, 100), (2, 150), (3, 1_000_000)]
    assert (done.honest_sequence, done.honest_bytes) == (2, 150)
    assert (done.inflated_sequence, done.inflated_bytes) == (3, 1_000_000)
    assert (done.session_id, done.node, done.epoch) == (TICKET.session_id, RELAY_1, 0)


def test_every_receipt_is_signed_by_the_viewer_so_that_only_its_content_is_wrong() -> None:
    relay = Relay(SEGMENTS)

    over_report(relay.watching(), 0.0, lambda _: None)

    for sent in relay.receipts:
        digest = sent.receipt.message().digest(DOMAIN)
        check_signer(digest, sent.signature, TICKET.viewer, "the viewer")


def test_wrong_bytes_are_not_counted_as_honest_ones() -> None:
    relay = Relay({**SEGMENTS, "8.ts": b"c" * 50})

    done = over_report(relay.watching(), 0.0, lambda _: None)

    assert done.honest_bytes == 100


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert GOOD.over_report is not None
    path = tmp_path / "report.json"

    write_report(path, GOOD.over_report)

    assert read_report(path) == GOOD.over_report
    assert read_report(tmp_path / "none.json") is None
