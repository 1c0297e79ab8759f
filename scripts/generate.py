"""Write the generated files, or with `--check` say which ones are stale.

Each module in `scripts/generators` has a function `files()` that returns the bytes of the files it
is the source of, by their path below the root of the repository.
"""

import argparse
import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def generator_names() -> list[str]:
    """Name every generator, in the order they run."""
    return sorted(
        path.stem
        for path in (ROOT / "scripts" / "generators").glob("*.py")
        if not path.stem.startswith("_")
    )


def generated_files(names: list[str]) -> dict[Path, bytes]:
    """Ask the generators for their files."""
    files: dict[Path, bytes] = {}
    for name in names:
        made = import_module(f"scripts.generators.{name}").files()
        if clash := files.keys() & made.keys():
            raise SystemExit(f"{name} makes files that another generator makes: {sorted(clash)}")
        files |= made
    return files


def stale(files: dict[Path, bytes]) -> list[Path]:
    """Name the files whose bytes on disk are not the generated ones."""
    return [
        path
        for path, content in sorted(files.items())
        if not (ROOT / path).is_file() or (ROOT / path).read_bytes() != content
    ]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit code is 1 if `--check` found a stale file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing, name stale files")
    parser.add_argument("--only", action="append", metavar="GENERATOR", choices=generator_names())
    options = parser.parse_args(arguments)
    files = generated_files(options.only or generator_names())
    changed = stale(files)
    for path in changed:
        if options.check:
            print(f"stale: {path} (run `make generate`)")
        else:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_bytes(files[path])
            print(f"wrote {path}")
    print(f"{len(files)} generated files, {len(changed)} {'stale' if options.check else 'written'}")
    return 1 if options.check and changed else 0


if __name__ == "__main__":
    # The generators are imported from the root, wherever the command was started.
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
