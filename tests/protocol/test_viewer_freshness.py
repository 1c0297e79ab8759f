"""Stale playlists are told by comparison, whatever the clocks say."""

from streamrp2p.playlist import MediaPlaylist, ServerControl
from streamrp2p.viewer.freshness import Freshness

A, B = b"A" * 20, b"B" * 20


def playlist(published_at: int) -> MediaPlaylist:
    return MediaPlaylist(
        pool_id=7,
        rendition="source",
        media_sequence=100,
        discontinuity_sequence=0,
        published_at=published_at,
        target_seconds=2,
        part_target_micros=None,
        server_control=ServerControl(),
        skipped_segments=0,
        segments=(),
        parts=(),
        map=None,
        is_ended=False,
    )


def test_playlist_that_keeps_up_is_fresh_however_wrong_the_origins_clock_is() -> None:
    for skew in (-(10**6), 0, 10**6):
        freshness = Freshness(8)
        faults = [freshness.fault(A, playlist(10**9 + skew + at), float(at)) for at in range(30)]
        assert set(faults) == {None}


def test_playlist_that_stands_still_becomes_stale() -> None:
    freshness = Freshness(8)
    assert freshness.fault(A, playlist(1000), 0.0) is None
    assert freshness.fault(A, playlist(1000), 8.0) is None
    assert freshness.fault(A, playlist(1000), 8.5) == (
        "the playlist is 8.5 s behind, at most 8 s are accepted"
    )


def test_relay_that_lags_behind_another_one_is_stale_though_its_playlist_moves_on() -> None:
    freshness = Freshness(8)
    assert freshness.fault(A, playlist(1000), 0.0) is None
    assert freshness.fault(B, playlist(991), 1.0) is not None
    assert freshness.fault(B, playlist(994), 1.5) is None


def test_playlist_that_goes_back_is_a_fault_of_its_relay_alone() -> None:
    freshness = Freshness(8)
    assert freshness.fault(A, playlist(1000), 0.0) is None
    assert freshness.fault(B, playlist(998), 0.0) is None
    assert freshness.fault(A, playlist(999), 0.5) == "the playlist went back by 1 s"
    freshness.forget(A)
    assert freshness.fault(A, playlist(999), 0.5) is None


def test_age_is_that_behind_the_freshest_playlist_seen() -> None:
    freshness = Freshness(8)
    freshness.fault(A, playlist(1000), 10.0)
    assert freshness.age_seconds(playlist(1000), 12.5) == 2.5
