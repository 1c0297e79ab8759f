"""What is computed from measured costs, and how it is kept and shown."""

import json
import os
from dataclasses import replace

import httpx
import pytest

from benchmarks.costs.counting_proxy import counting_proxy
from benchmarks.costs.exchanges import Exchanges
from benchmarks.costs.offload import BIT_RATE, CORES, CORES_MORE, offload_rows, relay_rows
from benchmarks.costs.page import NOTES, page
from benchmarks.costs.player import ALL_JOBS, Moment, paid, player_rows
from benchmarks.costs.processes import cpu_seconds
from benchmarks.costs.receipts import UPWARDS, Paid, receipt_rows
from benchmarks.costs.report import (
    Kind,
    Machine,
    Row,
    Section,
    as_json,
    from_json,
    merged,
    shown,
)
from benchmarks.costs.window import Flow, Got, Window
from scripts.generate import ROOT
from tests.node.servers import serving

MACHINE = Machine("2026-01-02", "a processor", 2, (0.5, 1.5))


def section(title: str, *rows: Row) -> Section:
    return Section(title, "python -m benchmarks.costs part", MACHINE, rows)


def values(rows: object) -> dict[str, float]:
    return {row.name: round(row.value, 9) for row in rows}  # type: ignore[attr-defined]


SECTIONS = [
    section("Origin offload", Row("viewers", 30, "", Kind.GIVEN), Row(BIT_RATE, 4.0, "Mbit/s")),
    section("Relay CPU, live", Row(CORES, 0.1, "cores"), Row(CORES_MORE, 0.003, "cores")),
    section("Receipts", Row(UPWARDS, 0.5, "%", Kind.COMPUTED)),
    section("Player CPU", Row(ALL_JOBS, 1.25, "% of a core")),
    section("Relay CPU, files", Row("node / nginx", 1234.6, "", Kind.COMPUTED)),
    section("Origin CPU"),
]


def test_figures_are_shown_with_three_digits() -> None:
    assert [shown(value) for value in (3_608_211.0, 1234.6, 96.42, 30.0, 0.03064, 0.0)] == [
        "3,610,000", "1,230", "96.4", "30", "0.0306", "0",
    ]  # fmt: skip


def test_what_is_written_is_read_again() -> None:
    assert from_json(as_json(SECTIONS)) == SECTIONS
    assert json.loads(as_json(SECTIONS))[0]["rows"][0] == {
        "name": "viewers", "value": 30, "unit": "", "kind": "given",
    }  # fmt: skip


def test_newer_sections_take_the_places_of_older_ones() -> None:
    newer = section("Receipts", Row(UPWARDS, 0.7, "%"))
    kept = merged(SECTIONS, [newer])
    assert [each.title for each in kept] == [each.title for each in SECTIONS]
    assert kept[2] is newer


def test_the_page_names_command_machine_and_kind_and_computes_the_example() -> None:
    text = page(SECTIONS)
    prose = " ".join(text.split())
    assert "| node / nginx | 1,230 |  | computed |\n" in text
    assert (
        "`python -m benchmarks.costs part`: a processor, 2 cores, 2026-01-02, "
        "load 0.5 before and 1.5 after.\n"
    ) in text
    # 100 viewers of 4 Mbit/s in two hours: 100 · 0.5 MB/s · 7200 s.
    assert "They get 360 GB" in prose
    assert "with them 10.8 GB, at 12 Mbit/s" in prose
    assert "the pool pays 3,600 tokens" in prose
    # 0.1 of a core with 30 viewers, and 0.003 for each of 3.33 more; half a percent of 120 GB.
    assert "busy with 0.11 of a core;" in prose
    assert "batches that go out are 600 MB." in prose
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == [
        "Example", *NOTES,
    ]  # fmt: skip


def test_a_page_lacks_no_section() -> None:
    with pytest.raises(KeyError, match="Player CPU"):
        page([each for each in SECTIONS if each.title != "Player CPU"])


def test_the_committed_page_is_that_of_the_committed_figures() -> None:
    sections = from_json((ROOT / "docs/costs.json").read_text())
    assert (ROOT / "docs/costs.md").read_text() == page(sections)


def window(viewers: int, *flows: Flow) -> Window:
    return Window(10.0, viewers, Got(30_000_000, 1_000_000, 600), flows)


ONE_FLOW = Flow(1_240_000, 30, 30_000_000, 0, 0.9)


def test_offload_is_what_the_origin_did_not_send_of_what_viewers_got() -> None:
    three = tuple(replace(ONE_FLOW, served_bytes=10_000_000, cpu_seconds=0.5) for _ in range(3))
    fed = (ONE_FLOW, replace(ONE_FLOW, origin_bytes=0, origin_requests=0))
    found = values(offload_rows({1: window(30, ONE_FLOW), 3: window(30, *three)}, window(30, *fed)))
    assert found == {
        "viewers": 30,
        BIT_RATE: 0.8,
        "playlists, of the bytes that viewers get": round(100 / 31, 9),
        "1 relay fed by the origin: bytes off the origin": 96.0,
        "1 relay fed by the origin: requests off the origin": 95.0,
        "1 relay fed by the origin: 1 - 1/30": round(100 * 29 / 30, 9),
        "3 relays fed by the origin: bytes off the origin": 88.0,
        "3 relays fed by the origin: requests off the origin": 85.0,
        "3 relays fed by the origin: 1 - 3/30": 90.0,
        "2 relays, 1 fed by the origin: bytes off the origin": 96.0,
        "2 relays, 1 fed by the origin: requests off the origin": 95.0,
        "2 relays, 1 fed by the origin: 1 - 1/30": round(100 * 29 / 30, 9),
    }


def test_a_relay_costs_something_for_the_stream_and_something_for_each_viewer() -> None:
    three = tuple(replace(ONE_FLOW, cpu_seconds=0.5) for _ in range(3))
    cached = window(30, replace(ONE_FLOW, cpu_seconds=0.3))
    assert values(relay_rows({1: window(30, ONE_FLOW), 3: window(30, *three)}, cached)) == {
        "viewers": 30,
        # 0.9 s for 0.24 Gbit.
        "node, live parts, playlists, receipts": 3.75,
        "nginx as a cache, live parts, playlists": 1.25,
        "node / nginx": 3.0,
        CORES: 0.09,
        "a relay with 10 viewers": 0.05,
        CORES_MORE: 0.002,
    }


def test_receipts_are_told_for_each_gb_and_for_other_bit_rates() -> None:
    player = Paid(Exchanges(20, 20_000, 4_000), 5_000_000, 20.0)
    node = Paid(Exchanges(2, 30_000, 3_000), 100_000_000, 10.0)
    assert values(receipt_rows(player, node, journal_bytes=50_000)) == {
        "the player gets": 2.0,
        "its requests that carry a receipt": 1.0,
        "one of them, with its headers": 1000,
        "player to relay": 4_000_000,
        "relay's answers": 800_000,
        "relay to coordinator, in batches": 300_000,
        "coordinator's answers": 30_000,
        UPWARDS: 0.43,
        "the same at 1 Mbit/s": 0.86,
        "the same at 6 Mbit/s": round(0.86 / 6, 9),
        "journal on the relay's disk": 500_000,
        "a session in the bundle": 274,
        # 274 bytes for 0.9 GB.
        "bundle, of sessions of an hour": round(274 / 0.9, 9),
    }


def test_a_player_is_told_by_the_median_window() -> None:
    moments = [
        Moment(0.0, 0, {"hash": 0, "sign": 0, "verify": 0}, 5.0, Exchanges(1, 9, 9)),
        Moment(10.0, 10**6, {"hash": 2, "sign": 10, "verify": 20}, 7.0, Exchanges()),
        Moment(20.0, 2 * 10**6, {"hash": 4, "sign": 20, "verify": 40}, 9.0, Exchanges()),
        # Somebody else kept the machine busy.
        Moment(30.0, 3 * 10**6, {"hash": 90, "sign": 90, "verify": 90}, 20.0, Exchanges(5, 49, 9)),
    ]
    assert values(player_rows(moments)) == {
        "hash, each GB": 2.0,
        "hash, each hour": 0.72,
        "sign, each GB": 10.0,
        "sign, each hour": 3.6,
        "verify, each GB": 20.0,
        "verify, each hour": 7.2,
        ALL_JOBS: 0.32,
        "beside it, the whole browser that plays": 20.0,
    }
    assert paid(moments) == Paid(Exchanges(4, 40, 0), 3 * 10**6, 30.0)


def test_processor_time_of_a_process_goes_up_with_its_work() -> None:
    before = cpu_seconds(os.getpid())
    while cpu_seconds(os.getpid()) == before:
        sum(range(10_000))
    assert 0 < cpu_seconds(os.getpid()) - before < 1


@pytest.mark.integration
def test_the_proxy_counts_whole_requests_and_answers() -> None:
    seen = []

    def respond(method: str, path: str, body: bytes) -> tuple[int, bytes]:
        seen.append((method, path, body))
        return 200, b"x" * 100_000

    with serving(respond) as url, counting_proxy(httpx.URL(url).port or 0) as proxy:
        answer = httpx.post(f"{proxy.url}/v1/receipts?a=b", content=b"receipt")
        httpx.get(f"{proxy.url}/other")
        assert answer.content == b"x" * 100_000
        found = proxy.total("/v1/receipts")
        assert found.count == 1
        head = f"POST /v1/receipts?a=b HTTP/1.1\r\nHost: {answer.request.headers['host']}\r\n"
        assert len(head) + 7 < found.request_bytes < len(head) + 300
        assert 100_000 < found.answer_bytes < 100_500
        assert proxy.total("/other").request_bytes > 0
    assert seen == [("POST", "/v1/receipts?a=b", b"receipt"), ("GET", "/other", b"")]
