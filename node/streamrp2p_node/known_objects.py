"""What the verified playlists of one rendition named: each object's hash, length and timing, by name. Pure."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from streamrp2p.playlist import MediaObject, MediaPlaylist

KNOWN_OBJECTS = 4096
"""Remembered also after they left the playlist: slow viewers still ask for them. Ten minutes of 2 s segments."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An object that the origin vouches for. `duration_micros` is 0 for what does not play: maps and thumbnails.

    `hold_back_micros` is how far behind the end players stay; `parts` are what a segment can be put together from.
    """

    object: MediaObject
    media_sequence: int
    duration_micros: int
    hold_back_micros: int
    parts: tuple[MediaObject, ...] = ()

    def is_timely(self, seconds: float) -> bool:
        """Tell whether a relay that got it so long after asking counts it as on time (docs/protocol.md section 10).

        A relay has no screen that runs dry. What it asks for is due to its viewers within its own duration plus
        the distance that the playlist has players keep to the live edge; what does not play stops nobody.
        """
        if self.duration_micros == 0:
            return True
        return seconds * 1_000_000 <= self.duration_micros + self.hold_back_micros


class KnownObjects:
    """The objects of one rendition, the least recently listed forgotten first."""

    def __init__(self, at_most: int = KNOWN_OBJECTS) -> None:
        self._at_most = at_most
        self._by_name: OrderedDict[str, Listed] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_name)

    def find(self, name: str) -> Listed | None:
        """Return what was listed under a name."""
        return self._by_name.get(name)

    def take(self, playlist: MediaPlaylist) -> list[Listed]:
        """Take a playlist; return what it was the first to name, in its order."""
        objects = list(_listed(playlist))
        fresh = []
        for listed in objects:
            name = listed.object.name
            known = self._by_name.get(name)
            if known is None or known.object != listed.object:
                fresh.append(listed)
            is_partless = known is not None and known.object == listed.object and not listed.parts
            # A playlist soon leaves out a segment's parts, which are still what it is made of.
            self._by_name[name] = known if is_partless and known else listed
            self._by_name.move_to_end(name)
        # What the newest playlist names is kept whatever its number: a viewer may ask for all of it.
        while len(self._by_name) > max(self._at_most, len(objects)):
            self._by_name.popitem(last=False)
        return fresh


def hold_back_micros(playlist: MediaPlaylist) -> int:
    """Return how far behind the end the playlist wants players that know parts; RFC 8216bis 4.4.3.8."""
    if playlist.server_control.part_hold_back_micros is not None:
        return playlist.server_control.part_hold_back_micros
    return 3 * (playlist.part_target_micros or playlist.target_seconds * 1_000_000)


def _listed(playlist: MediaPlaylist) -> Iterator[Listed]:
    hold_back = hold_back_micros(playlist)
    for segment in playlist.segments:
        number = segment.media_sequence
        for still in (segment.map, segment.thumbnail):
            if still is not None:
                yield Listed(still, number, 0, hold_back)
        for part in segment.parts:
            yield Listed(part.object, number, part.duration_micros, hold_back)
        parts = tuple(part.object for part in segment.parts)
        yield Listed(segment.object, number, segment.duration_micros, hold_back, parts)
    if playlist.map is not None:
        yield Listed(playlist.map, playlist.next_sequence, 0, hold_back)
    for part in playlist.parts:
        yield Listed(part.object, playlist.next_sequence, part.duration_micros, hold_back)
