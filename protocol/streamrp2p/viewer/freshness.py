"""Is a relay's playlist new enough? Judged without trusting any wall clock. Pure."""

from dataclasses import dataclass, field

from streamrp2p.playlist import MediaPlaylist


@dataclass(slots=True)
class Freshness:
    """Compares playlists of one stream across relays. Times are seconds on one monotonic clock.

    The origin signs its playlist anew every few seconds. The least delay between `publishedAt` and arrival that any
    relay ever showed is the measure: who is behind it by more than `limit_seconds` is stale. So neither the origin's
    clock nor the viewer's needs to be right, and a playlist that stands still ages.
    """

    limit_seconds: float
    _lead: float | None = None
    _latest: dict[bytes, MediaPlaylist] = field(default_factory=dict)

    def fault(self, relay: bytes, playlist: MediaPlaylist, now: float) -> str | None:
        """Take a verified playlist and say why its relay should be left, or None."""
        lead = playlist.published_at - now
        self._lead = lead if self._lead is None else max(self._lead, lead)
        before = self._latest.get(relay)
        self._latest[relay] = playlist
        if before is not None and playlist.published_at < before.published_at:
            back = before.published_at - playlist.published_at
            return f"the playlist went back by {back} s"
        age = self.age_seconds(playlist, now)
        if age > self.limit_seconds:
            return (
                f"the playlist is {age:.1f} s behind, at most {self.limit_seconds:g} s are accepted"
            )
        return None

    def age_seconds(self, playlist: MediaPlaylist, now: float) -> float:
        """Return how far the playlist is behind the freshest one that could be had now."""
        return 0.0 if self._lead is None else self._lead - (playlist.published_at - now)

    def forget(self, relay: bytes) -> None:
        """Forget what a relay showed, once it was left."""
        self._latest.pop(relay, None)
