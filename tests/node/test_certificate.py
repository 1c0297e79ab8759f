"""What is wrong with a certificate is told before the node starts; a new one is taken, a broken one is not."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from streamrp2p_node.certificate import Certificate
from streamrp2p_node.errors import SettingsError
from tests.support.certificates import Authority

NAME = "node.example.org"
Pair = tuple[Path, Path]


def handshake(certificate: Certificate, authority: Authority, name: str | None = NAME) -> bytes:
    """Shake hands in memory as a client that knows the authority; the certificate that the server showed (DER)."""
    trusting = ssl.create_default_context(cafile=str(authority.certificate))
    trusting.check_hostname = name is not None
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(to_client, to_server, server_hostname=name)
    server = certificate.context.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    shown = client.getpeercert(binary_form=True)
    assert shown is not None
    return shown


def leaf(pair: Pair) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pair[0].read_text())


@pytest.mark.parametrize("name", [NAME, None])
def test_a_handshake_gets_the_certificate_with_a_name_or_without(
    tmp_path: Path, name: str | None
) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("node", [NAME])
    assert handshake(Certificate(*pair), authority, name) == leaf(pair)


def overwrite(pair: Pair, new: Pair) -> None:
    for path, other in zip(pair, new, strict=True):
        path.write_bytes(other.read_bytes())


def test_changed_files_are_taken_for_the_next_handshake(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair, renewed = authority.issue("node", [NAME]), authority.issue("renewed", [NAME])
    certificate = Certificate(*pair)
    assert not certificate.look()
    overwrite(pair, renewed)
    assert certificate.look()
    assert handshake(certificate, authority) == leaf(renewed)
    assert ssl.PEM_cert_to_DER_cert(certificate.leaf) == leaf(renewed)
    assert not certificate.look()


def test_half_a_renewal_keeps_the_old_pair_until_the_other_half_comes(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair, renewed = authority.issue("node", [NAME]), authority.issue("renewed", [NAME])
    old = leaf(pair)
    certificate = Certificate(*pair)
    pair[0].write_bytes(renewed[0].read_bytes())
    assert not certificate.look()
    assert handshake(certificate, authority) == old
    pair[1].write_bytes(renewed[1].read_bytes())
    assert certificate.look()
    assert handshake(certificate, authority) == leaf(renewed)


def test_files_that_vanish_keep_the_old_pair(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("node", [NAME])
    old = leaf(pair)
    certificate = Certificate(*pair)
    pair[1].unlink()
    assert not certificate.look()
    assert handshake(certificate, authority) == old


def missing(pair: Pair, _: Authority) -> Pair:
    return pair[0].with_name("nowhere.pem"), pair[1]


def unreadable_key(pair: Pair, _: Authority) -> Pair:
    return pair[0], pair[0].parent


def of_another_pair(pair: Pair, authority: Authority) -> Pair:
    return pair[0], authority.issue("other", [NAME])[1]


def expired(_: Pair, authority: Authority) -> Pair:
    return authority.issue("expired", [NAME], from_days=-9, to_days=-2)


def of_the_future(_: Pair, authority: Authority) -> Pair:
    return authority.issue("future", [NAME], from_days=1)


def der(pair: Pair, _: Authority) -> Pair:
    pair[0].write_bytes(leaf(pair))
    return pair


def swapped(pair: Pair, _: Authority) -> Pair:
    return pair[1], pair[0]


def no_key(pair: Pair, _: Authority) -> Pair:
    return pair[0], pair[0]


def encrypted(pair: Pair, _: Authority) -> Pair:
    key = serialization.load_pem_private_key(pair[1].read_bytes(), None)
    pair[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    return pair


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (missing, "--tls-cert .*nowhere.pem cannot be read: No such file"),
        (unreadable_key, "--tls-key .* cannot be read: Is a directory"),
        (of_another_pair, "other.key is not the one of the certificate"),
        (expired, "expired on .*; renew it"),
        (of_the_future, "is valid from .* on alone; check this machine's clock"),
        (der, "--tls-cert .* is no PEM certificate"),
        (swapped, "--tls-cert .*key is no PEM certificate"),
        (no_key, "--tls-key .* is no PEM private key"),
        (encrypted, "--tls-key .* is encrypted with a password; .*openssl pkey"),
    ],
)
def test_what_is_wrong_is_told(
    tmp_path: Path, damage: Callable[[Pair, Authority], Pair], words: str
) -> None:
    authority = Authority(tmp_path)
    pair = damage(authority.issue("node", [NAME]), authority)
    with pytest.raises(SettingsError, match=words):
        Certificate(*pair)
