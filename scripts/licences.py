"""Check that every package which the project installs has a licence that we can work with: `make licences`.

What is allowed, and every exception with its reason, is in `[tool.licences]` of pyproject.toml.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

import typer

ROOT = Path(__file__).parent.parent
OWN = {"streamrp2p"}
CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""SPDX ids of the trove classifiers that older packages tell their licence by."""
_PREFIX = "License :: OSI Approved :: "


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package; `licence` is an SPDX expression, or what the package says instead."""

    registry: str
    name: str
    licence: str


def main(*, as_json: bool = typer.Option(False, "--json", help="Print every package.")) -> None:
    """List the packages whose licence is neither allowed nor excepted; exit 1 if there are any."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        policy = tomllib.load(file)["tool"]["licences"]
    packages = sorted({*python_packages(), *npm_packages(ROOT)}, key=lambda each: each.name.lower())
    refused = [each for each in packages if not is_allowed(each, policy)]
    if as_json:
        shown = [
            {"registry": each.registry, "name": each.name, "licence": each.licence}
            | {"isAllowed": each not in refused}
            for each in packages
        ]
        typer.echo(json.dumps(shown))
    else:
        for each in refused:
            typer.echo(f"{each.registry}: {each.name}: {each.licence}", err=True)
        typer.echo(f"{len(packages)} packages, {len(refused)} with a licence that is not allowed")
    sys.exit(1 if refused else 0)


def is_allowed(package: Package, policy: Mapping[str, Any]) -> bool:
    """Tell whether the policy names the package, or allows one alternative of its licence as a whole."""
    if package.name in policy["exceptions"]:
        return True
    alternatives = re.split(r"\s+OR\s+", package.licence.replace("(", "").replace(")", ""))
    return any(
        all(each in policy["allowed"] for each in re.split(r"\s+AND\s+", alternative))
        for alternative in alternatives
    )


def python_packages() -> Iterator[Package]:
    """Give what is installed beside this interpreter."""
    for distribution in distributions():
        if distribution.metadata["Name"] not in OWN:
            yield _python_package(distribution)


def _python_package(distribution: Distribution) -> Package:
    metadata = distribution.metadata
    if "License-Expression" in metadata:
        told = metadata["License-Expression"]
    elif classifiers := [
        each.removeprefix(_PREFIX)
        for each in metadata.get_all("Classifier") or ()
        if each.startswith(_PREFIX)
    ]:
        # Several of them mean that all hold, as far as anybody can tell.
        told = " AND ".join(CLASSIFIERS.get(each, each) for each in classifiers)
    else:
        told = next(iter(metadata.get_all("License") or ()), "")
    return Package("PyPI", metadata["Name"], (told.strip() or "no licence is told").splitlines()[0])


def npm_packages(root: Path) -> Iterator[Package]:
    """Give what `package-lock.json` installs."""
    locked = json.loads((root / "package-lock.json").read_text())["packages"]
    for path, entry in locked.items():
        if path.startswith("node_modules/") and not entry.get("link"):
            name = path.rpartition("node_modules/")[2]
            yield Package("npm", name, entry.get("license") or _told_inside(root / path))


def _told_inside(folder: Path) -> str:
    """Return what a package says in the form of before SPDX; the lock does not take that over."""
    file = folder / "package.json"
    if not file.exists():
        return "not installed here"
    told = json.loads(file.read_text()).get("licenses") or [{}]
    return " OR ".join(str(each.get("type")) for each in told)


if __name__ == "__main__":
    typer.run(main)
