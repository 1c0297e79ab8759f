"""The player's face in a real browser: it asks first, and everybody can use it, at any size."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
PHONE, SMALL, DESK = (390, 844), (320, 568), (1100, 800)
RELAY = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
ColourScheme = Literal["light", "dark"]
LIAR = "0x90f79bf6eb2c4f870365e785982e1f101e93b906"


def source(**changes: object) -> dict[str, object]:
    return {
        "node": RELAY,
        "endpoint": "https://relay.example.org",
        "role": "primary",
        "bytesDelivered": 3_000_000,
        "bytesOnTime": 3_000_000,
        "bytesRefused": 0,
        "objects": 40,
        "receipts": 12,
        "leftBecause": None,
        **changes,
    }


SOURCES = [
    source(),
    source(node=LIAR, role="left", bytesRefused=131_072, leftBecause="corrupt-object"),
    source(node=None, endpoint="https://origin.example", role="left", leftBecause="relay-found"),
]
RENDITIONS = [
    {"name": "source", "width": 1280, "height": 720, "bandwidthBitsPerSecond": 2_000_000},
    {"name": "240p", "width": 426, "height": 240, "bandwidthBitsPerSecond": 400_000},
]


@contextmanager
def gallery_page(
    browser: Browser, url: str, size: tuple[int, int], scheme: ColourScheme
) -> Iterator[Page]:
    """Open the gallery; complaints of the browser fail the test."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        has_touch=width < 500,
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(url)
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def page(chromium: Browser, gallery: str) -> Iterator[Page]:
    with gallery_page(chromium, gallery, DESK, "light") as page:
        yield page


def core(page: Page, call: str) -> None:
    """Let the newest core do something."""
    page.evaluate(f"cores.at(-1).{call}")


def calls(page: Page) -> list[str]:
    found: list[str] = page.evaluate("cores.at(-1)?.calls ?? []")
    return found


def position(page: Page) -> float:
    found: float = page.evaluate("document.querySelector('gallery-player').video.currentTime")
    return found


def begin(page: Page, choice: str = "Watch through relays") -> None:
    """Choose, and play with everything there is to show."""
    page.get_by_role("button", name=choice).click()
    page.wait_for_function("document.querySelector('gallery-player').video.currentTime > 0")
    page.evaluate(
        """([sources, renditions]) => {
          const core = cores.at(-1);
          core.state('playing');
          core.offer(renditions);
          core.say({rendition: '240p', latencySeconds: 2.4, bufferSeconds: 3, tickets: 3, sources});
        }""",
        [SOURCES, RENDITIONS],
    )


def faults(page: Page) -> list[str]:
    """Return what axe-core finds wrong, WCAG 2.2 AA and its best practices, of the player alone."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("""() => axe.run('gallery-player', {resultTypes: ['violations']})""")
    return [
        f"{each['id']}: {each['help']}: {[node['target'] for node in each['nodes']]}"
        for each in found["violations"]
    ]


def too_small(page: Page) -> list[str]:
    """Return the visible things to press that are below 44 px, or that are not wholly on the page."""
    found: list[str] = page.evaluate(
        """() => {
          const root = document.querySelector('gallery-player').shadowRoot;
          const things = [...root.querySelectorAll('button, summary, label.check, [role=slider]')];
          return things.filter((thing) => thing.checkVisibility()).flatMap((thing) => {
            const {width, height, left, right} = thing.getBoundingClientRect();
            const name = thing.getAttribute('aria-label') ?? thing.textContent;
            const bad = width < 44 || height < 44 || left < 0 || right > innerWidth;
            return bad ? [`${name}: ${width}x${height} from ${left} to ${right}`] : [];
          });
        }"""
    )
    return found


def has_sideways_scroll(page: Page) -> bool:
    found: bool = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return found


def test_nothing_is_started_before_the_viewer_has_chosen(page: Page) -> None:
    expect(page.get_by_role("heading", name="Before you watch")).to_be_visible()
    expect(page.get_by_text("They see your IP address")).to_be_visible()
    expect(page.get_by_text("Your player signs receipts")).to_be_visible()

    assert page.evaluate("cores.length") == 0


@pytest.mark.parametrize(
    ("button", "consent"),
    [("Watch through relays", "relays"), ("Watch from the origin", "origin")],
)
def test_the_choice_is_what_starts_and_is_remembered(page: Page, button: str, consent: str) -> None:
    begin(page, button)
    assert calls(page)[:2] == ["attach", f"start {consent}"]

    page.reload()
    page.get_by_role("button", name="Watch live").click()
    assert calls(page)[:2] == ["attach", f"start {consent}"]


def test_a_choice_that_is_not_to_be_remembered_is_asked_again(page: Page) -> None:
    page.get_by_label("Remember my choice").uncheck()
    begin(page)

    page.reload()

    expect(page.get_by_role("heading", name="Before you watch")).to_be_visible()


def test_a_choice_can_be_taken_back_while_watching(page: Page) -> None:
    begin(page)
    page.get_by_role("button", name="Who carries this stream").click()
    page.get_by_role("button", name="Change").click()

    assert page.evaluate("cores[0].calls.at(-1)") == "destroy"
    assert page.evaluate("cores.length") == 1
    expect(page.get_by_role("button", name="Watch through relays")).to_be_focused()
    page.get_by_role("button", name="Watch from the origin").click()
    assert "start origin" in calls(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE, SMALL], ids=["desk", "phone", "small"])
def test_every_view_is_accessible_fits_and_can_be_touched(
    chromium: Browser, gallery: str, size: tuple[int, int], scheme: ColourScheme
) -> None:
    with gallery_page(chromium, gallery, size, scheme) as page:
        look_at_every_view(page)


def look_at_every_view(page: Page) -> None:
    assert faults(page) == []
    assert too_small(page) == []

    begin(page)
    page.mouse.move(100, 150)
    assert faults(page) == []
    assert too_small(page) == []

    page.get_by_role("button", name="Quality").click()
    assert faults(page) == []
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Who carries this stream").click()
    page.get_by_text("What it costs this device").click()
    assert faults(page) == []
    assert too_small(page) == []
    assert not has_sideways_scroll(page)

    page.get_by_role("button", name="Close").click()
    core(page, "fail({code: 'offline', message: 'The stream is not on air.', isFatal: false})")
    assert faults(page) == []
    page.reload()
    assert faults(page) == []
    assert too_small(page) == []


def test_the_panel_says_who_brought_what_and_why_one_was_left(page: Page) -> None:
    begin(page)
    page.get_by_role("button", name="Who carries this stream").click()
    panel = page.get_by_role("region", name="Who carries this stream")

    expect(panel).to_contain_text(
        "2 relays have carried 67 % of 9.00 MB; the origin sent the rest."
    )
    first, liar, origin = panel.locator("li").all()
    expect(first).to_contain_text("0x7099…79c8")
    expect(first).to_contain_text("relay.example.org")
    expect(first).to_contain_text("carrying now")
    expect(liar).to_contain_text("131 kB refused: not what the streamer signed.")
    expect(liar).to_contain_text("It sent bytes that the streamer did not sign.")
    expect(origin).to_contain_text("A relay took over.")
    expect(panel).to_contain_text("2.4 s")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.get_by_role("button", name="Who carries this stream")).to_be_focused()


def test_everything_works_from_the_keyboard(page: Page) -> None:
    begin(page)
    video = "document.querySelector('gallery-player').video"
    expect(page.get_by_role("button", name="Pause")).to_be_focused()

    page.keyboard.press("k")
    assert page.evaluate(f"{video}.paused")
    page.keyboard.press("l")
    assert position(page) > 9
    page.keyboard.press("ArrowLeft")
    assert position(page) < 9
    page.keyboard.press("m")
    assert page.evaluate(f"{video}.muted")
    page.keyboard.press("End")
    assert calls(page)[-1] == "live"
    page.keyboard.press("w")
    expect(page.get_by_role("heading", name="Who carries this stream")).to_be_visible()


def test_focus_goes_through_the_controls_in_the_order_of_their_place(page: Page) -> None:
    begin(page)
    page.get_by_role("slider", name="Position in the stream").focus()
    names = []
    for _ in range(8):
        names.append(
            page.evaluate(
                """() => {
                  const now = document.querySelector('gallery-player').shadowRoot.activeElement;
                  return now.getAttribute('aria-label');
                }"""
            )
        )
        page.keyboard.press("Tab")

    assert names[:3] == ["Position in the stream", "Pause", "Sound off"]
    assert names[3:5] == ["Volume", "Go to the live edge"]
    assert names[5:7] == ["Who carries this stream: 1 relay", "Quality"]


def test_focus_can_be_seen(page: Page) -> None:
    begin(page)
    page.keyboard.press("Tab")

    outline = page.evaluate(
        """() => {
          const now = document.querySelector('gallery-player').shadowRoot.activeElement;
          const {outlineStyle, outlineWidth} = getComputedStyle(now);
          return [outlineStyle, outlineWidth];
        }"""
    )
    assert outline == ["solid", "3px"]


def test_the_bar_seeks_in_the_window_and_shows_where(page: Page) -> None:
    begin(page)
    bar = page.get_by_role("slider", name="Position in the stream")
    place = bar.bounding_box()
    assert place is not None

    page.mouse.move(place["x"] + place["width"] / 2, place["y"] + 22)
    expect(page.locator(".preview img")).to_be_visible()
    expect(page.locator(".preview")).to_contain_text("\N{MINUS SIGN}0:30")
    assert "thumbnail 30" in calls(page)
    page.mouse.down()
    page.mouse.up()

    assert 29 < position(page) < 35
    bar.focus()
    page.keyboard.press("Home")
    assert position(page) < 5
    assert bar.get_attribute("aria-valuetext").endswith("behind live")  # type: ignore[union-attr]


def test_a_quality_can_be_chosen(page: Page) -> None:
    begin(page)
    page.get_by_role("button", name="Quality").click()
    expect(page.get_by_role("menuitemradio", name="Automatic (240p)")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    assert calls(page)[-1] == "quality source"
    expect(page.get_by_role("menu")).to_be_hidden()


def test_states_and_carriers_are_announced_politely(page: Page) -> None:
    begin(page)
    announcer = page.get_by_role("status")
    expect(announcer).to_have_text("Playing")

    page.evaluate("source => cores.at(-1).source(source)", SOURCES[0])
    expect(announcer).to_have_text("Carried by relay 0x7099…79c8")
    core(page, "state('stalled')")
    expect(announcer).to_have_text("Waiting for the stream", timeout=10_000)


def test_a_fatal_error_says_what_to_do_and_can_be_tried_again(page: Page) -> None:
    begin(page)
    core(page, "fail({code: 'coordinator', message: 'Check your network.', isFatal: true})")
    expect(page.get_by_role("alert")).to_contain_text("The coordinator does not answer")
    expect(page.get_by_role("alert")).to_contain_text("Check your network.")

    page.get_by_role("button", name="Try again").click()

    assert page.evaluate("cores.length") == 2
    assert calls(page)[:2] == ["attach", "start relays"]


def test_a_page_that_is_not_set_up_is_told_so(page: Page) -> None:
    page.evaluate("document.querySelector('gallery-player').setAttribute('pool', 'one')")

    expect(page.get_by_role("alert")).to_contain_text('pool="1"')
    assert page.evaluate("cores.length") == 0


def test_the_controls_leave_the_picture_alone_and_come_back(page: Page) -> None:
    begin(page)
    controls = page.get_by_role("group", name="Player controls")
    page.locator("h1").click()
    page.mouse.move(5, 5)
    expect(controls).to_have_css("opacity", "0", timeout=15_000)

    page.mouse.move(300, 300)

    expect(controls).to_have_css("opacity", "1")


def test_no_picture_in_picture_where_the_browser_has_none(chromium: Browser, gallery: str) -> None:
    with gallery_page(chromium, gallery, DESK, "light") as page:
        page.add_init_script(
            """delete Document.prototype.pictureInPictureEnabled;
            delete Document.prototype.pictureInPictureElement;
            delete Document.prototype.exitPictureInPicture;
            delete HTMLVideoElement.prototype.requestPictureInPicture;"""
        )
        page.reload()
        begin(page)
        expect(page.get_by_role("button", name="Picture in picture")).to_be_hidden()
        page.keyboard.press("p")
        expect(page.get_by_role("button", name="Pause")).to_be_visible()


def test_taking_the_player_out_of_the_page_ends_it(page: Page) -> None:
    begin(page)
    page.evaluate("document.querySelector('gallery-player').remove()")

    assert page.evaluate("cores[0].calls.at(-1)") == "destroy"
