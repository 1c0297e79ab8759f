"""A delta update on top of an older playlist."""

from dataclasses import replace

import pytest

from streamrp2p.errors import MalformedError
from streamrp2p.playlist import MediaPlaylist, Segment, ServerControl, merge
from tests.support.playlists import media_object

MAP, NEXT_MAP = media_object("1.mp4", b"map"), media_object("2.mp4", b"next map")


def segment(number: int, **changes: object) -> Segment:
    made = Segment(number, media_object(f"{number}.m4s", b"%d" % number), 2_000_000, map=MAP)
    return replace(made, **changes)  # type: ignore[arg-type]


FULL = MediaPlaylist(
    pool_id=7,
    rendition="source",
    media_sequence=10,
    discontinuity_sequence=0,
    published_at=100,
    target_seconds=2,
    part_target_micros=None,
    server_control=ServerControl(),
    skipped_segments=0,
    segments=tuple(segment(number) for number in range(10, 16)),
    parts=(),
    map=MAP,
    is_ended=False,
)


def update(first: int, skipped: int, *segments: Segment, **changes: object) -> MediaPlaylist:
    return replace(
        FULL,
        media_sequence=first,
        published_at=102,
        skipped_segments=skipped,
        segments=segments,
        map=None,
        **changes,  # type: ignore[arg-type]
    )


def test_update_is_completed_from_the_older_playlist() -> None:
    # The window went on by one, and both new segments came under the map that the update skips.
    merged = merge(FULL, update(11, 4, segment(15, map=None), segment(16, map=None)))
    assert [each.media_sequence for each in merged.segments] == [11, 12, 13, 14, 15, 16]
    assert merged.segments[-1] == segment(16)
    assert (merged.skipped_segments, merged.published_at, merged.map) == (0, 102, MAP)
    assert merged.next_sequence == 17


def test_map_in_the_update_replaces_the_inherited_one() -> None:
    new = segment(16, map=NEXT_MAP)
    merged = merge(FULL, replace(update(10, 5, segment(15, map=None), new), map=NEXT_MAP))
    assert [each.map for each in merged.segments[-3:]] == [MAP, MAP, NEXT_MAP]
    assert merged.map == NEXT_MAP


def test_full_playlist_stands_for_itself() -> None:
    assert merge(FULL, replace(FULL, published_at=104)) == replace(FULL, published_at=104)


@pytest.mark.parametrize(("first", "skipped"), [(9, 3), (11, 6), (16, 1), (20, 2), (10, 10**14)])
def test_update_that_skips_what_the_older_playlist_lacks_is_refused(
    first: int, skipped: int
) -> None:
    with pytest.raises(MalformedError, match="does not have"):
        merge(FULL, update(first, skipped))


def test_update_cannot_be_completed_from_an_update() -> None:
    older = update(10, 2, segment(12), segment(13))
    with pytest.raises(MalformedError, match="does not have"):
        merge(older, update(10, 1, segment(11)))
