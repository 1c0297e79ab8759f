"""Which bytes a Range header asks for."""

import pytest

from streamrp2p.byte_range import RangeError, byte_range, content_range


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("bytes=0-0", range(1)),
        ("bytes=0-99", range(100)),
        ("bytes=900-999", range(900, 1000)),
        ("bytes=900-5000", range(900, 1000)),
        ("bytes=999-", range(999, 1000)),
        ("bytes=-1", range(999, 1000)),
        ("bytes=-3", range(997, 1000)),
        ("bytes=-5000", range(1000)),
        ("Bytes= 5-5 ", range(5, 6)),
    ],
)
def test_one_range_is_served(header: str, wanted: range) -> None:
    assert byte_range(header, 1000) == wanted


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes=-",
        "bytes=5-4",
        "bytes=0-0,5-5",
        "items=0-5",
        "bytes=a-b",
        "bytes=0x1-2",
        "bytes=1-2\n",
        "bytes=" + "9" * 16 + "-",
        "bytes=" + "9" * 5000 + "-",
    ],
)
def test_what_is_not_one_range_of_bytes_is_passed_over(header: str | None) -> None:
    assert byte_range(header, 1000) is None


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-2000", "bytes=-0"])
def test_a_range_behind_the_end_is_refused_with_the_length(header: str) -> None:
    with pytest.raises(RangeError, match="has 1000 bytes") as refused:
        byte_range(header, 1000)
    assert refused.value.length_bytes == 1000
    assert refused.value.content_range == "bytes */1000"


def test_a_part_is_named_by_its_first_and_last_byte() -> None:
    assert content_range(range(100, 350), 1000) == "bytes 100-349/1000"
