"""The stream key is read from a log whose text a stranger writes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p_origin.errors import StreamKeyRefusedError
from streamrp2p_origin.name_check import NameCheck

KEY = "4f0b5c8e9a7d6e3f2a1b0c9d8e7f6a5b4c3d2e1f"
PLACEHOLDER = "c0ffee"


def check() -> NameCheck:
    return NameCheck(PLACEHOLDER, lambda name: name == KEY)


def warning(name: str, expected: str = PLACEHOLDER) -> str:
    return f"[rtmp @ 0x5606ab] Unexpected stream {name}, expecting {expected}"


def shown(text: str) -> None:
    """Log `text` as ffmpeg would, line by line, and end the check."""
    follower = check()
    for line in text.split("\n"):
        follower.see(line)
    follower.conclude()


def test_key_is_taken() -> None:
    shown(f"{warning(KEY)}\n{warning(KEY)}\nInput #0, flv, from 'rtmp://...':")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "stream",
        KEY[:-1],
        KEY + "0",
        KEY.upper(),
        f" {KEY}",
        f"{KEY}\n",
        f"{KEY}, expecting {PLACEHOLDER}",
        f"x, expecting {PLACEHOLDER}\n[rtmp @ 0x1] Unexpected stream x",
        "%s%n%x",
        "x" * 10_000,
        "\x00\x1b[2J",
    ],
)
def test_other_names_are_refused_at_once(name: str) -> None:
    with pytest.raises(StreamKeyRefusedError) as refused:
        shown(f"{warning(name)}\n{warning(KEY)}")
    assert KEY not in str(refused.value)


def test_name_that_breaks_the_line_is_refused_even_with_the_key_behind() -> None:
    with pytest.raises(StreamKeyRefusedError):
        shown(warning(f"x\n{warning(KEY)}"))


def test_warning_of_another_listener_proves_nothing() -> None:
    with pytest.raises(StreamKeyRefusedError):
        shown(warning(KEY, "stream"))


def test_encoder_that_names_no_stream_is_refused() -> None:
    with pytest.raises(StreamKeyRefusedError, match="no stream key"):
        shown("Input #0, flv, from 'rtmp://...':")


def test_refusal_tells_only_the_length_of_what_was_shown() -> None:
    with pytest.raises(StreamKeyRefusedError) as refused:
        shown(warning("almost-the-key"))
    assert "a stream key of 14 characters" in str(refused.value)
    assert "almost-the-key" not in str(refused.value)


def test_key_that_is_rotated_before_the_check_ends_opens_nothing() -> None:
    keys = [KEY]
    follower = NameCheck(PLACEHOLDER, lambda name: name in keys)
    follower.see(warning(KEY))
    keys[0] = "another"
    with pytest.raises(StreamKeyRefusedError):
        follower.conclude()


@given(st.text())
def test_no_text_without_the_key_opens(text: str) -> None:
    with pytest.raises(StreamKeyRefusedError):
        shown(text)
    with pytest.raises(StreamKeyRefusedError):
        shown(warning(text))
