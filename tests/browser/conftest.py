"""A browser and the built player, once for all tests of this folder."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import imageio_ffmpeg
import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import running_chromium, served_folder
from tests.browser.live_stack import LiveStack, live_stack
from tests.browser.watching import Watching

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def player_site() -> Iterator[str]:
    """Build the player and serve its files, as any web server of static files would."""
    subprocess.run(["make", "--silent", "web"], cwd=ROOT, check=True)
    with served_folder(ROOT / "web" / "dist") as url:
        yield url


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Build and serve the user interface on a core that does what a test says, with a film to show."""
    folder = tmp_path_factory.mktemp("gallery")
    subprocess.run(
        [
            *("vite", "build", "--config", "tests/gallery/vite.config.ts"),
            *("--outDir", str(folder), "--logLevel", "warn"),
        ],
        cwd=ROOT / "web",
        check=True,
    )
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error"]
    film = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=15", "-f", "lavfi", "-i", "sine"]
    codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "15"]
    subprocess.run(
        [*ffmpeg, *film, "-t", "60", *codecs, "-c:a", "aac", str(folder / "sample.mp4")],
        check=True,
    )
    subprocess.run(
        [*ffmpeg, *film[:4], "-frames:v", "1", str(folder / "thumbnail.jpg")], check=True
    )
    with served_folder(folder) as url:
        yield f"{url}/gallery.html"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    with live_stack(tmp_path_factory.mktemp("live")) as running:
        yield running


@pytest.fixture
def watching(chromium: Browser, player_site: str, live: LiveStack) -> Iterator[Watching]:
    query = urlencode({"coordinator": live.coordinator_url, "pool": live.pool_id})
    page = Watching.open(chromium, f"{player_site}/embed/embed.html?{query}")
    yield page
    page.page.context.close()
