"""The deployment file: what is written is read, and each defect is named."""

import json
from pathlib import Path

import pytest

from streamrp2p.chain import Deployment, DeploymentError
from streamrp2p.numbers import Address


def address(byte: int) -> Address:
    return Address(bytes([byte] * 20))


DEPLOYMENT = Deployment(
    chain_id=31337,
    epoch_book=address(1),
    reward_pools=address(2),
    node_registry=address(3),
    challenges=address(4),
    data_demands=address(5),
    stream_token=address(0xAB),
    block=7,
)


def test_file_holds_camel_case_fields_and_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "deployment.json"
    DEPLOYMENT.save(file)
    assert json.loads(file.read_text()) == {
        "chainId": 31337,
        "epochBook": "0x" + "01" * 20,
        "rewardPools": "0x" + "02" * 20,
        "nodeRegistry": "0x" + "03" * 20,
        "challenges": "0x" + "04" * 20,
        "dataDemands": "0x" + "05" * 20,
        "streamToken": "0x" + "ab" * 20,
        "block": 7,
    }
    assert Deployment.load(file) == DEPLOYMENT


def test_checksummed_addresses_and_further_fields_are_read(tmp_path: Path) -> None:
    file = tmp_path / "deployment.json"
    DEPLOYMENT.save(file)
    found = json.loads(file.read_text())
    found |= {"streamToken": "0x" + "aB" * 20, "note": "made by hand"}
    file.write_text(json.dumps(found))
    assert Deployment.load(str(file)) == DEPLOYMENT


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("chainId", "31337"),
        ("chainId", -1),
        ("chainId", True),
        ("block", None),
        ("epochBook", "0x1234"),
        ("epochBook", "01" * 20),
        ("rewardPools", 5),
        ("nodeRegistry", "0x" + "zz" * 20),
        ("challenges", ""),
        ("dataDemands", "0x"),
        ("streamToken", None),
    ],
)
def test_wrong_field_is_named(tmp_path: Path, field: str, value: object) -> None:
    file = tmp_path / "deployment.json"
    DEPLOYMENT.save(file)
    file.write_text(json.dumps(json.loads(file.read_text()) | {field: value}))
    with pytest.raises(DeploymentError, match=field):
        Deployment.load(file)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"[" * 60_000, b"{}"])
def test_other_content_is_no_deployment_file(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "deployment.json"
    file.write_bytes(content)
    with pytest.raises(DeploymentError, match=str(file)):
        Deployment.load(file)


def test_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeploymentError, match="cannot be read"):
        Deployment.load(tmp_path / "absent.json")
