import pytest

from streamrp2p.errors import MalformedError
from streamrp2p.numbers import fixed, uint


@pytest.mark.parametrize("value", [0, 1, 2**64 - 1])
def test_unsigned_integers_within_their_width_pass(value: int) -> None:
    assert uint(value, 64, "epoch") == value


@pytest.mark.parametrize(
    "value", [-1, 2**64, 1 << 20_000, True, 1.0, "1", None], ids=lambda value: type(value).__name__
)
def test_anything_else_is_malformed_and_named(value: object) -> None:
    with pytest.raises(MalformedError, match="epoch"):
        uint(value, 64, "epoch")


def test_bytes_of_the_right_length_pass() -> None:
    assert fixed(b"ab", 2, "code") == b"ab"


@pytest.mark.parametrize("value", [b"", b"abc", bytearray(b"ab"), "ab", None])
def test_other_lengths_and_types_are_malformed_and_named(value: object) -> None:
    with pytest.raises(MalformedError, match="code must have 2 bytes"):
        fixed(value, 2, "code")
