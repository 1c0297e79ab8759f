"""The machine and its moment, which belong to every figure of time."""

import os
import re
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.costs.report import Machine

_MODEL = re.compile(r"^model name\s*: (.+)$", re.MULTILINE)


def load() -> float:
    """Return how many processes wanted a core, averaged over the last minute."""
    return round(os.getloadavg()[0], 1)


def machine(load_before: float) -> Machine:
    """Describe this machine now."""
    model = _MODEL.search(Path("/proc/cpuinfo").read_text())
    return Machine(
        datetime.now(UTC).date().isoformat(),
        model[1].strip() if model else os.uname().machine,
        os.cpu_count() or 1,
        (load_before, load()),
    )
