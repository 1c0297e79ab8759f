"""The node's own certificate: read and judged before the start, and read again when its files change."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from streamrp2p_node.errors import SettingsError
from streamrp2p_node.settings import Settings

LOOK_SECONDS = 5.0
"""How often the files are looked at: renewals come every few weeks, and the old certificate is good meanwhile."""

_log = structlog.get_logger("node")


@dataclass(frozen=True, slots=True)
class _Pair:
    """A certificate with its key, ready for handshakes."""

    context: ssl.SSLContext
    leaf: str
    """PEM, of the server's certificate alone."""


class Certificate:
    """A certificate chain and its key, both PEM files. Whoever handshakes gets the newest pair that was good."""

    def __init__(self, chain: Path, key: Path) -> None:
        """Read both files; raises SettingsError that says what is wrong with them."""
        self._chain, self._key = chain, key
        self._stamp = self._files_stamp()
        self._pair = _load(chain, key)
        self.context = self._pair.context
        """For a server, all its life long."""
        # Each handshake takes the newest pair as a whole: to load files into a context that is in use
        # could leave it with one half of a broken pair.
        self.context.sni_callback = self._choose

    @property
    def leaf(self) -> str:
        """The certificate that is shown now, PEM."""
        return self._pair.leaf

    def look(self) -> bool:
        """Read the files again if they changed; True when there is a new certificate. A broken pair is warned of."""
        stamp = self._files_stamp()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            self._pair = _load(self._chain, self._key)
        except SettingsError as error:
            _log.warning("certificate_not_taken", reason=str(error))
            return False
        _log.info("certificate_loaded", certificate=str(self._chain))
        return True

    async def watch(self, on_new: Callable[[], object], look_seconds: float = LOOK_SECONDS) -> None:
        """Look every few seconds until cancelled."""
        while True:
            await asyncio.sleep(look_seconds)
            if self.look():
                on_new()

    def _choose(
        self, connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _: ssl.SSLContext
    ) -> None:
        connection.context = self._pair.context

    def _files_stamp(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_stamp(path) for path in (self._chain, self._key))


def certificate_of(settings: Settings) -> Certificate | None:
    """Load the node's own certificate, if it has one; raises SettingsError."""
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    return Certificate(settings.tls_cert, settings.tls_key)


def tls_of(certificate: Certificate | None) -> Callable[..., ssl.SSLContext] | None:
    """Return what makes uvicorn take the certificate's context; None for plain HTTP."""
    return (lambda *_: certificate.context) if certificate else None


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _load(chain: Path, key: Path) -> _Pair:
    leaf = _read_certificate(chain)
    now = datetime.now(UTC)
    if leaf.not_valid_after_utc < now:
        raise SettingsError(
            f"the certificate {chain} expired on {leaf.not_valid_after_utc:%Y-%m-%d}; renew it"
        )
    if leaf.not_valid_before_utc > now:
        raise SettingsError(
            f"the certificate {chain} is valid from {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC on alone; "
            "check this machine's clock"
        )
    if _read_public_key(key) != _spki(leaf.public_key()):
        raise SettingsError(
            f"the key {key} is not the one of the certificate {chain}; --tls-cert and --tls-key must be of one pair, "
            "with the server's own certificate first in the chain"
        )
    return _Pair(_context(chain, key), leaf.public_bytes(serialization.Encoding.PEM).decode())


def _context(chain: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(chain, key)
    except (ssl.SSLError, OSError) as error:
        raise SettingsError(
            f"the certificate {chain} with the key {key} cannot be used: {error}"
        ) from error
    return context


def _read_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(_read(path, "--tls-cert"))[0]
    except ValueError as error:
        raise SettingsError(
            f"--tls-cert {path} is no PEM certificate; it must begin with -----BEGIN CERTIFICATE-----, the server's "
            "own certificate first and its authorities' after it"
        ) from error


def _read_public_key(path: Path) -> bytes:
    data = _read(path, "--tls-key")
    try:
        key = serialization.load_pem_private_key(data, None)
    except TypeError as error:
        raise SettingsError(
            f"--tls-key {path} is encrypted with a password; give a key without one, readable for the node's user "
            f"alone: openssl pkey -in {path} -out node.key"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SettingsError(
            f"--tls-key {path} is no PEM private key; it must begin with -----BEGIN PRIVATE KEY----- or the like"
        ) from error
    return _spki(key.public_key())


def _spki(key: object) -> bytes:
    # Every kind of public key has it; the types of the library name the kinds one by one.
    data: bytes = key.public_bytes(  # type: ignore[attr-defined]
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return data


def _read(path: Path, option: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"{option} {path} cannot be read: {error.strerror}; check the path and that the node's user may read it"
        ) from error
