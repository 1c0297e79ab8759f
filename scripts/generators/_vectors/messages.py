"""Vectors of section 3: signed messages, the session record, weights."""

from dataclasses import fields, replace

from scripts.generators._vectors.form import Case, camel, document
from scripts.generators._vectors.sample import (
    CHAIN_ID,
    DOMAIN,
    EPOCH_BOOK,
    KEY_OF,
    NODES,
    ORIGIN,
    POSTER,
    TICKET_SIGNER,
    VIEWERS,
    record,
    signature,
    ticket,
)  # fmt: skip
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address, Hash
from streamrp2p.receipt import SessionRecord, batch_leaf, weight_of
from streamrp2p.typed_data import (
    DOMAIN_TYPE,
    BatchAck,
    ClaimRedirect,
    Message,
    NodeRegistration,
    Playlist,
    Receipt,
    ReceiptSubmission,
    Rejection,
)  # fmt: skip

U64 = (1 << 64) - 1


def files() -> dict[str, bytes]:
    """Return the vector files by name."""
    return {
        "typed-data.json": _typed_data(),
        "session-record.json": _session_records(),
        "weights.json": _weights(),
    }


def _typed_data() -> bytes:
    issued = ticket()
    session_id = issued.session_id
    root = Hash(bytes(range(32)))
    of_all: tuple[tuple[Message, Address], ...] = (
        (issued, TICKET_SIGNER),
        (
            replace(issued, pool_id=2**32 - 1, epoch=U64, max_bytes=U64, nonce=2**256 - 1),
            TICKET_SIGNER,
        ),
        (Receipt(session_id, 7, 30_000_000, 29_000_001, 47, issued.issued_at + 100), VIEWERS[0]),
        (Receipt(session_id, 2**32 - 1, U64, U64, U64, U64), VIEWERS[1]),
        (
            NodeRegistration(NODES[0], NODES[1], "https://node.example:8443", 3, 1_700_009_999),
            NODES[0],
        ),
        (NodeRegistration(NODES[1], NODES[1], "", 0, U64), NODES[1]),
        (NodeRegistration(NODES[2], NODES[0], "https://nœud.example/日本", 1, 1), NODES[2]),
        (ReceiptSubmission(NODES[0], 2, 5, root, 2), NODES[0]),
        (BatchAck(NODES[0], 2, 5, root, 2, 1_700_001_300), POSTER),
        (BatchAck(NODES[0], 2, 6, Hash(bytes(32)), 0, 1_700_001_301), POSTER),
        (Rejection(session_id, 7, 8, 1_700_001_300), POSTER),
        (ClaimRedirect(NODES[0], VIEWERS[2], 2, 1_700_100_000), NODES[0]),
        (Playlist(1, 40, root, 1_700_001_290), ORIGIN),
    )
    return document(
        "EIP-712 messages: `signature` is deterministic (RFC 6979), low-s, by `privateKey`.",
        [_message_case(message, signer) for message, signer in of_all],
        chainId=CHAIN_ID,
        epochBook=EPOCH_BOOK,
        domainType=DOMAIN_TYPE,
        domainTypeHash=keccak(DOMAIN_TYPE.encode()),
        domainSeparator=DOMAIN.separator,
    )


def _message_case(message: Message, signer: Address) -> Case:
    return {
        "primaryType": message.NAME,
        "typeString": message.type_string(),
        "typeHash": message.type_hash(),
        "message": fields_of(message),
        "structHash": message.struct_hash(),
        "digest": message.digest(DOMAIN),
        "signer": signer,
        "privateKey": KEY_OF[signer],
        "signature": signature(message, signer),
    }


def _session_records() -> bytes:
    records = (
        record(ticket(), 30_000_000, 29_000_001, sequence=7),
        record(ticket(pool_id=9, epoch=0, node=1, viewer=1, nonce=2**256 - 1), 1, 0),
        record(replace(ticket(node=2, viewer=3), max_bytes=U64), U64, U64, sequence=2**32 - 1),
    )
    return document(
        "Session records of 274 bytes with both signatures, and the leaves that they become.",
        [_record_case(each) for each in records],
        chainId=CHAIN_ID,
        epochBook=EPOCH_BOOK,
        ticketSigner=TICKET_SIGNER,
    )


def _record_case(each: SessionRecord) -> Case:
    encoded = each.encode()
    return {
        "ticket": fields_of(each.ticket),
        "ticketSignature": each.ticket_signature,
        "receipt": fields_of(each.receipt),
        "receiptSignature": each.receipt_signature,
        "encoded": encoded,
        "sessionId": each.session_id,
        "weight": each.weight,
        "digest": keccak(encoded),
        "batchLeaf": batch_leaf(encoded),
    }


def _weights() -> bytes:
    pairs = ((0, 0), (1, 0), (2, 0), (3, 0), (3, 1), (3, 2), (3, 3), (10**9, 10**9 - 1), (10**9, 1), (U64, 0),
             (U64, U64), (U64, 1), (U64 - 1, 0))  # fmt: skip
    return document(
        "The weight of a receipt: bytesOnTime + floor((bytesDelivered - bytesOnTime) / 2).",
        [
            {
                "bytesDelivered": delivered,
                "bytesOnTime": on_time,
                "weight": weight_of(delivered, on_time),
            }
            for delivered, on_time in pairs
        ],
    )


def fields_of(message: Message) -> dict[str, object]:
    """Return a message's fields in their order, by the protocol's names."""
    return {camel(field.name): getattr(message, field.name) for field in fields(message)}
