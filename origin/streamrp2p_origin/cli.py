"""`streamrp2p origin`: make the keys, run, and push a test stream."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from streamrp2p.cli_options import LogFormatOption, explained
from streamrp2p.logs import set_up_logs
from streamrp2p_origin import identity, key_cli
from streamrp2p_origin.cli_options import AsJson, Folder, LadderOption
from streamrp2p_origin.ladder import DEFAULT_LADDER
from streamrp2p_origin.packaging import Packaging
from streamrp2p_origin.registry import pool_facts
from streamrp2p_origin.stream_key import StreamKey

app = typer.Typer(
    help="Publish a stream: take it from an encoder, sign its segments.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(key_cli.app, name="key")


@app.command()
def init(folder: Folder, as_json: AsJson = False) -> None:
    """Make the origin's signing key and its stream key, readable by you alone."""
    key = StreamKey(folder)
    with explained():
        address = f"0x{identity.create(folder).address.hex()}"
        key.create()
    if as_json:
        typer.echo(json.dumps({"address": address, "streamKeyFile": str(key.path)}))
        return
    typer.echo(f"Origin key: {address}")
    typer.echo(f"Stream key for your encoder: streamrp2p origin key show --dir {folder}")
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
    ingest_host: Annotated[
        str, typer.Option(help="Interface of the ports that encoders connect to.")
    ] = "127.0.0.1",
    rtmp_port: Annotated[int, typer.Option(help="RTMP port.", min=1, max=65535)] = 1935,
    srt_port: Annotated[
        int | None, typer.Option(help="Also take SRT, at this UDP port.", min=1, max=65535)
    ] = None,
    ingest_server: Annotated[
        str | None,
        typer.Option(
            help="Take encoders through nginx-rtmp, SRS or MediaMTX at rtmp://127.0.0.1:PORT/APP, "
            "instead of listening itself."
        ),
    ] = None,
    callback_port: Annotated[
        int, typer.Option(help="Where that server asks, on 127.0.0.1.", min=1, max=65535)
    ] = 8090,
    ladder: LadderOption = DEFAULT_LADDER,  # type: ignore[assignment] # Typer parses it.
    segment_seconds: Annotated[
        float, typer.Option(help="Wanted length of a segment.", min=0.5, max=10)
    ] = 2.0,
    part_seconds: Annotated[
        float, typer.Option(help="Wanted length of a part.", min=0.1, max=2)
    ] = 0.5,
    dvr_seconds: Annotated[
        float, typer.Option(help="How far viewers can go back.", min=20, max=40_000)
    ] = 600.0,
    log_format: LogFormatOption = None,
    as_json: AsJson = False,
) -> None:
    """Take an encoder with the stream key at rtmp://HOST:PORT/live and serve signed HLS until SIGTERM."""
    from streamrp2p_origin.ingest_server import Server  # noqa: PLC0415 - `init` needs no server
    from streamrp2p_origin.listeners import Ports  # noqa: PLC0415
    from streamrp2p_origin.publisher import Stream  # noqa: PLC0415
    from streamrp2p_origin.service import serve  # noqa: PLC0415

    set_up_logs(log_format or ("json" if as_json else "console"))
    try:
        packaging = Packaging(ladder, segment_seconds, part_seconds, dvr_seconds)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    with explained():
        keys = identity.load(folder)
        facts = pool_facts(pool, keys.address, coordinator, rpc, deployment)
        stream = Stream(pool, facts.domain, facts.max_bytes_per_second, packaging)
        inlets = (
            Ports(ingest_host, rtmp_port, srt_port)
            if ingest_server is None
            else Server.parse(ingest_server, callback_port)
        )
        asyncio.run(serve(folder, keys, stream, host, port, inlets))


@app.command("publish-test")
def publish_test(
    rtmp: Annotated[
        str | None, typer.Option(help="Where to push, such as rtmp://127.0.0.1:1935/live/KEY.")
    ] = None,
    srt: Annotated[
        str | None,
        typer.Option(help="The same over SRT, such as srt://127.0.0.1:9000?passphrase=KEY."),
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(help="File with the stream key, which the address then leaves out."),
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long.", min=1)] = 30.0,
    bitrate: Annotated[int, typer.Option(help="Video, kbit/s.", min=50, max=50_000)] = 1000,
    key_frame_seconds: Annotated[
        float, typer.Option(help="Distance of key frames.", min=0.1, max=20)
    ] = 1.0,
) -> None:
    """Encode a test picture and a tone in real time and push them over RTMP or SRT."""
    from streamrp2p_origin.encoder import destination  # noqa: PLC0415
    from streamrp2p_origin.encoder import publish_test as push  # noqa: PLC0415

    with explained():
        push(
            destination(rtmp, srt, key_file),
            seconds=seconds,
            video_kbit=bitrate,
            key_frame_seconds=key_frame_seconds,
        )
