"""docs/errors.md: every expected failure of every package, from the classes themselves."""

import importlib
import inspect
import pkgutil
from collections import defaultdict
from pathlib import Path

from streamrp2p.errors import StreamrP2PError
from streamrp2p.verify import Code

PACKAGES = (
    "streamrp2p",
    "streamrp2p_coordinator",
    "streamrp2p_node",
    "streamrp2p_origin",
    "streamrp2p_signer",
    "streamrp2p_auditor",
    "streamrp2p_demo",
)
INTRODUCTION = """\
# Expected failures

Every failure that a person, a peer or a machine can cause is one of these classes; its message says
what to do. A command prints it as one line and exits with 1 (a negative result), 2 (usage,
configuration, environment) or 3 (something outside is down: try again). Over HTTP it is a problem
document (RFC 9457) of type `urn:streamrp2p:problem:<slug>`. Anything else is a bug and shows a
traceback. Rejections of receipts are not errors but signed answers:
[section 4 of the protocol](protocol.md#4-intake) says when each is given.

This page is generated from the code.
"""


def files() -> dict[Path, bytes]:
    """Write one table per package: class, whether trying again helps, meaning."""
    for package in PACKAGES:
        _import_all(package)
    by_package: dict[str, list[type[StreamrP2PError]]] = defaultdict(list)
    for error in sorted(_below(StreamrP2PError), key=lambda error: error.__name__):
        by_package[error.__module__.split(".")[0]].append(error)
    text = INTRODUCTION
    for package in PACKAGES:
        if own := by_package[package]:
            text += f"\n## `{package}`\n\n| error | try again | means |\n|---|---|---|\n"
            text += "".join(
                f"| `{error.__name__}` | {'yes' if error.retryable else 'no'} | {_meaning(error)} |\n"
                for error in own
            )
    text += "\n## Rejection codes\n\n| code | name |\n|---|---|\n"
    text += "".join(f"| {code.value} | {code.name} |\n" for code in Code)
    return {Path("docs/errors.md"): text.encode()}


def _import_all(package: str) -> None:
    module = importlib.import_module(package)
    for found in pkgutil.walk_packages(module.__path__, f"{package}."):
        # Migration scripts run inside Alembic alone, and main modules start something.
        if "migrations" not in found.name and not found.name.endswith("__main__"):
            importlib.import_module(found.name)


def _below(root: type[StreamrP2PError]) -> set[type[StreamrP2PError]]:
    return {root}.union(*(_below(child) for child in root.__subclasses__()))


def _meaning(error: type[StreamrP2PError]) -> str:
    paragraph = (inspect.getdoc(error) or "").split("\n\n")[0]
    return " ".join(paragraph.split()).replace("|", "\\|")
