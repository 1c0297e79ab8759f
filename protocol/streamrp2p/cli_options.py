"""What the SDK's commands share: options, keys from files, exit codes, and errors of one line."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from streamrp2p.errors import StreamrP2PError
from streamrp2p.keys import load_key_file, load_keystore, read_password
from streamrp2p.numbers import ZERO_ADDRESS, Address

EXIT_NEGATIVE = 1
"""The answer is no, or the chain or a server refused."""
EXIT_USAGE = 2
"""Arguments, files or the environment are wrong."""
EXIT_RETRY = 3
"""Something outside is down or not ready: the same command may succeed later."""

RpcOption = Annotated[
    str,
    typer.Option(
        "--rpc",
        envvar="STREAMRP2P_RPC",
        metavar="URL",
        help="The chain's RPC. Several, separated by commas, are tried in order.",
    ),
]
DeploymentOption = Annotated[
    Path,
    typer.Option(
        "--deployment",
        envvar="STREAMRP2P_DEPLOYMENT",
        metavar="FILE",
        help="The deployment file: which chain, which contracts.",
    ),
]
BundleServerOption = Annotated[
    str | None,
    typer.Option(
        "--coordinator",
        envvar="STREAMRP2P_COORDINATOR",
        metavar="URL",
        help="The coordinator, of which only bundles are asked.",
    ),
]
MirrorOption = Annotated[
    list[str] | None,
    typer.Option(
        "--mirror",
        metavar="URL",
        help="Another server of /v1/bundles/…; may be given again.",
    ),
]
BundleOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--bundle", metavar="FILE", help="A bundle of the epoch or its parent; may be given again."
    ),
]
KeystoreOption = Annotated[
    Path | None,
    typer.Option("--keystore", metavar="FILE", help="The wallet: a Keystore V3 file."),
]
PasswordFileOption = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        metavar="FILE",
        help="Holds the keystore's password. Without it you are asked.",
    ),
]
KeyFileOption = Annotated[
    Path | None,
    typer.Option(
        "--key-file",
        metavar="FILE",
        help="The wallet: a file of mode 600 with a private key of 64 hex digits.",
    ),
]
DEFAULT_METRICS_HOST = "127.0.0.1"
MetricsPortOption = Annotated[
    int | None,
    typer.Option(
        "--metrics-port",
        envvar="STREAMRP2P_METRICS_PORT",
        metavar="PORT",
        min=0,
        max=65535,
        help="Show /metrics, /healthz and /readyz here. Without it, nowhere.",
    ),
]
MetricsHostOption = Annotated[
    str,
    typer.Option(
        "--metrics-host",
        envvar="STREAMRP2P_METRICS_HOST",
        metavar="ADDRESS",
        help="Where --metrics-port listens: this machine alone, unless you say otherwise.",
    ),
]
TracesEndpointOption = Annotated[
    str | None,
    typer.Option(
        "--traces-endpoint",
        envvar="STREAMRP2P_TRACES_ENDPOINT",
        metavar="URL",
        help="Send OpenTelemetry traces here, as to http://127.0.0.1:4318/v1/traces. Without it, none are made.",
    ),
]
LogFormatOption = Annotated[
    Literal["console", "json"] | None,
    typer.Option(
        "--log-format",
        envvar="STREAMRP2P_LOG_FORMAT",
        help="How the log is written to standard error. Without it, for people at a terminal, else as JSON.",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object; amounts in base units.")
]


class UsageError(StreamrP2PError):
    """Options that do not go together."""

    is_usage = True


def exit_code_of(error: StreamrP2PError) -> int:
    """Return the exit code that tells a script what kind of failure it was."""
    if error.retryable:
        return EXIT_RETRY
    return EXIT_USAGE if error.is_usage else EXIT_NEGATIVE


@contextmanager
def explained() -> Iterator[None]:
    """Turn expected failures into one line on standard error and an exit code."""
    try:
        yield
    except StreamrP2PError as error:
        stop(str(error), exit_code_of(error))


def stop(message: str, exit_code: int) -> NoReturn:
    """Print one line on standard error and exit."""
    typer.echo(f"Error: {message}", err=True)
    raise typer.Exit(exit_code)


def confirm(question: str, *, yes: bool) -> None:
    """Ask on standard error unless `yes`; raises UsageError for anything but a yes, also where nobody can answer."""
    if yes:
        return
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        typer.echo(err=True)
        raise UsageError(
            "nothing was done: nobody answered; to go ahead unasked, add --yes"
        ) from None
    if not agreed:
        raise UsageError("nothing was done")


def wallet_key(keystore: Path | None, password_file: Path | None, key_file: Path | None) -> bytes:
    """Return the private key of the wallet that the options name; raises UsageError or KeystoreError."""
    if (keystore is None) == (key_file is None):
        raise UsageError("name the wallet with either --keystore or --key-file")
    if keystore is None:
        assert key_file is not None  # noqa: S101 - the check above
        return load_key_file(key_file)
    password = read_password(file=password_file, prompt=f"Password of {keystore}: ")
    return load_keystore(keystore, password)


def parse_address(text: str, option: str) -> Address:
    """Return the 20 bytes of `0x` and 40 hex digits; a mixed-case one must have its EIP-55 checksum."""
    from eth_utils.address import is_checksum_address  # noqa: PLC0415 - it takes a second, which `--help` must not

    digits = text.removeprefix("0x")
    try:
        address = bytes.fromhex(digits)
    except ValueError:
        address = b""
    if not text.startswith("0x") or len(digits) != 40 or len(address) != 20:  # noqa: PLR2004
        raise UsageError(f"{option} must be an address of 0x and 40 hex digits")
    if digits not in (digits.lower(), digits.upper()) and not is_checksum_address(text):
        raise UsageError(f"{option}: the address has a typing error (its checksum is wrong)")
    if address == ZERO_ADDRESS:
        raise UsageError(f"{option} must not be the zero address")
    return Address(address)


def print_result(
    shown: Mapping[str, object], lines: Mapping[str, object], *, as_json: bool
) -> None:
    """Print a result: `shown` as one JSON object, or `lines` as aligned `name  value` rows."""
    if as_json:
        typer.echo(json.dumps(shown, indent=2))
        return
    width = max(map(len, lines), default=0)
    for name, value in lines.items():
        typer.echo(f"{name:<{width}}  {value}")
