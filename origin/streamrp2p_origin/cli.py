"""`streamrp2p origin`: make the key, run, and push a test stream."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from streamrp2p.cli_options import explained
from streamrp2p.logs import set_up_logs
from streamrp2p_origin import identity
from streamrp2p_origin.registry import pool_facts

app = typer.Typer(
    help="Publish a stream: take RTMP, sign its segments.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Folder = Annotated[Path, typer.Option("--dir", help="The origin's folder: keys and segments.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON; log in JSON lines.")]


@app.command()
def init(folder: Folder, as_json: AsJson = False) -> None:
    """Make the origin's signing key, readable by you alone."""
    with explained():
        address = f"0x{identity.create(folder).address.hex()}"
    if as_json:
        typer.echo(json.dumps({"address": address}))
        return
    typer.echo(f"Origin key: {address}")
    typer.echo(
        "Next: name the origin key in your pool's stream record, then: streamrp2p origin run"
    )


@app.command()
def run(
    *,
    folder: Folder,
    pool: Annotated[int, typer.Option(help="The pool whose stream this is.", min=0)],
    coordinator: Annotated[
        str | None, typer.Option(help="Coordinator's URL, to learn chain and contracts from.")
    ] = None,
    rpc: Annotated[
        str | None, typer.Option(help="Chain's RPC URL, instead of a coordinator.")
    ] = None,
    deployment: Annotated[
        Path | None, typer.Option(help="Deployment file that goes with --rpc.")
    ] = None,
    host: Annotated[str, typer.Option(help="Interface of the HTTP port.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="HTTP port; 0 chooses one.", min=0, max=65535)] = 8080,
    rtmp_host: Annotated[
        str, typer.Option(help="Interface of the RTMP port: who reaches it can publish.")
    ] = "127.0.0.1",
    rtmp_port: Annotated[int, typer.Option(help="RTMP port.", min=1, max=65535)] = 1935,
    segment_seconds: Annotated[
        float, typer.Option(help="Wanted length of a segment.", min=0.5, max=10)
    ] = 2.0,
    window: Annotated[int, typer.Option(help="Segments in the playlist.", min=3, max=100)] = 10,
    as_json: AsJson = False,
) -> None:
    """Take RTMP at rtmp://HOST:PORT/live/NAME and serve signed HLS until SIGTERM."""
    from streamrp2p_origin.publisher import Stream  # noqa: PLC0415 - `init` needs no server
    from streamrp2p_origin.service import Ports, serve  # noqa: PLC0415

    set_up_logs("json" if as_json else "console")
    with explained():
        keys = identity.load(folder)
        domain = pool_facts(pool, keys.address, coordinator, rpc, deployment)
        stream = Stream(pool, domain, segment_seconds, window)
        asyncio.run(serve(folder, keys, stream, Ports(host, port, rtmp_host, rtmp_port)))


@app.command("publish-test")
def publish_test(
    rtmp: Annotated[
        str,
        typer.Option(help="Where to push, such as rtmp://127.0.0.1:1935/live/stream."),
    ],
    seconds: Annotated[float, typer.Option(help="How long.", min=1)] = 30.0,
    bitrate: Annotated[int, typer.Option(help="Video, kbit/s.", min=50, max=50_000)] = 1000,
    key_frame_seconds: Annotated[
        float, typer.Option(help="Distance of key frames.", min=0.1, max=20)
    ] = 1.0,
) -> None:
    """Encode a test picture and a tone in real time and push them to an RTMP server."""
    from streamrp2p_origin.encoder import publish_test as push  # noqa: PLC0415

    with explained():
        push(rtmp, seconds=seconds, video_kbit=bitrate, key_frame_seconds=key_frame_seconds)
