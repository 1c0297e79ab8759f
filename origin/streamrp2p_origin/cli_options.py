"""Options that the origin's commands share."""

from pathlib import Path
from typing import Annotated

import typer

from streamrp2p_origin.ladder import Ladder, parse


def _ladder(text: str) -> Ladder:
    try:
        return parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


Folder = Annotated[Path, typer.Option("--dir", help="The origin's folder: keys and segments.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON; log in JSON lines.")]
LadderOption = Annotated[
    Ladder,
    typer.Option(
        parser=_ladder,
        metavar="source,HEIGHTp:KBIT,...",
        help="Renditions; those no smaller than the source are left out.",
    ),
]
