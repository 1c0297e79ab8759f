import json
from pathlib import Path

from streamrp2p.chain import Call, UnsignedTransaction
from streamrp2p.difference import Difference
from streamrp2p.numbers import Address, Hash

DIFFERENCE = Difference("Omission", "pool 1", "sequence", "2 or higher", "1")
TRANSACTION = UnsignedTransaction(
    31337,
    Call(Address(b"\x0a" * 20), b"\xab\xcd", 10**18),
    "Omission",
    "omission",
    7,
    Hash(b"\x01" * 32),
    DIFFERENCE,
)
SHOWN = {
    "chainId": 31337,
    "to": "0x" + "0a" * 20,
    "data": "0xabcd",
    "value": "1000000000000000000",
    "proof": "Omission",
    "function": "omission",
    "epoch": 7,
    "headerHash": "0x" + "01" * 32,
    "difference": {
        "proof": "Omission",
        "row": "pool 1",
        "field": "sequence",
        "expected": "2 or higher",
        "found": "1",
    },
}


def test_a_wallet_reads_what_to_send_and_a_person_what_it_shows() -> None:
    assert TRANSACTION.to_json() == SHOWN


def test_the_file_holds_the_same(tmp_path: Path) -> None:
    file = tmp_path / "proof.json"
    TRANSACTION.save(file)
    assert json.loads(file.read_bytes()) == SHOWN
