"""Probes of a real node with a real stream: what they find, what they look like, and who pays."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from streamrp2p_coordinator.probing.outcome import Outcome
from streamrp2p_coordinator.repositories.probes import StoredProbe
from tests.coordinator.probed import (
    RECORDED,
    SITE,
    WATCH_SECONDS,
    Probed,
    Request,
    kind_of,
    probed,
)
from tests.node.fakes import NODE, POOL
from tests.node.servers import wait_for
from tests.support.ports import find_free_port

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probed]:
    with probed(tmp_path_factory.mktemp("probed")) as running:
        yield running


def sent(stage: Probed, mode: str) -> tuple[StoredProbe, list[Request]]:
    """Send a probe while the node behaves so; what it found, and the requests that the node saw."""
    stage.front.mode = mode
    stage.front.requests.clear()
    found = stage.probe()
    assert found is not None
    return found, list(stage.front.requests)


def test_an_honest_node_is_ok_paid_and_asked_as_by_a_browser(stage: Probed) -> None:
    found, requests = sent(stage, "honest")

    assert (found.outcome, found.node, found.pool_id) == (Outcome.OK, NODE, POOL)
    assert found.bytes_received > 10_000
    assert found.bytes_per_second > 0
    assert "fault" not in found.evidence
    for request in requests:
        kind = kind_of(request)
        assert [name for name, _ in request.headers] == RECORDED["orders"][kind], request
        values = {name: value for name, value in request.headers if name in RECORDED["values"]}
        assert values == {name: RECORDED["values"][name] for name in values}
        headers = dict(request.headers)
        assert headers["Origin"] == SITE
        assert headers.get("StreamrP2P-Session", "") in ("", "0x" + found.session_id.hex())
    posted = [request.path for request in requests if request.method == "POST"]
    assert posted[0] == "/v1/sessions"
    # About one a second, and the last one at the end.
    assert 3 <= posted.count("/v1/receipts") <= WATCH_SECONDS + 3
    # Each request without a permission of its own is preceded by the question for it; receipts ask once.
    asked = [request.path for request in requests if request.method == "OPTIONS"]
    got = [request.path for request in requests if request.method == "GET"]
    assert asked.count("/v1/receipts") == 1
    assert sorted(asked) == sorted([*got, "/v1/sessions", "/v1/receipts"])
    names = [urlsplit(path).path.rpartition("/")[2] for path in got]
    assert names[:3] == ["live.m3u8", "live.m3u8", "source.m3u8"]
    reloads = [path for path in got if "_HLS_msn" in path]
    assert len(reloads) >= WATCH_SECONDS
    for path in reloads:
        assert re.search(r"m3u8\?_HLS_msn=\d+&_HLS_part=\d+&_HLS_skip=YES$", path), path
    objects = [name for name in names if not name.endswith(".m3u8")]
    assert objects[0].endswith(".init.mp4")
    assert all(re.fullmatch(r"source-\d+\.\d+\.m4s", name) for name in objects[1:])
    assert len(set(objects)) == len(objects)
    wait_for(
        lambda: any(
            record.session_id == found.session_id
            and record.receipt.bytes_delivered == found.bytes_received
            for record in stage.nodes_coordinator.accepted_records()
        )
    )


def test_one_wrong_byte_is_found_with_both_digests(stage: Probed) -> None:
    found, _ = sent(stage, "corrupt")

    assert found.outcome is Outcome.CORRUPT
    assert found.bytes_received == 0
    assert found.evidence["fault"] == "corrupt-object"
    assert found.evidence["signedSha256"] != found.evidence["gotSha256"]
    assert int(found.evidence["objectBytes"]) > 0


def test_a_node_that_answers_nothing_is_unserved(stage: Probed) -> None:
    found, requests = sent(stage, "silent")

    assert (found.outcome, found.bytes_received) == (Outcome.UNSERVED, 0)
    assert found.evidence["fault"] == "unreachable"
    assert [request.path for request in requests] == ["/v1/sessions"]


def test_a_node_behind_the_stream_is_slow(stage: Probed) -> None:
    found, _ = sent(stage, "slow")

    assert found.outcome is Outcome.SLOW
    assert found.bytes_received > 0


def test_the_streams_rate_is_measured(stage: Probed) -> None:
    rate = stage.measure()

    assert rate is not None
    assert 10_000 < rate < 1_000_000


def test_a_prober_without_a_network_blames_nobody(stage: Probed) -> None:
    stage.front.mode = "honest"
    with stage.database.read() as store:
        before = store.probes.newest(100)

    # Its only way leads nowhere, to the origin neither: no ticket is even issued.
    assert stage.probe((f"http://127.0.0.1:{find_free_port()}",)) is None

    with stage.database.read() as store:
        assert store.probes.newest(100) == before


def test_an_origin_that_is_gone_blames_nobody(stage: Probed, tmp_path: Path) -> None:
    stage.front.mode = "silent"
    stage.origin.process.terminate()
    stage.origin.process.wait()

    assert stage.probe() is None
