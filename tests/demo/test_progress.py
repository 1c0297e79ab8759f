"""Live progress: plain lines where there is no terminal, a current line where there is one."""

import io

from rich.console import Console

from streamrp2p_demo.progress import Progress


class Clock:
    """Says what it was told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_events_are_plain_lines_with_the_seconds_since_the_start() -> None:
    output, clock = io.StringIO(), Clock()
    with Progress(Console(file=output, width=80), clock) as progress:
        clock.now = 112.5
        progress.now("waiting")
        progress.tell("epoch 0 is final [1]")

    assert output.getvalue() == "  12.5 s  epoch 0 is final [1]\n"


def test_a_terminal_shows_what_is_going_on_now() -> None:
    output, clock = io.StringIO(), Clock()
    with Progress(Console(file=output, width=80, force_terminal=True), clock) as progress:
        progress.now("waiting for anvil")
        progress.tell("anvil runs")

    assert "anvil runs" in output.getvalue()
    assert "waiting for anvil" in output.getvalue()
