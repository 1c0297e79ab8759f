"""Takes finished segments, vouches for them and publishes the signed playlist, each step whole or not at all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from math import ceil
from pathlib import Path
from threading import Lock

import structlog

from streamrp2p.durable import storage_error, write_atomically
from streamrp2p.numbers import Hash
from streamrp2p.playlist_v0 import sign_playlist
from streamrp2p.typed_data import Domain
from streamrp2p_origin.identity import Identity
from streamrp2p_origin.packager import PackedSegment
from streamrp2p_origin.window import LiveWindow, PublishedSegment, continuing

_log = structlog.get_logger()

PLAYLIST_FILE = "live.m3u8"
SEGMENTS_FOLDER = "segments"
REFRESH_SECONDS = 2.0
"""How old a playlist may get before it is signed anew without a new segment."""


@dataclass(frozen=True, slots=True)
class Stream:
    """What is published, for whom and under which domain."""

    pool_id: int
    domain: Domain
    segment_seconds: float = 2.0
    window_segments: int = 10

    @property
    def grace_seconds(self) -> float:
        """How long a segment stays after it left the playlist: players may still read an old one (RFC 8216, 6.2.2)."""
        return (self.window_segments + 3) * self.segment_seconds


@dataclass(frozen=True, slots=True)
class Published:
    """What is served now: the signed playlist, and the files of the segments that it or a recent one lists."""

    playlist: bytes
    published_at: int
    files: Mapping[str, Path]


class Publisher:
    """The one writer of an origin's folder. `clock` gives Unix seconds."""

    def __init__(
        self, folder: Path, identity: Identity, stream: Stream, clock: Callable[[], float]
    ) -> None:
        self._folder = folder
        self._identity = identity
        self._stream = stream
        self._clock = clock
        self._has_past, self._window = self._begin()
        self._breaks = self._has_past
        self._gone_at: dict[str, float] = {}
        self._lock = Lock()
        self.published: Published | None = None
        self.fault: str | None = None
        """Why the newest segment could not be published, or None."""

    @property
    def next_sequence(self) -> int:
        """The media sequence of the segment to come."""
        return self._window.next_sequence

    def begin_visit(self) -> None:
        """Note that the next segment does not continue the one before."""
        self._breaks = self._has_past

    def publish(self, packed: PackedSegment) -> None:
        """Publish one more segment. Raises StorageError, and then nothing has changed but that it is gone."""
        with self._lock:
            try:
                self._publish(packed)
            except BaseException as error:
                packed.path.unlink(missing_ok=True)
                self._breaks = self._has_past
                self.fault = str(error)
                raise
            self._has_past, self._breaks = True, False
            self.fault = None

    def keep(self) -> None:
        """Do what time asks for: delete old segments, and sign a window that did not change anew.

        So a playlist that grows old always means a relay that fell behind, even while no encoder is connected.
        """
        with self._lock:
            if self.published is None:
                return
            now = self._clock()
            self._tidy(self.published, now)
            if now - self.published.published_at >= REFRESH_SECONDS:
                self._swap(self._window, self.published.files)

    def _tidy(self, published: Published, now: float) -> None:
        listed = {segment.name for segment in self._window.segments}
        files = dict(published.files)
        for name in [name for name in files if name not in listed]:
            if now - self._gone_at.setdefault(name, now) < self._stream.grace_seconds:
                continue
            del self._gone_at[name]
            files.pop(name).unlink(missing_ok=True)
        self.published = replace(published, files=files)

    def _publish(self, packed: PackedSegment) -> None:
        window = self._window
        name = f"{window.next_sequence:08d}.ts"
        path = self._folder / SEGMENTS_FOLDER / name
        try:
            data = packed.path.read_bytes()
            packed.path.replace(path)
        except OSError as error:
            raise storage_error(packed.path, error) from error
        digest = Hash(sha256(data).digest())
        segment = PublishedSegment(name, packed.duration_micros, len(data), digest, self._breaks)
        files = self.published.files if self.published else {}
        try:
            self._swap(window.add(segment), {**files, name: path})
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def _swap(self, window: LiveWindow, files: Mapping[str, Path]) -> None:
        before = self.published.published_at if self.published else 0
        # A clock that is set back must not make the playlist look older than the one before.
        published_at = max(before, int(self._clock()))
        playlist = sign_playlist(
            window.text(),
            [(each.name, each.sha256, each.length_bytes) for each in window.segments],
            pool_id=self._stream.pool_id,
            domain=self._stream.domain,
            published_at=published_at,
            origin_key=self._identity.origin_key,
        )
        write_atomically(self._folder / PLAYLIST_FILE, playlist)
        self._window = window
        self.published = Published(playlist, published_at, files)

    def _begin(self) -> tuple[bool, LiveWindow]:
        """Return whether segments came before, and the window to continue with."""
        segments = self._folder / SEGMENTS_FOLDER
        segments.mkdir(parents=True, exist_ok=True)
        for left_over in segments.glob("*.ts"):
            left_over.unlink(missing_ok=True)
        size, target = self._stream.window_segments, ceil(self._stream.segment_seconds)
        try:
            return True, continuing((self._folder / PLAYLIST_FILE).read_text(), size, target)
        except FileNotFoundError:
            pass
        except ValueError:
            _log.warning("playlist.unreadable", path=str(self._folder / PLAYLIST_FILE))
        # Relays keep segments by name. The time is beyond every number that an origin which lost its folder gave.
        return False, LiveWindow(size, int(self._clock()), target)
