"""Hashing, signing and encoding, against eth_account and eth_abi, for any field values."""

from dataclasses import fields

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from streamrp2p.errors import SignatureError
from streamrp2p.numbers import Address, Hash, Signature
from streamrp2p.receipt import SessionRecord
from streamrp2p.signatures import address_of, recover, sign
from streamrp2p.typed_data import MESSAGES, Domain, Message, Receipt, SessionTicket
from tests.differential.oracle import messages as oracle

VALUES = {
    "address": st.binary(min_size=20, max_size=20),
    "address[]": st.lists(st.binary(min_size=20, max_size=20), max_size=4).map(tuple),
    "bytes32": st.binary(min_size=32, max_size=32),
    "string": st.text(max_size=40),
    **{f"uint{bits}": st.integers(0, 2**bits - 1) for bits in (16, 32, 64, 256)},
}
KEYS = st.integers(1, 2**252).map(lambda number: number.to_bytes(32))
SIGNATURES = st.binary(min_size=65, max_size=65)


def plain(message: Message) -> oracle.Message:
    """Return the fields by the names of the document."""
    values = (getattr(message, field.name) for field in fields(message))
    return dict(zip((name for _, name in oracle.TYPES[message.NAME]), values, strict=True))


def any_message(kind: type[Message]) -> st.SearchStrategy[Message]:
    return st.tuples(*(VALUES[solidity] for solidity, _ in kind.SCHEMA)).map(
        lambda values: kind(*values)
    )


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.NAME)
def test_digests_and_signatures_are_those_of_eth_account(kind: type[Message]) -> None:
    @settings(max_examples=25)
    @given(any_message(kind), st.integers(1, 2**64 - 1), VALUES["address"], KEYS)
    def check(message: Message, chain_id: int, epoch_book: bytes, key: bytes) -> None:
        domain = Domain(chain_id, Address(epoch_book))
        assert message.struct_hash() == oracle.struct_hash(kind.NAME, plain(message))
        assert message.digest(domain) == oracle.digest(
            kind.NAME, plain(message), chain_id, epoch_book
        )
        signed = oracle.signable(kind.NAME, plain(message), chain_id, epoch_book)
        assert sign(message.digest(domain), key) == Account.sign_message(signed, key).signature

    check()


@settings(max_examples=60)
@given(any_message(Receipt), SIGNATURES | st.tuples(KEYS, st.integers(0, 255)))
def test_what_recovers_is_what_eth_account_recovers(
    message: Message, given_signature: bytes | tuple[bytes, int]
) -> None:
    domain = Domain(1, Address(bytes(20)))
    digest = message.digest(domain)
    if isinstance(given_signature, bytes):
        signature = given_signature
    else:
        key, v = given_signature
        signature = sign(digest, key)[:64] + bytes([v])
    expected = oracle.signer("Receipt", plain(message), signature, 1, bytes(20))
    try:
        found: bytes | None = recover(digest, signature)
    except SignatureError:
        found = None
    assert found == expected


@given(KEYS)
def test_addresses_are_those_of_eth_account(key: bytes) -> None:
    assert "0x" + address_of(key).hex() == Account.from_key(key).address.lower()


@given(any_message(SessionTicket), any_message(Receipt), SIGNATURES, SIGNATURES)
def test_session_records_are_the_documents_bytes(
    ticket: Message, receipt: Message, ticket_signature: bytes, receipt_signature: bytes
) -> None:
    assert isinstance(ticket, SessionTicket)
    assert isinstance(receipt, Receipt)
    record = SessionRecord(
        ticket, Signature(ticket_signature), receipt, Signature(receipt_signature)
    )
    encoded = oracle.encode_record(
        plain(ticket), ticket_signature, plain(receipt), receipt_signature
    )
    assert record.encode() == encoded
    decoded = SessionRecord.decode(encoded)
    assert decoded.encode() == encoded
    assert decoded.session_id == oracle.struct_hash("SessionTicket", plain(ticket))
    assert plain(decoded.receipt) == plain(receipt) | {"sessionId": Hash(decoded.session_id)}
