"""wrk, and what it found."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPORT = """
done = function(summary)
  local e = summary.errors
  io.write(string.format("bytes=%d micros=%d failed=%d\\n", summary.bytes, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""
_FOUND = re.compile(r"bytes=(\d+) micros=(\d+) failed=(\d+)")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came, and in what time."""

    length_bytes: int
    micros: int

    @property
    def megabytes_per_second(self) -> float:
        """The throughput."""
        return self.length_bytes / self.micros


@dataclass(frozen=True, slots=True)
class Load:
    """One client that asks again as soon as it was answered, on each of its connections."""

    script: Path

    @classmethod
    def make(cls, folder: Path) -> "Load":
        """Write wrk's script into a folder."""
        script = folder / "report.lua"
        script.write_text(REPORT)
        return cls(script)

    def fetched(
        self, url: str, *, connections: int, seconds: float, headers: dict[str, str]
    ) -> Fetched:
        """Fetch `url` over and over; exits when an answer is missing or is not a 200."""
        command = [
            "wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds:.0f}s", "--timeout", "30s",
            "-s", str(self.script), url,
        ]  # fmt: skip
        for name, value in headers.items():
            command += ["-H", f"{name}: {value}"]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found = _FOUND.search(output)
        if found is None or int(found[3]) or not int(found[1]):
            sys.exit(f"wrk did not get what it asked for at {url}:\n{output}")
        return Fetched(int(found[1]), int(found[2]))


def require(*programs: str) -> None:
    """Exit unless all programs are installed."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        sys.exit(f"install {', '.join(missing)} first: apt-get install {' '.join(missing)}")
