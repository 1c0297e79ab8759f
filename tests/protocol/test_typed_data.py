from dataclasses import fields

import pytest

from streamrp2p.errors import MalformedError
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address, Hash, SessionId
from streamrp2p.typed_data import (
    MESSAGES,
    Domain,
    Message,
    NodeRegistration,
    Receipt,
    RelayPath,
    SessionTicket,
)
from tests.support.changed import changed

DOMAIN = Domain(31337, Address(bytes.fromhex("5fbdb2315678afecb367f032d93f642f64180aa3")))
NODE, VIEWER = Address(b"\1" * 20), Address(b"\2" * 20)
TICKET = SessionTicket(1, 2, NODE, VIEWER, 3, 4, 5, 6)


def test_a_type_string_is_that_of_the_document() -> None:
    assert SessionTicket.type_string() == (
        "SessionTicket(uint32 poolId,uint64 epoch,address node,address viewer,"
        "uint64 maxBytes,uint64 issuedAt,uint64 expiresAt,uint256 nonce)"
    )
    assert SessionTicket.type_hash() == keccak(SessionTicket.type_string().encode())


def test_a_struct_hash_is_that_of_the_padded_words() -> None:
    words = b"".join(
        [
            SessionTicket.type_hash(),
            *(number.to_bytes(32) for number in (1, 2)),
            bytes(12) + NODE,
            bytes(12) + VIEWER,
            *(number.to_bytes(32) for number in (3, 4, 5, 6)),
        ]
    )
    assert TICKET.struct_hash() == keccak(words)
    assert TICKET.session_id == SessionId(keccak(words))


def test_text_is_hashed_as_utf_8() -> None:
    registration = NodeRegistration(NODE, NODE, "nœud", 0, 0)
    words = bytes(12) + NODE + bytes(12) + NODE + keccak("nœud".encode()) + bytes(64)
    assert registration.struct_hash() == keccak(NodeRegistration.type_hash() + words)


def test_a_digest_is_that_of_eip_712() -> None:
    domain_type = (
        b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    )
    words = [keccak(domain_type), keccak(b"StreamrP2P"), keccak(b"1"), (31337).to_bytes(32)]
    separator = keccak(b"".join([*words, bytes(12) + DOMAIN.epoch_book]))
    assert DOMAIN.separator == separator
    assert TICKET.digest(DOMAIN) == keccak(b"\x19\x01" + separator + TICKET.struct_hash())


def test_a_digest_depends_on_chain_and_contract() -> None:
    others = {
        TICKET.digest(domain)
        for domain in (
            DOMAIN,
            Domain(1, DOMAIN.epoch_book),
            Domain(DOMAIN.chain_id, Address(bytes(20))),
        )
    }
    assert len(others) == 3


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.NAME)
def test_fields_stand_in_the_order_of_the_schema(kind: type[Message]) -> None:
    camel = [
        head + "".join(part.title() for part in tail)
        for head, *tail in (field.name.split("_") for field in fields(kind))
    ]
    assert camel == [name for _, name in kind.SCHEMA]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pool_id", 2**32),
        ("epoch", 2**64),
        ("epoch", -1),
        ("nonce", 2**256),
        ("nonce", 1.5),
        ("max_bytes", True),
        ("node", b"\1" * 19),
        ("viewer", "0x" + "01" * 20),
    ],
)
def test_a_field_out_of_its_type_is_malformed(field: str, value: object) -> None:
    with pytest.raises(MalformedError):
        changed(TICKET, **{field: value}).struct_hash()


@pytest.mark.parametrize("endpoint", ["\ud800", b"bytes", None])
def test_text_that_is_none_is_malformed(endpoint: str) -> None:
    with pytest.raises(MalformedError, match="endpoint"):
        NodeRegistration(NODE, NODE, endpoint, 0, 0).struct_hash()


def test_list_of_addresses_is_hashed_as_padded_words() -> None:
    message = RelayPath(7, (NODE, VIEWER), 9)
    path = keccak(bytes(12) + NODE + bytes(12) + VIEWER)
    words = (7).to_bytes(32) + path + (9).to_bytes(32)
    assert message.struct_hash() == keccak(RelayPath.type_hash() + words)
    assert RelayPath.type_string() == "RelayPath(uint32 poolId,address[] path,uint64 signedAt)"


@pytest.mark.parametrize("path", [NODE, [NODE], (NODE, b"short"), ("0x01",)])
def test_path_that_is_no_tuple_of_addresses_is_malformed(path: object) -> None:
    with pytest.raises(MalformedError, match="path"):
        changed(RelayPath(7, (), 9), path=path).struct_hash()


def test_two_messages_of_equal_words_have_different_hashes() -> None:
    word = SessionId(Hash(bytes(32)))
    hashes = {kind.type_hash() for kind in MESSAGES}
    assert len(hashes) == len(MESSAGES) == 9
    assert Receipt(word, 0, 0, 0, 0, 0).struct_hash() != keccak(Receipt.type_hash())
