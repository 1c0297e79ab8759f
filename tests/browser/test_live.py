"""The proof in a real browser: live video through relays, one is killed, one corrupts, and what came whole is paid."""

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from streamrp2p.numbers import SessionId
from streamrp2p_demo.stack import Relay
from tests.browser.live_stack import LiveStack
from tests.browser.watching import CHOICE, Watching

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(480)]

WATCH_SECONDS = 120
MOST_LATENCY_SECONDS = 5.0
LONGEST_STOP_SECONDS = 1.0
HONEST_OBJECTS = 60
"""How many objects the corrupting relay passes on as they are: half a minute of parts."""


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Print figures, also of a test that passes: a line of JSON."""

    def print_line(**figures: object) -> None:
        with capsys.disabled():
            sys.stdout.write("\n" + json.dumps(figures, sort_keys=True) + "\n")

    return print_line


def is_paid_up(acknowledged: dict[SessionId, int], served: int, segment: int) -> bool:
    """Tell whether all that was served is acknowledged, to within one segment for each session."""
    return sum(acknowledged.values()) >= served - segment * len(acknowledged)


def relay_of(live: LiveStack, source: dict[str, object]) -> Relay:
    return next(relay for relay in live.relays if "0x" + relay.node.hex() == source["node"])


def test_two_minutes_through_two_relays(
    live: LiveStack, watching: Watching, player_site: str, tell: Callable[..., None]
) -> None:
    relays = live.relays[:2]
    live.run_only(*relays)
    # What tests before this one had served and acknowledged is not at stake here.
    before = {
        relay.name: sum(live.acknowledged_bytes(relay).values()) - live.served_bytes(relay)
        for relay in relays
    }
    # Nobody but the page's own server has heard of this viewer before the choice.
    assert [url for url in watching.asked if not url.startswith(player_site)] == []
    watching.choose(CHOICE)
    watching.take()

    seen = watching.watch(WATCH_SECONDS)

    stats = watching.stats()
    segment = live.longest_segment_bytes()
    watching.close()
    figures = {}
    for relay in relays:
        served = live.served_bytes(relay) + before[relay.name]
        live.wait_until(
            f"the receipts of {relay.name}",
            lambda relay=relay, served=served: (  # type: ignore[misc]
                is_paid_up(live.acknowledged_bytes(relay), served, segment)
            ),
        )
        acked = live.acknowledged_bytes(relay)
        figures[relay.name] = {
            "served": served,
            "acknowledged": sum(acked.values()),
            "sessions": len(acked),
        }
    tell(
        median_latency=round(seen.median_latency, 2),
        highest_latency=round(seen.highest_latency, 2),
        samples=len(seen.latencies),
        longest_stop=round(seen.longest_stop, 2),
        stalls=stats["stalls"],
        stalled_seconds=stats["stalledSeconds"],
        waits=seen.waits,
        tickets=stats["tickets"],
        cpu=stats["cpu"],
        relays=figures,
    )
    assert stats["stalls"] == 0
    assert seen.dry_waits == []
    assert seen.longest_stop <= LONGEST_STOP_SECONDS
    assert len(seen.latencies) > WATCH_SECONDS
    assert seen.highest_latency < MOST_LATENCY_SECONDS
    assert {source["node"] for source in stats["sources"] if source["bytesDelivered"]} <= {
        "0x" + relay.node.hex() for relay in relays
    }
    for name, figure in figures.items():
        assert figure["acknowledged"] <= figure["served"], name
        assert figure["served"] - figure["acknowledged"] <= segment * figure["sessions"], name
    acknowledged = sum(figure["acknowledged"] for figure in figures.values())
    assert acknowledged > 0
    assert watching.problems == []


def test_a_killed_relay_does_not_stop_the_picture(
    live: LiveStack, watching: Watching, tell: Callable[..., None]
) -> None:
    one, two = live.relays[:2]
    live.run_only(one, two)
    watching.choose(CHOICE)
    live.wait_until(
        "two relays at hand",
        lambda: bool(watching.sources("primary") and watching.sources("standby")),
    )
    killed = relay_of(live, watching.sources("primary")[0])
    watching.watch(5)

    live.kill(killed)
    seen = watching.watch(30)

    stats = watching.stats()
    tell(killed=killed.name, longest_stop=round(seen.longest_stop, 2))
    left = next(s for s in stats["sources"] if s["node"] == "0x" + killed.node.hex())
    assert left["role"] == "left"
    assert relay_of(live, watching.sources("primary")[0]) is (two if killed is one else one)
    assert stats["state"] == "playing"
    assert seen.longest_stop <= LONGEST_STOP_SECONDS


def test_corrupt_bytes_are_refused_fetched_elsewhere_and_earn_nothing(
    live: LiveStack, watching: Watching, tell: Callable[..., None]
) -> None:
    honest, liar = live.relays[0], live.relays[-1]
    live.start_proxy(honest_objects=HONEST_OBJECTS)
    live.run_only(liar)
    watching.choose(CHOICE)
    # A ticket of an epoch's last moment is over when it comes to the relay: then the player asks again.
    live.wait_until("a relay at hand", lambda: bool(watching.sources("primary")))
    assert relay_of(live, watching.sources("primary")[0]) is liar
    # So that there is an elsewhere, if this machine is quick enough; else it is the origin.
    live.run_only(honest, liar)
    watching.take()

    def liar_stats() -> dict[str, Any]:
        found: dict[str, Any] = next(
            s for s in watching.stats()["sources"] if s["node"] == "0x" + liar.node.hex()
        )
        return found

    live.wait_until("the lie to be refused", lambda: liar_stats()["bytesRefused"] > 0, 180)
    seen = watching.watch(15)

    stats, refused = watching.stats(), liar_stats()
    segment = live.longest_segment_bytes()
    watching.close()
    proxied = live.proxied()
    corrupt = [served for served in proxied if served.is_corrupt]
    by_session: dict[str, int] = {}
    for served in proxied:
        if not served.is_corrupt:
            by_session[served.session_id] = (
                by_session.get(served.session_id, 0) + served.length_bytes
            )
    total = sum(by_session.values())
    live.wait_until(
        "the liar's honest receipts",
        lambda: is_paid_up(live.acknowledged_bytes(liar), total, segment),
    )
    acked = live.acknowledged_bytes(liar)
    tell(
        longest_stop=round(seen.longest_stop, 2),
        refused=refused["bytesRefused"],
        corrupt=sum(served.length_bytes for served in corrupt),
        honest=total,
        acknowledged=sum(acked.values()),
    )
    assert refused["role"] == "left"
    assert refused["leftBecause"] == "corrupt-object"
    assert stats["state"] == "playing"
    assert seen.longest_stop <= LONGEST_STOP_SECONDS
    assert sum(served.length_bytes for served in corrupt) >= refused["bytesRefused"]
    for session_id, paid in acked.items():
        assert paid <= by_session.get("0x" + session_id.hex(), 0)
