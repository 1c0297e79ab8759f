from pathlib import Path

import pytest

from streamrp2p.bundle import Bundle
from streamrp2p.bundle_store import BundleFile, BundleStore, Fetched, Mirror, sources_of
from streamrp2p.client import UnreachableError
from streamrp2p.durable import StorageError
from streamrp2p.errors import BundleUnavailableError, MalformedError
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Hash
from streamrp2p.settlement import GENESIS, settle
from tests.support.epochs import DOMAIN


class Shelf:
    """A source of given bytes, which counts how often it is asked."""

    def __init__(self, name: str, bundles: dict[Hash, bytes]) -> None:
        self.name = name
        self.bundles = bundles
        self.asked = 0

    def read(self, data_hash: Hash) -> bytes:
        self.asked += 1
        if data_hash not in self.bundles:
            raise UnreachableError(f"{self.name} is down")
        return self.bundles[data_hash]


DATA = [bytes([number]) * 5 for number in range(4)]
HASHES = [keccak(data) for data in DATA]


def test_the_first_source_that_has_the_bundle_gives_it() -> None:
    down, first, second = Shelf("down", {}), Shelf("a", {HASHES[0]: DATA[0]}), Shelf("b", {})
    assert BundleStore([down, first, second]).fetch(HASHES[0]) == Fetched(DATA[0], "a")
    assert (down.asked, second.asked) == (1, 0)


def test_other_bytes_are_not_taken_from_anybody() -> None:
    liar, honest = Shelf("liar", {HASHES[0]: DATA[1]}), Shelf("honest", {HASHES[0]: DATA[0]})
    assert BundleStore([liar, honest]).fetch(HASHES[0]).source == "honest"
    with pytest.raises(BundleUnavailableError, match="liar: sent other bytes") as caught:
        BundleStore([liar]).fetch(HASHES[0])
    assert not caught.value.retryable


def test_what_fails_for_now_may_be_tried_again() -> None:
    with pytest.raises(BundleUnavailableError, match="a: a is down; b: b is down") as caught:
        BundleStore([Shelf("a", {}), Shelf("b", {})]).fetch(HASHES[0])
    assert caught.value.retryable
    assert len(caught.value.attempts) == 2


def test_the_newest_bundles_are_kept_and_older_ones_forgotten() -> None:
    shelf = Shelf("a", dict(zip(HASHES, DATA, strict=True)))
    store = BundleStore([shelf], kept=2)
    for number in (0, 0, 1, 1, 0, 2, 1):
        store.fetch(HASHES[number])
    assert shelf.asked == 3
    store.fetch(HASHES[0])
    assert shelf.asked == 4


def test_a_file_serves_the_bundle_it_holds_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    path.write_bytes(DATA[0])
    assert BundleFile(path).read(HASHES[0]) == DATA[0]
    with pytest.raises(MalformedError, match=f"holds 0x{HASHES[0].hex()}"):
        BundleFile(path).read(HASHES[1])
    with pytest.raises(StorageError, match="cannot be read"):
        BundleFile(tmp_path).read(HASHES[0])


def test_files_are_asked_before_servers() -> None:
    sources = sources_of([Path("a")], ["http://127.0.0.1:9/"])
    assert [type(source) for source in sources] == [BundleFile, Mirror]
    assert sources[1].name == "http://127.0.0.1:9"


def test_an_empty_bundle_fits_into_a_store() -> None:
    bundle: Bundle = settle(DOMAIN, 0, GENESIS, [], []).bundle
    data = bundle.encode()
    store = BundleStore([Shelf("a", {bundle.data_hash(): data})])
    assert store.fetch(bundle.data_hash()).data == data
