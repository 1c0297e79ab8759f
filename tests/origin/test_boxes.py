"""Boxes: split wherever the bytes are cut, and refused when they lie."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p_origin.boxes import (
    MAX_BOX_BYTES,
    BoxReader,
    Fields,
    box,
    child,
    children,
    full_box,
)
from streamrp2p_origin.errors import MalformedMediaError

kinds = st.binary(min_size=4, max_size=4)


@given(st.lists(st.tuples(kinds, st.binary(max_size=50))), st.integers(1, 40))
def test_boxes_come_whole_however_the_stream_is_cut(
    boxes: list[tuple[bytes, bytes]], step: int
) -> None:
    data = b"".join(box(kind, payload) for kind, payload in boxes)
    reader = BoxReader()
    found = [each for at in range(0, len(data), step) for each in reader.feed(data[at : at + step])]
    assert [(each.kind, each.payload) for each in found] == boxes
    reader.end()


def test_size_of_64_bits_is_read() -> None:
    data = struct.pack(">I4sQ", 1, b"mdat", 19) + b"abc"
    (found,) = BoxReader().feed(data)
    assert (found.payload, found.header_bytes, found.length_bytes) == (b"abc", 16, 19)


@pytest.mark.parametrize(
    "header",
    [
        struct.pack(">I4s", 0, b"mdat"),
        struct.pack(">I4s", 7, b"mdat"),
        struct.pack(">I4s", MAX_BOX_BYTES + 1, b"mdat"),
        struct.pack(">I4s", 0xFFFFFFFF, b"mdat"),
        struct.pack(">I4sQ", 1, b"mdat", 15),
        struct.pack(">I4sQ", 1, b"mdat", 2**63),
    ],
)
def test_size_that_cannot_be_is_refused_before_anything_is_kept(header: bytes) -> None:
    with pytest.raises(MalformedMediaError, match="a box says that it has"):
        list(BoxReader().feed(header))


def test_stream_that_ends_within_a_box_is_noticed() -> None:
    reader = BoxReader()
    assert list(reader.feed(box(b"moov", b"12345678")[:-1])) == []
    with pytest.raises(MalformedMediaError, match="ends within a box, of which it has 15 bytes"):
        reader.end()


def test_child_is_found_along_its_path_or_named() -> None:
    payload = box(b"free") + box(b"mdia", box(b"minf", b"x"))
    assert child(payload, b"mdia", b"minf") == b"x"
    with pytest.raises(MalformedMediaError, match="the box stbl is missing"):
        child(payload, b"mdia", b"stbl")


def test_children_must_fill_their_parent() -> None:
    with pytest.raises(MalformedMediaError):
        list(children(box(b"free") + b"\0\0\0"))


def test_fields_are_big_endian_and_end() -> None:
    fields = Fields(full_box(b"tfdt", 1, 0xABCDEF, b"\xff\xff\xff\xfe")[8:])
    assert fields.version_and_flags() == (1, 0xABCDEF)
    assert fields.signed(4) == -2
    with pytest.raises(MalformedMediaError, match="ends before its last field"):
        fields.unsigned(1)
