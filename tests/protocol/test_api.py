import json
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from streamrp2p import api, typed_data
from streamrp2p.claim import prove_claim
from streamrp2p.claims_tree import ClaimLeaf, claims_tree, entry_word
from streamrp2p.header import EpochHeader
from streamrp2p.numbers import ZERO_HASH, Address
from tests.support.epochs import signed_record

RECORD = signed_record(0, 1, 0, 0, (1000, 900), 2**256 - 1)
WIDE = EpochHeader(2**64 - 1, ZERO_HASH, ZERO_HASH, 2**32 - 1, 2**128 - 1, ZERO_HASH, 1, ZERO_HASH)
TICKET = {
    name: "0x" + value.hex() if isinstance(value, bytes) else value
    for (_, name), value in zip(
        typed_data.SessionTicket.SCHEMA,
        (getattr(RECORD.ticket, field.name) for field in fields(RECORD.ticket)),
        strict=True,
    )
} | {"nonce": str(2**256 - 1)}


def test_a_ticket_is_json_by_the_rules_of_the_document() -> None:
    wire = api.SessionTicket.model_validate(TICKET)
    assert wire.message() == RECORD.ticket
    assert wire.dump() == TICKET
    assert json.loads(wire.model_dump_json(by_alias=True)) == TICKET


@pytest.mark.parametrize(
    "message",
    [
        "SessionTicket",
        "Receipt",
        "NodeRegistration",
        "ReceiptSubmission",
        "BatchAck",
        "Rejection",
    ],
)
def test_wire_forms_have_the_fields_of_their_messages(message: str) -> None:
    kind = getattr(typed_data, message)
    names = [field.alias for field in getattr(api, message).model_fields.values()]
    assert names == [name for _, name in kind.SCHEMA]


def test_a_receipt_and_a_header_survive_the_round_trip() -> None:
    receipt = api.Receipt(
        **{field.name: getattr(RECORD.receipt, field.name) for field in fields(RECORD.receipt)}
    )
    assert (
        api.Receipt.model_validate_json(receipt.model_dump_json(by_alias=True)).message()
        == RECORD.receipt
    )
    header = api.Header(**{field.name: getattr(WIDE, field.name) for field in fields(WIDE)})
    assert header.dump()["weight"] == str(2**128 - 1)
    assert header.dump()["epoch"] == 2**64 - 1
    assert api.Header.model_validate_json(header.model_dump_json(by_alias=True)).header() == WIDE


def test_a_claim_proof_survives_the_round_trip() -> None:
    leaf = ClaimLeaf(Address(b"\1" * 20), (entry_word(1, 5),))
    claims = (leaf, ClaimLeaf(Address(b"\2" * 20), (entry_word(1, 7),)))
    tree = claims_tree(claims)
    header = EpochHeader(1, ZERO_HASH, ZERO_HASH, 0, 0, tree.root, 2, ZERO_HASH)
    proof = prove_claim(header, claims, leaf.account)
    wire = api.Claim(
        header=api.Header(**{field.name: getattr(header, field.name) for field in fields(header)}),
        account=leaf.account,
        entries=list(leaf.entries),
        index=proof.index,
        path=list(proof.path),
        to=leaf.account,
        call_data=b"\1\2",
    )
    again = api.Claim.model_validate_json(wire.model_dump_json(by_alias=True))
    assert again.proof() == proof
    assert again.proof().is_valid()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("poolId", 2**32),
        ("poolId", -1),
        ("poolId", "1"),
        ("poolId", 1.0),
        ("poolId", True),
        ("epoch", 2**64),
        ("node", "0x" + "11" * 19),
        ("node", "11" * 20),
        ("node", "0x" + "1 " * 20),
        ("node", "0x" + "gg" * 20),
        ("node", None),
        ("nonce", str(2**256)),
        ("nonce", "-1"),
        ("nonce", "1e3"),
        ("nonce", "٣"),
        ("nonce", "9" * 5000),
        ("nonce", True),
        ("surprise", 1),
    ],
)  # fmt: skip
def test_a_field_out_of_its_form_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        api.SessionTicket.model_validate_json(json.dumps(TICKET | {field: value}))


@pytest.mark.parametrize("field", sorted(TICKET))
def test_a_missing_field_is_refused(field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        api.SessionTicket.model_validate(
            {name: value for name, value in TICKET.items() if name != field}
        )


def test_hex_may_be_of_either_case_and_is_written_in_lower_case() -> None:
    wire = api.SessionTicket.model_validate(TICKET | {"node": "0x" + "AB" * 20})
    assert wire.dump()["node"] == "0x" + "ab" * 20


@given(st.text(max_size=80) | st.binary().map(lambda data: "0x" + data.hex()))
def test_any_text_is_bytes_or_refused(text: str) -> None:
    try:
        ticket = api.SessionTicket.model_validate(TICKET | {"node": text})
    except ValidationError:
        return
    assert ticket.dump()["node"] == text.lower()


def test_terms_name_the_price_as_the_contract_does() -> None:
    terms = api.Terms(price_per_gb=5, epoch_budget=6, ticket_signer=b"\1" * 20)
    assert terms.dump() == {
        "pricePerGB": "5",
        "epochBudget": "6",
        "ticketSigner": "0x" + "01" * 20,
    }
    assert api.Terms.model_validate(terms.dump()) == terms
