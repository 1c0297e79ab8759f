"""What a bounded store drops."""

from hypothesis import given
from hypothesis import strategies as st

from streamrp2p_node.lru import Lru

A, B, C = b"a", b"b", b"c"


def test_the_least_recently_used_goes_first() -> None:
    lru = Lru(100)
    assert lru.add(A, 40) == []
    assert lru.add(B, 40) == []
    assert lru.touch(A)
    assert lru.add(C, 40) == [B]
    assert list(lru) == [A, C]


def test_what_is_larger_than_everything_is_not_taken_and_drops_nothing() -> None:
    lru = Lru(100)
    lru.add(A, 100)
    assert lru.add(B, 101) is None
    assert list(lru) == [A]


def test_touching_what_is_not_there_does_nothing() -> None:
    assert not Lru(1).touch(A)


@given(
    st.lists(st.tuples(st.sampled_from([A, B, C, b"d", b"e"]), st.integers(0, 60))),
    st.integers(0, 120),
)
def test_the_sum_never_exceeds_the_bound_and_what_is_dropped_is_gone(
    adds: list[tuple[bytes, int]], bound: int
) -> None:
    lru = Lru(bound)
    sizes: dict[bytes, int] = {}
    for key, size in adds:
        dropped = lru.add(key, size)
        if dropped is None:
            assert size > bound
            continue
        sizes[key] = size
        for old in dropped:
            del sizes[old]
        assert set(lru) == set(sizes)
        assert lru.total_bytes == sum(sizes.values()) <= bound
