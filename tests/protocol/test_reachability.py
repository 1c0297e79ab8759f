"""What is signed off chain alone (sections 4, 11 and 12), against eth_account; and which addresses are public."""

from dataclasses import fields

import pytest
from eth_account.messages import encode_typed_data

from streamrp2p.evidence import Appeal, RejectionEvidence
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address, Hash, SessionId
from streamrp2p.public_address import why_not_public
from streamrp2p.reachability import NodeCheck, NodeIdentity
from streamrp2p.ticket_signing import TicketRequest
from streamrp2p.typed_data import MESSAGES, Domain, Message

NODE = Address(b"\x11" * 20)
DOMAIN = Domain(31337, Address(b"\x22" * 20))


@pytest.mark.parametrize(
    "message",
    [
        NodeCheck(NODE, "https://node.example", 1_800_000_000),
        NodeIdentity(NODE, Hash(b"\1" * 32), 7),
        TicketRequest(SessionId(b"\2" * 32), 1_800_000_000),
        RejectionEvidence(SessionId(b"\2" * 32), 3, 9, Hash(b"\1" * 32)),
        Appeal(NODE, SessionId(b"\2" * 32), 3, 9, "why \u2013 and how", 1_800_000_000),
    ],
    ids=lambda message: message.NAME,
)
def test_digests_are_those_of_eth_account(message: Message) -> None:
    values = [getattr(message, field.name) for field in fields(message)]
    signable = encode_typed_data(
        {
            "name": "StreamrP2P",
            "version": "1",
            "chainId": 31337,
            "verifyingContract": "0x" + DOMAIN.epoch_book.hex(),
        },
        {message.NAME: [{"name": name, "type": kind} for kind, name in message.SCHEMA]},
        {
            name: "0x" + value.hex() if isinstance(value, bytes) else value
            for (_, name), value in zip(message.SCHEMA, values, strict=True)
        },
    )
    expected = keccak(b"\x19" + signable.version + signable.header + signable.body)
    assert message.digest(DOMAIN) == expected


def test_no_message_can_be_taken_for_one_of_another_kind() -> None:
    kinds: tuple[type[Message], ...] = (
        *MESSAGES,
        NodeCheck,
        NodeIdentity,
        TicketRequest,
        RejectionEvidence,
        Appeal,
    )
    assert len({kind.type_hash() for kind in kinds}) == len(MESSAGES) + 5


@pytest.mark.parametrize(
    "address",
    [
        "203.0.114.7",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.1",
        "2606:4700::1111",
        "64:ff9b::808:808",
    ],
)
def test_addresses_that_the_internet_reaches(address: str) -> None:
    assert why_not_public(address) is None


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1", "loopback"),
        ("127.255.0.9", "loopback"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::127.0.0.1", "reserved"),
        ("64:ff9b::7f00:1", "loopback"),
        ("2002:7f00:1::1", "loopback"),
        ("2002:a00:1::1", "private"),
        ("0.0.0.0", "no address"),  # noqa: S104 - judged, not bound
        ("::", "no address"),
        ("10.0.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.168.1.1", "private"),
        ("::ffff:192.168.1.1", "private"),
        ("100.64.0.1", "carrier-grade"),
        ("100.127.255.255", "carrier-grade"),
        ("169.254.169.254", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("fc00::1", "private"),
        ("fdff::1", "private"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("240.0.0.1", "private"),
        ("255.255.255.255", "private"),
        ("192.0.2.1", "private"),
        ("198.18.0.1", "private"),
        ("2001:db8::1", "reserved"),
        ("2001::1", "reserved"),
        ("fec0::1", "reserved"),
        ("64:ff9b:1::1", "reserved"),
    ],
)
def test_addresses_that_it_does_not(address: str, reason: str) -> None:
    assert reason in (why_not_public(address) or "")


@pytest.mark.parametrize("text", ["", "example.org", "1.2.3", "1.2.3.4.5", "::g", "0x7f.1"])
def test_what_is_no_address_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        why_not_public(text)
