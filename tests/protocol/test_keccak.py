from hypothesis import given
from hypothesis import strategies as st

from streamrp2p.keccak import keccak, keccak_stream


def test_is_keccak_and_not_sha3() -> None:
    assert keccak(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert (
        keccak(b"abc").hex() == "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"
    )


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_a_stream_of_chunks_hashes_as_their_concatenation(chunks: list[bytes]) -> None:
    assert keccak_stream(chunks) == keccak(b"".join(chunks))
