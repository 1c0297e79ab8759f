"""The independent implementation reads every playlist and path of the vectors as the SDK does."""

from hashlib import sha256
from typing import Any

import pytest
from eth_account import Account

from tests.differential.oracle import messages, playlists
from tests.differential.oracle.hashing import keccak
from tests.differential.vectors import load

PLAYLISTS = load("playlists.json")
PATHS = load("relay-paths.json")
CHAIN = (PLAYLISTS["chainId"], PLAYLISTS["epochBook"])


def read(text: str, rendition: str) -> dict[str, Any]:
    content, published_at = playlists.signed_content(
        text, PLAYLISTS["poolId"], PLAYLISTS["origin"], *CHAIN
    )
    about = {"poolId": PLAYLISTS["poolId"], "publishedAt": published_at}
    if not rendition:
        return {**about, **playlists.multivariant(content)}
    return {**about, **playlists.media(content, rendition)}


@pytest.mark.parametrize("case", PLAYLISTS["cases"], ids=lambda case: case["name"])
def test_playlists_agree(case: dict[str, Any]) -> None:
    if case["refusal"]:
        assert case["media"] is case["multivariant"] is None
        with pytest.raises(playlists.RefusedError):
            read(case["text"], case["rendition"])
        return
    expected = case["media"] if case["rendition"] else case["multivariant"]
    assert read(case["text"], case["rendition"]) == expected


def test_plain_text_is_the_signed_one_without_hashes() -> None:
    data = dict(zip(PLAYLISTS["objectNames"], PLAYLISTS["objects"], strict=True))
    plains = [case for case in PLAYLISTS["cases"] if case["plain"]]
    assert len(plains) == 3
    for case in plains:
        lines = [
            line for line in case["text"].splitlines() if not line.startswith(VOUCHING_OR_SIGNATURE)
        ]
        text = "".join(line + "\n" for line in lines)
        for name, content in data.items():
            text = text.replace(
                f'SHA256={sha256(content).hexdigest()},BYTES={len(content)},URI="{name}"',
                f'URI="{name}"',
            )
        assert text == case["plain"]


VOUCHING_OR_SIGNATURE = (
    "#EXT-X-STREAMRP2P-MAP",
    "#EXT-X-STREAMRP2P-PART",
    "#EXT-X-STREAMRP2P-SEGMENT",
    "#EXT-X-STREAMRP2P-SIGNATURE",
)


def test_listed_objects_are_the_bytes_of_the_vectors() -> None:
    data = dict(zip(PLAYLISTS["objectNames"], PLAYLISTS["objects"], strict=True))
    full = PLAYLISTS["cases"][0]["media"]
    newest = full["segments"][-1]
    named = [segment["object"] for segment in full["segments"]]
    named += [segment["map"] for segment in full["segments"]]
    named += [part["object"] for part in (*newest["parts"], *full["parts"])]
    named.append(newest["thumbnail"])
    assert {each["name"] for each in named} == set(data)
    for each in named:
        assert each["lengthBytes"] == len(data[each["name"]])
        assert each["sha256"] == sha256(data[each["name"]]).digest()
    assert (
        b"".join(data[part["object"]["name"]] for part in newest["parts"])
        == (data[newest["object"]["name"]])
    )


@pytest.mark.parametrize("case", PLAYLISTS["merges"], ids=lambda case: case["name"])
def test_delta_updates_agree(case: dict[str, Any]) -> None:
    older, update = read(case["older"], "source"), read(case["update"], "source")
    assert playlists.merged(older, update) == case["merged"]


@pytest.mark.parametrize("case", PATHS["cases"], ids=lambda case: case["name"])
def test_relay_paths_agree(case: dict[str, Any]) -> None:
    message, path = case["message"], case["message"]["path"]
    signed = messages.signable("RelayPath", message, *CHAIN)
    assert case["structHash"] == messages.struct_hash("RelayPath", message)
    assert case["digest"] == messages.digest("RelayPath", message, *CHAIN)
    assert case["signature"] == Account.sign_message(signed, case["privateKey"]).signature
    assert case["signer"] == messages.signer("RelayPath", message, case["signature"], *CHAIN)
    chain = [*path, case["node"]]
    assert case["isAccepted"] == (
        message["poolId"] == PATHS["poolId"]
        and path[-1:] == [case["upstream"]] == [case["signer"]]
        and len(set(chain)) == len(chain) <= 3
        and -30 <= case["now"] - message["signedAt"] <= 30
    )


def test_type_of_a_relay_path_is_the_documents() -> None:
    fields = ",".join(f"{kind} {name}" for kind, name in messages.TYPES["RelayPath"])
    assert PATHS["typeString"] == f"RelayPath({fields})"
    assert PATHS["typeHash"] == keccak(PATHS["typeString"].encode())
