"""Run halmos, and begin anew when it crashes: z3 does so now and then while threads solve, and that is no verdict."""

import subprocess
import sys
from collections.abc import Sequence

TRIES = 3


def main(command: Sequence[str]) -> int:
    """Run a command until it ends by itself, and give its exit status; 1 when each of TRIES ends by a signal."""
    for _ in range(TRIES):
        status = subprocess.call(command)
        if status >= 0:
            return status
        print(f"ended by signal {-status}, which says nothing of the proofs", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
