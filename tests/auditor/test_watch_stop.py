"""A signal ends the watch, wherever in Python it arrives."""

import signal
import sys
from typing import Any, cast

import pytest

from streamrp2p.chain import Chain
from streamrp2p_auditor.metrics import WatchMetrics
from streamrp2p_auditor.watch import _until_stopped
from streamrp2p_auditor.watchman import Watchman


class Ghost:
    """Is signalled in its destructor, where Python drops every exception."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)


class Rounds:
    """A watchman that is signalled in its first round, and bears no third."""

    def __init__(self) -> None:
        self.count = 0
        self.bell = self

    def round(self, _: Chain) -> bool:
        self.count += 1
        assert self.count < 3
        Ghost()
        return False

    def deliver(self) -> None:
        pass


def test_a_signal_whose_exception_is_lost_ends_the_watch_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lost: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lost.append)
    rounds = Rounds()
    before = signal.getsignal(signal.SIGTERM)
    watchman = cast("Watchman", rounds)
    _until_stopped(
        watchman, lambda: cast("Chain", object()), 0.01, WatchMetrics(watchman, poll_seconds=0.01)
    )
    assert rounds.count == 1
    assert len(lost) == 1
    assert signal.getsignal(signal.SIGTERM) == before
