"""One page that watches: what the player says of itself, and what a viewer would see and a stop-watch measure."""

import statistics
import time
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page

from tests.support.burnt_clock import BLOCK_PIXELS, COLUMNS, HEIGHT, WIDTH, time_of

CHOICE = "Watch through relays"
"""The button by which a viewer agrees to share."""
START_SECONDS = 60
"""The most that a player may take to the first picture on a machine that is busy."""

ENOUGH_SECONDS = 0.5
NETWORK = "Failed to load resource:"

IS_PLAYING = """
() => {
  const {video, stats} = document.querySelector('streamrp2p-player');
  return video.currentTime > 0 && stats?.state === 'playing';
}
"""

OBSERVER = """
({columns, block, width, height}) => {
  const video = document.querySelector('streamrp2p-player').video;
  const canvas = new OffscreenCanvas(columns * 4, 8);
  const context = canvas.getContext('2d', {willReadFrequently: true});
  const seen = {clocks: [], positions: [], waits: [], frames: 0};
  // The clock in the picture: each block becomes 4x4 pixels, of which one in the middle is read.
  const look = () => {
    video.requestVideoFrameCallback(look);
    seen.frames += 1;
    if (seen.frames % 6) return;
    const now = Date.now(), lines = video.videoHeight * 2 * block / height;
    context.drawImage(video, 0, 0, video.videoWidth, lines, 0, 0, columns * 4, 8);
    const pixels = context.getImageData(0, 0, columns * 4, 8).data;
    const bits = [];
    for (let row = 0; row < 2; row++)
      for (let column = 0; column < columns; column++)
        bits.push(pixels[4 * ((row * 4 + 2) * columns * 4 + column * 4 + 2)] > 128 ? 1 : 0);
    seen.clocks.push([now, bits.join('')]);
  };
  video.requestVideoFrameCallback(look);
  video.addEventListener('waiting', () => {
    const {buffered, currentTime} = video;
    let ahead = 0;
    for (let i = 0; i < buffered.length; i++)
      if (buffered.start(i) <= currentTime && currentTime <= buffered.end(i))
        ahead = buffered.end(i) - currentTime;
    seen.waits.push([currentTime, ahead]);
  });
  setInterval(() => { seen.positions.push([performance.now(), video.currentTime]); }, 50);
  window.seen = seen;
}
"""

TAKE = """
() => {
  const {clocks, positions, waits} = window.seen;
  window.seen.clocks = []; window.seen.positions = positions.slice(-1); window.seen.waits = [];
  return {clocks, positions, waits};
}
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was observed in a stretch of playback."""

    latencies: tuple[float, ...]
    """Glass to glass, seconds: from the making of a frame to its showing."""
    unreadable: int
    """Pictures in which the clock could not be read."""
    longest_stop: float
    """The longest time in which the position did not move, seconds."""
    waits: tuple[tuple[float, float], ...]
    """Where the media element waited for data, and how many seconds of it were buffered from there on."""
    seconds: float

    @property
    def dry_waits(self) -> list[tuple[float, float]]:
        """The waits for data, without the decoder's own hiccups, which last milliseconds."""
        return [(at, ahead) for at, ahead in self.waits if ahead < ENOUGH_SECONDS]

    @property
    def median_latency(self) -> float:
        return statistics.median(self.latencies)

    @property
    def highest_latency(self) -> float:
        return max(self.latencies)


@dataclass(slots=True)
class Watching:
    """A page with the player, as an embedding site would show it."""

    page: Page
    problems: list[str]
    """What the browser's console complained of; an answer that is no success is the player's business."""
    asked: list[str]
    """Every URL that the page asked for, in order."""

    @classmethod
    def open(cls, browser: Browser, url: str) -> "Watching":
        context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
        page = context.new_page()
        watching = cls(page, [], [])
        page.on("pageerror", lambda error: watching.problems.append(str(error)))
        page.on(
            "console",
            lambda message: (
                watching.problems.append(message.text)
                if message.type == "error" and not message.text.startswith(NETWORK)
                else None
            ),
        )
        page.on("request", lambda request: watching.asked.append(request.url))
        page.goto(url)
        return watching

    def choose(self, button: str) -> None:
        """Answer the player's question; return when the picture moves."""
        self.page.get_by_role("button", name=button).click()
        deadline = time.monotonic() + START_SECONDS
        # Not by `wait_for_function`, which the page's policy forbids: it evaluates a string in the page.
        while not self.page.evaluate(IS_PLAYING):
            assert time.monotonic() < deadline, (self.stats(), self.problems)
            self.page.wait_for_timeout(50)
        self.page.evaluate(
            OBSERVER,
            {"columns": COLUMNS, "block": BLOCK_PIXELS, "width": WIDTH, "height": HEIGHT},
        )

    def stats(self) -> dict[str, Any]:
        """Return the player's own statistics."""
        found: dict[str, Any] = self.page.evaluate(
            "document.querySelector('streamrp2p-player').stats"
        )
        return found

    def sources(self, role: str) -> list[dict[str, Any]]:
        """Return the sources that have a role now."""
        return [source for source in self.stats()["sources"] if source["role"] == role]

    def watch(self, seconds: float) -> Seen:
        """Let it play; return what was seen since the last call."""
        self.page.wait_for_timeout(seconds * 1000)
        return self.take()

    def take(self) -> Seen:
        """Return what was seen since the last call."""
        taken = self.page.evaluate(TAKE)
        read = [(now, time_of([int(bit) for bit in bits])) for now, bits in taken["clocks"]]
        latencies = [((int(now) - made) % 2**32) / 1000 for now, made in read if made is not None]
        positions = taken["positions"]
        return Seen(
            tuple(latencies),
            sum(made is None for _, made in read),
            longest_stop(positions),
            tuple((at, ahead) for at, ahead in taken["waits"]),
            (positions[-1][0] - positions[0][0]) / 1000 if positions else 0.0,
        )

    def close(self) -> None:
        """Take the player out of the page, which then sends its last receipts, and close."""
        self.page.evaluate("document.querySelector('streamrp2p-player').remove()")
        self.page.wait_for_load_state("networkidle")
        self.page.context.close()


def longest_stop(positions: list[tuple[float, float]]) -> float:
    """Return the longest time in seconds between two samples that differ in position.

    `positions` are pairs of milliseconds and position. A timer that fires late cannot hide a stop: it counts as one.
    """
    if not positions:
        return 0.0
    moved_at, position = positions[0]
    longest = 0.0
    for now, at in positions[1:]:
        longest = max(longest, now - moved_at)
        if at != position:
            moved_at, position = now, at
    return longest / 1000
