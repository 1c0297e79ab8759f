"""Whether the pool's rate covers what the origin makes."""

from streamrp2p_origin.ladder import parse
from streamrp2p_origin.pool_rate import RateGauge, Shortfall, stated_shortfall


def test_a_stated_rate_beyond_the_pools_is_found_before_an_encoder_comes() -> None:
    ladder = parse("source,720p:2400,480p:1200")
    assert stated_shortfall(ladder, 299_999) == Shortfall("720p", 300_000, 299_999)
    assert stated_shortfall(ladder, 300_000) is None


def test_the_largest_rendition_is_named() -> None:
    assert stated_shortfall(parse("source:8000,720p:2400"), 1) == Shortfall("source", 10**6, 1)


def test_a_source_of_unknown_rate_is_judged_by_what_comes() -> None:
    assert stated_shortfall(parse("source"), 1) is None
    gauge = RateGauge(400_000)
    for _ in range(19):
        gauge.add("source", 250_000, 500_000)
        assert gauge.shortfall() is None
    gauge.add("source", 250_000, 500_000)
    assert gauge.shortfall() == Shortfall("source", 500_000, 400_000)


def test_a_rate_that_covers_the_average_is_enough() -> None:
    gauge = RateGauge(400_000)
    gauge.add("source", 1_000_000, 1_000_000)
    gauge.add("source", 3_000_000, 9_000_000)
    gauge.add("240p", 100_000, 10_000_000)
    assert gauge.shortfall() is None


def test_the_warning_says_which_rate_to_set() -> None:
    shown = Shortfall("source", 400_000, 300_000).shown()
    assert (shown["rendition"], shown["kbit"], shown["pool_kbit"]) == ("source", 3200, 2400)
    # A third more is 533,333.3.
    assert "--max-bytes-per-second 540000)" in str(shown["advice"])
