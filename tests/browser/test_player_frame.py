"""The page to embed, in a frame of another site, as the player's README has it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from tests.browser.chromium import served_folder

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

README = Path(__file__).parents[2] / "web" / "README.md"
COORDINATOR = "https://coordinator.example"


def readme_frame(player: str, attributes: str = "") -> str:
    """Return the README's iframe with the address of the player under test."""
    found = re.search(r"<iframe.*?</iframe>", README.read_text(), re.DOTALL)
    assert found is not None
    assert "https://player.example/embed.html" in found[0]
    frame = found[0].replace("https://player.example/embed.html", f"{player}/embed/embed.html")
    return frame.replace("<iframe", f"<iframe {attributes}")


@contextmanager
def framed(browser: Browser, player: str, folder: Path, attributes: str = "") -> Iterator[Page]:
    """Open a page of another origin around the player; complaints of the browser fail the test."""
    (folder / "index.html").write_text(
        f"<!doctype html><html lang=en><title>A site</title>{readme_frame(player, attributes)}</html>"
    )
    context = browser.new_context()
    with served_folder(folder) as site:
        page = context.new_page()
        complaints: list[str] = []
        page.route(f"{COORDINATOR}/**", lambda route: route.abort())
        page.on("pageerror", lambda error: complaints.append(str(error)))
        # Another host name is another site: `localhost` and the player's 127.0.0.1.
        page.goto(site.replace("127.0.0.1", "localhost") + "/index.html")
        yield page
        context.close()
    assert complaints == []


def frame_of(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


@pytest.mark.parametrize("sandbox", ["", 'sandbox="allow-scripts allow-same-origin"'])
def test_a_frame_asks_first_and_speaks_to_the_coordinator_after_the_press_alone(
    chromium: Browser, player_site: str, tmp_path: Path, sandbox: str
) -> None:
    with framed(chromium, player_site, tmp_path, sandbox) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        frame = frame_of(page)
        expect(frame.get_by_role("heading", name="Before you watch")).to_be_visible()
        assert [url for url in asked if url.startswith(COORDINATOR)] == []

        with page.expect_request(f"{COORDINATOR}/v1/pools/1"):
            frame.get_by_role("button", name="Watch through relays").click()


def test_a_frame_may_fill_the_screen_and_float(
    chromium: Browser, player_site: str, tmp_path: Path
) -> None:
    with framed(chromium, player_site, tmp_path) as page:
        frame = frame_of(page)
        frame.get_by_role("button", name="Watch through relays").click()
        expect(frame.get_by_role("button", name="Picture in picture")).to_be_visible()

        frame.get_by_role("button", name="Full screen").click()

        expect(frame.get_by_role("button", name="Leave full screen")).to_be_visible()
