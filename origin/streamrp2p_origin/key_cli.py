"""`streamrp2p origin key`: show and rotate the stream key."""

import json
import time
from typing import Annotated

import typer

from streamrp2p.cli_options import explained
from streamrp2p_origin.cli_options import AsJson, Folder
from streamrp2p_origin.stream_key import StreamKey

app = typer.Typer(help="The stream key, which encoders must show to publish.", no_args_is_help=True)

_DROP_SECONDS = 5.0
"""How long a running origin is waited for; it looks several times a second."""
_POLL_SECONDS = 0.05


@app.command()
def show(folder: Folder, as_json: AsJson = False) -> None:
    """Print the stream key: whoever has it can publish."""
    with explained():
        key = StreamKey(folder).read()
    typer.echo(json.dumps({"streamKey": key}) if as_json else key)


@app.command()
def rotate(
    folder: Folder,
    drop: Annotated[
        bool, typer.Option("--drop", help="Also end the visit of the encoder that is live.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a new stream key; the old one opens nothing any more, also where the origin runs."""
    key = StreamKey(folder)
    with explained():
        key.rotate()
        is_dropped = drop and _drop(key)
    if as_json:
        typer.echo(json.dumps({"file": str(key.path), "dropped": is_dropped}))
        return
    typer.echo(f"There is a new stream key: streamrp2p origin key show --dir {folder}")
    if not drop:
        typer.echo("An encoder that is live goes on with the old one; --drop would end it.")
    elif is_dropped:
        typer.echo("No encoder is live with the old one.")
    else:
        typer.echo("No origin runs in this folder, so there was no encoder to drop.")


def _drop(key: StreamKey) -> bool:
    """Ask the origin to drop its encoder; False when no origin took the request."""
    key.request_drop()
    deadline = time.monotonic() + _DROP_SECONDS
    while key.is_drop_requested():
        if time.monotonic() > deadline:
            return not key.take_drop_request()
        time.sleep(_POLL_SECONDS)
    return True
