"""The steps below HTTP: a connection to each judged address, and the certificate on it."""

import errno
import socket
import ssl
from collections.abc import Sequence

import httpx

from streamrp2p import api
from streamrp2p.foreign_text import printable
from streamrp2p_coordinator.outside.steps import StepFailedError, noted, passed

CONNECT_SECONDS = 4.0
TLS_SECONDS = 5.0
NO_ROUTE = "tcp-no-route"

_NO_WAY = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
_EXPIRED, _NOT_YET, _SELF_SIGNED, _SELF_SIGNED_IN_CHAIN, _NO_ISSUER = 10, 9, 18, 19, 20
_WRONG_NAME, _WRONG_ADDRESS = 62, 64
"""OpenSSL's X509_V_ERR_… numbers."""


def look_at_tcp(addresses: Sequence[str], port: int) -> tuple[list[str], api.CheckStep]:
    """Connect to each address and return those that accept, with the step; raises StepFailedError if none does."""
    failures = {address: _connect(address, port) for address in addresses}
    good = [address for address, failure in failures.items() if failure is None]
    bad = {address: failure for address, failure in failures.items() if failure is not None}
    if not good:
        raise next(iter(bad.values()))
    answered = f"port {port} is open at {', '.join(good)}"
    closed = [address for address, failure in bad.items() if failure.code != NO_ROUTE]
    if not closed:
        unseen = "".join(
            f"; {address} was not looked at, the coordinator has no way there" for address in bad
        )
        return good, passed("tcp", answered + unseen)
    return good, noted(
        "tcp",
        "some-addresses-closed",
        f"{answered}, but not at {', '.join(closed)}",
        f"open port {port} there too, or remove that address from the name: viewers who try it first wait in vain",
    )


def look_at_tls(host: str, address: str, port: int) -> api.CheckStep:
    """Shake hands as a browser does; raises StepFailedError."""
    context = httpx.create_ssl_context()
    try:
        with socket.create_connection((address, port), CONNECT_SECONDS) as plain:
            # Of the whole handshake, however many reads it takes.
            plain.settimeout(TLS_SECONDS)
            with context.wrap_socket(plain, server_hostname=host) as secured:
                return passed("tls", f"{secured.version()}, the certificate is valid for {host}")
    except ssl.SSLCertVerificationError as error:
        raise _bad_certificate(host, error) from error
    except TimeoutError as error:
        raise StepFailedError(
            "tls-timeout",
            f"the TLS handshake did not end in {TLS_SECONDS:.0f} s",
            "look whether what listens on that port speaks TLS, and is not overloaded",
        ) from error
    except (ssl.SSLError, OSError) as error:
        raise StepFailedError(
            "tls-broken",
            f"the TLS handshake failed: {printable(error, 200)}",
            "what listens on that port does not speak TLS: put https on it, or write http:// in --endpoint",
        ) from error


def unanswered(address: str, port: int) -> StepFailedError:
    """Return what is said of a port that is silent."""
    return StepFailedError(
        "tcp-timeout",
        f"nothing answers at {address} port {port}: the packets are dropped on the way",
        f"forward TCP port {port} of your router to this machine, and let its firewall pass it",
    )


def _connect(address: str, port: int) -> StepFailedError | None:
    """Connect and hang up; returns why that was not possible."""
    try:
        socket.create_connection((address, port), CONNECT_SECONDS).close()
    except TimeoutError:
        return unanswered(address, port)
    except OSError as error:
        if error.errno == errno.ECONNREFUSED:
            return StepFailedError(
                "tcp-refused",
                f"{address} refuses port {port}: the packets arrive, but nothing listens there",
                f"start the node (with --host 0.0.0.0, so that not this machine alone can reach it), or correct the "
                f"port: the router must forward TCP port {port} to the one that the node listens on",
            )
        if error.errno in _NO_WAY:
            return StepFailedError(
                NO_ROUTE,
                f"the coordinator has no way to {address}",
                "check the address; if it is IPv6, the coordinator or your machine may be without it: "
                "give the name an A record (IPv4) as well",
            )
        return StepFailedError(
            "tcp-failed",
            f"no connection to {address} port {port}: {error.strerror or 'no reason given'}",
            f"forward TCP port {port} of your router to this machine, and let its firewall pass it",
        )
    return None


def _bad_certificate(host: str, error: ssl.SSLCertVerificationError) -> StepFailedError:
    code = error.verify_code
    if code == _EXPIRED:
        return StepFailedError(
            "tls-expired",
            f"the certificate of {host} has expired",
            "renew it (certbot renew, or restart the proxy that does it), and reload what serves it",
        )
    if code == _NOT_YET:
        return StepFailedError(
            "tls-not-yet-valid",
            f"the certificate of {host} is not valid yet",
            "set the clock of the machine that made it, and make it again",
        )
    if code in (_WRONG_NAME, _WRONG_ADDRESS):
        return StepFailedError(
            "tls-wrong-name",
            f"the certificate is for another name than {host}",
            f"get a certificate for {host}, or use the certificate's name in --endpoint",
        )
    if code in (_SELF_SIGNED, _SELF_SIGNED_IN_CHAIN):
        return StepFailedError(
            "tls-self-signed",
            f"the certificate of {host} is signed by itself, or by an authority that browsers do not know",
            "get a free one from Let's Encrypt (Caddy does it by itself), or use http://",
        )
    if code == _NO_ISSUER:
        return StepFailedError(
            "tls-incomplete-chain",
            f"the certificate of {host} comes without the ones that link it to a known authority",
            "serve the full chain (certbot's fullchain.pem, not cert.pem)",
        )
    return StepFailedError(
        "tls-invalid",
        f"the certificate of {host} is not valid: {printable(error.verify_message, 200)}",
        "get a new one, for example from Let's Encrypt",
    )
