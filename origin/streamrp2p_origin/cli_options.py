"""Options that the origin's commands share."""

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Option("--dir", help="The origin's folder: keys and segments.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON; log in JSON lines.")]
