"""How a person or the system stops a run: by a signal, which becomes an exception in the main thread."""

import signal
from types import FrameType

from streamrp2p_demo.errors import StoppedError

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def stop_on_signals() -> None:
    """Let the first of these signals raise StoppedError. One that is ignored, as by nohup, stays so."""
    for number in STOP_SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def _stop(number: int, _frame: FrameType | None) -> None:
    # A second signal must not interrupt the stopping.
    for other in STOP_SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise StoppedError(f"stopped by {signal.Signals(number).name}")
