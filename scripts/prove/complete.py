"""Refuse what halmos lets pass: a proof that cut a loop off, and one that is written but did not run."""

import json
import re
import sys
from pathlib import Path

PROOFS = Path("tests/contracts/symbolic")


def written() -> set[str]:
    """Give the name of every proof, as `Contract.check_name`."""
    names: set[str] = set()
    for path in PROOFS.glob("*.sol"):
        contract = ""
        for kind, name in re.findall(
            r"^\s*(contract|function) (\w+)", path.read_text(), re.MULTILINE
        ):
            if kind == "contract":
                contract = name
            elif name.startswith("check_"):
                names.add(f"{contract}.{name}")
    return names


def main(result: str) -> int:
    """Print what is wrong, and give the exit status."""
    runs = json.loads(Path(result).read_text())["test_results"]
    ran: set[str] = set()
    cut: set[str] = set()
    for contract, proofs in runs.items():
        for proof in proofs:
            name = f"{contract.rpartition(':')[2]}.{proof['name'].partition('(')[0]}"
            ran.add(name)
            if proof["num_bounded_loops"]:
                cut.add(name)
    for name in sorted(cut):
        print(f"{name}: a loop was cut off, so this proves less than it says")
    for name in sorted(written() - ran):
        print(f"{name}: did not run")
    print(f"{len(ran)} proofs")
    return 1 if cut or written() != ran else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
