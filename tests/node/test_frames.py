"""The journal's framing survives torn writes and notices damage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p_node.frames import MAGIC, MAX_PAYLOAD_BYTES, Frame, Scan, encode_journal, scan

FRAMES = st.lists(
    st.builds(Frame, st.integers(0, 255), st.binary(max_size=300)), min_size=0, max_size=8
)


def test_a_frame_is_length_kind_payload_and_crc() -> None:
    assert Frame(2, b"abc").encode().hex() == "000000030261626342eef5e2"


def test_an_empty_journal_is_its_magic() -> None:
    assert encode_journal([]) == b"SRP2PNJ1"
    assert scan(b"SRP2PNJ1") == Scan((), 8)


@pytest.mark.parametrize("data", [b"", b"SRP2PNJ", b"SRP2PNJ2", b"something else"])
def test_a_file_that_does_not_begin_as_a_journal_holds_nothing(data: bytes) -> None:
    assert scan(data) == Scan((), 0)


def test_a_payload_beyond_the_bound_is_not_written() -> None:
    with pytest.raises(ValueError, match="at most 4096 bytes"):
        Frame(1, bytes(MAX_PAYLOAD_BYTES + 1)).encode()


@given(FRAMES)
def test_what_was_written_is_read(frames: list[Frame]) -> None:
    data = encode_journal(frames)
    assert scan(data) == Scan(tuple(frames), len(data))


@given(FRAMES, st.data())
def test_a_journal_cut_anywhere_gives_all_frames_that_are_whole(
    frames: list[Frame], data: st.DataObject
) -> None:
    whole = encode_journal(frames)
    cut = data.draw(st.integers(len(MAGIC), len(whole)))
    found = scan(whole[:cut])
    assert found.frames == tuple(frames[: len(found.frames)])
    assert found.intact_bytes == len(encode_journal(found.frames)) <= cut
    kept = len(found.frames)
    if kept < len(frames):
        assert len(encode_journal(frames[: kept + 1])) > cut


@given(FRAMES, st.data())
def test_one_altered_byte_never_alters_a_frame_that_is_read(
    frames: list[Frame], data: st.DataObject
) -> None:
    whole = bytearray(encode_journal(frames))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    found = scan(bytes(whole))
    assert found.frames == tuple(frames[: len(found.frames)])
    assert found.intact_bytes <= at


@given(st.binary(max_size=500))
def test_any_bytes_can_be_scanned(data: bytes) -> None:
    found = scan(MAGIC + data)
    assert encode_journal(found.frames) == (MAGIC + data)[: found.intact_bytes]
