"""What a person sees while the demo runs: one line for each event, and on a terminal a line that is always now."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.status import Status


@dataclass(slots=True)
class Progress:
    """Tells events with the seconds since the start. Without a terminal, the current line is left out."""

    console: Console
    clock: Callable[[], float] = time.monotonic
    started_at: float = field(init=False)
    _status: Status | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.started_at = self.clock()

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._status = self.console.status("starting")
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return self.clock() - self.started_at

    def tell(self, event: str, *, style: str = "") -> None:
        """Print an event that happened."""
        text = f"[{style}]{escape(event)}[/]" if style else escape(event)
        self.console.print(f"[dim]{self.seconds:6.1f} s[/]  {text}", highlight=False)

    def now(self, state: str) -> None:
        """Show what is going on; each call replaces the one before."""
        if self._status is not None:
            self._status.update(f"{self.seconds:.0f} s  {escape(state)}")
