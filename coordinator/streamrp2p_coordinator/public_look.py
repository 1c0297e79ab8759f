"""Look at the coordinator as everybody else reaches it: by its public URL."""

import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from streamrp2p.client import CoordinatorClient
from streamrp2p.deadline import DeadlineTransport
from streamrp2p.errors import StreamrP2PError
from streamrp2p.numbers import Address
from streamrp2p_coordinator.findings import Finding, judge_certificate
from streamrp2p_coordinator.network import Clock
from streamrp2p_coordinator.settings import Settings

LOOK_SECONDS = 10


def public(
    settings: Settings,
    poster: Address | None,
    clock: Clock,
    trusted: ssl.SSLContext | None = None,
) -> Iterator[Finding]:
    """Look at `public_url`: its certificate, and that this coordinator answers there.

    `trusted` holds the authorities that count, by default those of this machine.
    """
    if settings.public_url is None:
        yield Finding(
            "public URL",
            "warn",
            "public_url is not set, so what viewers and nodes reach was not looked at",
            "set it to the https URL of the API",
        )
        return
    context = trusted or ssl.create_default_context()
    certificate = _certificate(settings.public_url, context, clock())
    yield certificate
    if certificate.level != "fail":
        yield _answer(settings.public_url, poster, context)


def _certificate(url: str, context: ssl.SSLContext, now: int) -> Finding:
    check = "public URL's TLS"
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    if parts.scheme == "http":
        return Finding(
            check,
            "warn",
            "public_url has no TLS: browsers show no stream from it on a page that has",
            "put a proxy with a certificate before the API, and set public_url to its https URL",
        )
    try:
        with (
            socket.create_connection((host, port), LOOK_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as wrapped,
        ):
            ends_at = dict(wrapped.getpeercert() or {})["notAfter"]
    except ssl.SSLCertVerificationError as error:
        return Finding(
            check,
            "fail",
            f"nobody trusts the certificate of {host}: {error.verify_message}",
            "let the proxy send a certificate of a public authority for this name, with its whole chain",
        )
    except OSError as error:
        return Finding(
            check,
            "fail",
            f"nothing speaks TLS at {host}:{port} ({error})",
            "start the proxy, and check the name's address and the firewall",
            may_pass=True,
        )
    return judge_certificate(check, int(ssl.cert_time_to_seconds(str(ends_at))), now)


def _answer(url: str, poster: Address | None, context: ssl.SSLContext) -> Finding:
    check = "public URL"
    try:
        with CoordinatorClient(url, attempts=1, transport=DeadlineTransport(tls=context)) as client:
            found = client.config().poster
    except StreamrP2PError as error:
        return Finding(
            check,
            "fail",
            f"no coordinator answers at {url}: {error}",
            "let the proxy pass requests on to the port of the settings",
            may_pass=True,
        )
    if poster in (None, found):
        return Finding(check, "ok", f"this coordinator answers at {url}")
    return Finding(
        check,
        "fail",
        f"a coordinator of another poster (0x{found.hex()}) answers at {url}",
        "correct public_url, or the proxy",
    )
