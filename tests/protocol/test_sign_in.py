"""Sign-in with Ethereum: only the grammar of EIP-4361 is read, and only what was asked for counts."""

from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from streamrp2p.errors import MalformedError
from streamrp2p.numbers import Address
from streamrp2p.sign_in import MAX_SECONDS, SignIn, SignInError, checksummed, signed_digest
from streamrp2p.signatures import recover

NOW = 1_790_000_000  # 2026-09-21T14:13:20Z
ADDRESS = Address(bytes.fromhex("fb6916095ca1df60bb79ce92ce3ea74c37c5d359"))
ORIGINS = {"https://dash.example"}

FULL = """https://dash.example wants you to sign in with your Ethereum account:
0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359

See my nodes (and pools), please.

URI: https://dash.example/login?next=/me
Version: 1
Chain ID: 31337
Nonce: 32891756abcdEF
Issued At: 2026-09-21T14:13:20.123Z
Expiration Time: 2026-09-21T16:15:20+02:00
Not Before: 2026-09-21T14:13:00Z
Request ID: one-2
Resources:
- https://dash.example/terms
- ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/"""
SHORT = """dash.example wants you to sign in with your Ethereum account:
0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359


URI: https://dash.example
Version: 1
Chain ID: 31337
Nonce: 32891756abcdEF
Issued At: 2026-09-21T14:13:20Z"""


def test_every_field_of_a_message_is_read() -> None:
    assert SignIn.parse(FULL) == SignIn(
        scheme="https",
        domain="dash.example",
        address=ADDRESS,
        uri="https://dash.example/login?next=/me",
        chain_id=31337,
        nonce="32891756abcdEF",
        issued_at=NOW,
        expires_at=NOW + 120,
        not_before=NOW - 20,
    )


def test_what_may_be_left_out_may_be_left_out() -> None:
    found = SignIn.parse(SHORT)
    assert (found.scheme, found.expires_at, found.not_before) == (None, None, None)
    found.check(ORIGINS, 31337, NOW)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0xfB", "0xFB"),  # not EIP-55's spelling
        ("Version: 1", "Version: 2"),
        ("Nonce: 32891756abcdEF", "Nonce: 1234567"),
        ("Nonce: 32891756abcdEF", "Nonce: 1234567-"),
        ("2026-09-21T14:13:20Z", "2026-02-30T14:13:20Z"),
        ("2026-09-21T14:13:20Z", "2026-09-21T24:13:20Z"),
        ("2026-09-21T14:13:20Z", "0000-09-21T14:13:20Z"),
        ("2026-09-21T14:13:20Z", "2026-09-21 14:13:20Z"),
        ("2026-09-21T14:13:20Z", "2026-09-21T14:13:20"),
        ("2026-09-21T14:13:20Z", "٢٠٢٦-09-21T14:13:20Z"),
        ("Chain ID: 31337\n", ""),
        ("\n\n\nURI", "\n\nURI"),
        ("\n\n\nURI", "\n\none\ntwo\n\nURI"),
        ("\n", "\r\n"),
        ("20Z", "20Z\n"),
        ("URI: https://dash.example", "URI: dash.example"),
    ],
)
def test_what_is_not_in_the_grammar_is_refused(old: str, new: str) -> None:
    with pytest.raises(MalformedError):
        SignIn.parse(SHORT.replace(old, new))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"domain": "evil.example"}, "a page of evil.example asked"),
        ({"domain": "dash.example:444"}, "asked for this sign-in"),
        ({"scheme": "http"}, "asked for this sign-in"),
        ({"uri": "https://evil.example/"}, "asked for this sign-in"),
        ({"uri": "https://dash.example.evil.example/"}, "asked for this sign-in"),
        ({"chain_id": 1}, "names chain 1; sign in on chain 31337"),
        ({"issued_at": NOW - MAX_SECONDS}, "too old"),
        ({"expires_at": NOW}, "too old"),
        ({"issued_at": NOW + 61}, "from the future"),
        ({"not_before": NOW + 61}, "from the future"),
    ],
)
def test_a_message_for_another_page_chain_or_time_is_refused(
    change: dict[str, object], told: str
) -> None:
    message = SignIn.parse(SHORT)
    message.check(ORIGINS, 31337, NOW)
    with pytest.raises(SignInError, match=told):
        replace(message, **change).check(ORIGINS, 31337, NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [SHORT, FULL, "ä"])
def test_the_digest_is_what_wallets_sign(text: str) -> None:
    account = Account.from_key(b"\x11" * 32)
    signed = account.sign_message(encode_defunct(text=text))
    assert checksummed(recover(signed_digest(text), bytes(signed.signature))) == account.address
