"""Section 3: the message types are read from the document itself; eth_account hashes and recovers."""

import re
from pathlib import Path

from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data

from tests.differential.oracle.hashing import keccak, packed

DOCUMENT = Path(__file__).parents[3] / "docs" / "protocol.md"
HALF_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141 // 2

Message = dict[str, object]


def types_of_the_document() -> dict[str, list[tuple[str, str]]]:
    """Return each message type's fields `(solidity type, name)` from the code block of section 3."""
    block = DOCUMENT.read_text().split("\n## 3.")[1].split("```")[1]
    return {
        match[1]: [(kind, name) for kind, name in re.findall(r"([\w\[\]]+) (\w+)", match[2])]
        for match in re.finditer(r"^(\w+)\((.*)\)$", block, re.MULTILINE)
    }


TYPES = types_of_the_document()


def signable(primary: str, message: Message, chain_id: int, epoch_book: bytes) -> SignableMessage:
    return encode_typed_data(
        {
            "name": "StreamrP2P",
            "version": "1",
            "chainId": chain_id,
            "verifyingContract": "0x" + epoch_book.hex(),
        },
        {primary: [{"name": name, "type": kind} for kind, name in TYPES[primary]]},
        {name: _json(value) for name, value in message.items()},
    )


def _json(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_json(part) for part in value]
    return "0x" + value.hex() if isinstance(value, bytes) else value


def struct_hash(primary: str, message: Message) -> bytes:
    return bytes(signable(primary, message, 1, bytes(20)).body)


def digest(primary: str, message: Message, chain_id: int, epoch_book: bytes) -> bytes:
    signed = signable(primary, message, chain_id, epoch_book)
    return keccak(b"\x19" + signed.version + signed.header + signed.body)


def signer(
    primary: str, message: Message, signature: bytes, chain_id: int, epoch_book: bytes
) -> bytes | None:
    """Return who signed, or None for a signature that section 3 does not allow."""
    if len(signature) != 65 or signature[64] not in (27, 28) or is_high_s(signature):
        return None
    try:
        found = Account.recover_message(
            signable(primary, message, chain_id, epoch_book), signature=signature
        )
    except Exception:  # noqa: BLE001 - eth_account has many ways to refuse
        return None
    return bytes.fromhex(found.removeprefix("0x"))


def is_high_s(signature: bytes) -> bool:
    return int.from_bytes(signature[32:64], "big") > HALF_ORDER


RECORD_TICKET = (("uint32", "poolId"), ("uint64", "epoch"), ("address", "node"), ("address", "viewer"),
                 ("uint64", "maxBytes"), ("uint64", "issuedAt"), ("uint64", "expiresAt"),
                 ("uint256", "nonce"))  # fmt: skip
RECORD_RECEIPT = (("uint32", "sequence"), ("uint64", "bytesDelivered"), ("uint64", "bytesOnTime"),
                  ("uint64", "mediaSequence"), ("uint64", "signedAt"))  # fmt: skip


def encode_record(
    ticket: Message, ticket_signature: bytes, receipt: Message, receipt_signature: bytes
) -> bytes:
    return packed(
        *((kind, ticket[name]) for kind, name in RECORD_TICKET),
        ("bytes", ticket_signature),
        *((kind, receipt[name]) for kind, name in RECORD_RECEIPT),
        ("bytes", receipt_signature),
    )


def decode_record(record: bytes) -> tuple[Message, bytes, Message, bytes]:
    """Read the 274 bytes by the offsets of the table."""
    assert len(record) == 274

    def number(start: int, length: int) -> int:
        return int.from_bytes(record[start : start + length], "big")

    ticket: Message = {
        "poolId": number(0, 4),
        "epoch": number(4, 8),
        "node": record[12:32],
        "viewer": record[32:52],
        "maxBytes": number(52, 8),
        "issuedAt": number(60, 8),
        "expiresAt": number(68, 8),
        "nonce": number(76, 32),
    }
    receipt: Message = {
        "sessionId": struct_hash("SessionTicket", ticket),
        "sequence": number(173, 4),
        "bytesDelivered": number(177, 8),
        "bytesOnTime": number(185, 8),
        "mediaSequence": number(193, 8),
        "signedAt": number(201, 8),
    }
    return ticket, record[108:173], receipt, record[209:274]
