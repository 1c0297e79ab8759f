import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p.epoch_clock import EpochClock
from streamrp2p.errors import BeforeGenesisError

CLOCK = EpochClock(genesis=1000, epoch_seconds=60, intake_grace_seconds=10)


def test_an_epoch_begins_where_the_one_before_ends() -> None:
    assert [CLOCK.start(epoch) for epoch in range(3)] == [1000, 1060, 1120]
    assert CLOCK.end(1) == CLOCK.start(2)
    assert CLOCK.intake_end(1) == 1130


@pytest.mark.parametrize(("now", "epoch"), [(1000, 0), (1059, 0), (1060, 1), (1119, 1), (1120, 2)])
def test_a_time_belongs_to_one_epoch(now: int, epoch: int) -> None:
    assert CLOCK.at(now) == epoch


@given(st.integers(1000, 2**40))
def test_the_epoch_of_a_time_covers_it(now: int) -> None:
    epoch = CLOCK.at(now)
    assert CLOCK.start(epoch) <= now < CLOCK.end(epoch)


def test_before_genesis_there_is_no_epoch() -> None:
    with pytest.raises(BeforeGenesisError, match="begins at 1000, it is 999") as caught:
        CLOCK.at(999)
    assert caught.value.retryable
