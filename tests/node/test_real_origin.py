"""A real origin with a real encoder, and two real nodes in a row: what leaves the second is what the origin signed."""

import time
from pathlib import Path

import pytest

from streamrp2p.playlist import MediaPlaylist, matches, verify_media_playlist
from tests.node.fake_origin import FakeOrigin
from tests.node.fakes import (
    DOMAIN,
    NODE_KEY,
    ORIGIN,
    ORIGIN_KEY,
    OTHER_KEY,
    POOL,
    FakeCoordinator,
    make_pool,
)
from tests.node.servers import NodeProcess, coordinator_answers, serving, wait_for
from tests.node.test_relay_row import NODES, Row
from tests.support.origin import encoding, give_origin_key, running_origin

pytestmark = pytest.mark.integration

PARTS = 12
"""Followed live, some seconds of them."""


def read(data: bytes) -> MediaPlaylist:
    return verify_media_playlist(
        data, pool_id=POOL, rendition="source", domain=DOMAIN, origin=ORIGIN
    )


def test_live_stream_comes_through_two_relays_part_by_part(tmp_path: Path) -> None:
    folder = tmp_path / "origin"
    folder.mkdir()
    give_origin_key(folder, ORIGIN_KEY)
    coordinator = FakeCoordinator(time.time, genesis=int(time.time()) - 15, epoch_seconds=600)
    with (
        serving(coordinator_answers(coordinator)) as coordinator_url,
        running_origin(folder, coordinator_url, "--ladder", "source") as origin,
        encoding(origin.rtmp, seconds=300),
    ):
        coordinator.pools = [make_pool(origin.url)]
        nodes = [
            NodeProcess(tmp_path / "n0", coordinator_url, key=NODE_KEY),
            NodeProcess(tmp_path / "n1", coordinator_url, ("--upstream", "relays"), key=OTHER_KEY),
        ]
        row = Row(coordinator, FakeOrigin(), nodes)
        coordinator.offers = [(NODES[0], nodes[0].url)]
        try:
            for node in nodes:
                node.prepare()
                node.start()
            wait_for(lambda: "EXT-X-PART:" in origin.playlist(), origin.log)
            viewer = row.join(1)
            playlist = read(viewer.get("source.m3u8"))
            for _ in range(PARTS):
                sequence, part = playlist.next_sequence, len(playlist.parts)
                name = f"source.m3u8?_HLS_msn={sequence}&_HLS_part={part}&_HLS_skip=YES"
                playlist = read(viewer.get(name))
                assert (playlist.next_sequence, len(playlist.parts)) > (sequence, part)
                newest = (*(playlist.segments[-1].parts), *playlist.parts)[-1].object
                assert matches(newest, viewer.get(newest.name))
            for vouched in read(viewer.get("source.m3u8")).objects():
                assert matches(vouched, viewer.get(vouched.name))
            second = row.pool(1)
            assert (second["origin"]["bytesReceived"], len(second["path"])) == (0, 2)
            # What came as parts did not come as segments again.
            assert second["segmentsJoined"] > 0
        finally:
            for node in reversed(nodes):
                if node.process is not None:
                    node.stop()
