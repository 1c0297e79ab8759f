from pathlib import Path
from threading import Event, Timer

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


class Stuck(Shelf):
    """A source that answers when it is told to, and no sooner."""

    def __init__(self, name: str, bundles: dict[Hash, bytes]) -> None:
        super().__init__(name, bundles)
        self.told = Event()

    def read(self, data_hash: Hash) -> bytes:
        self.asked += 1
        self.told.wait(20)
        return self.bundles[data_hash]


def test_a_source_that_does_not_answer_is_not_waited_for_alone() -> None:
    stuck, honest = Stuck("stuck", {}), Shelf("honest", dict(zip(HASHES, DATA, strict=True)))
    store = BundleStore([stuck, honest], hedge_seconds=0.01)
    try:
        assert store.fetch(HASHES[0]).source == "honest"
        assert store.fetch(HASHES[1]).source == "honest"
        assert stuck.asked == 1, "it is asked last from then on"
    finally:
        stuck.told.set()


def test_a_slow_source_that_alone_has_the_bundle_gives_it() -> None:
    slow, empty = Stuck("slow", {HASHES[0]: DATA[0]}), Shelf("empty", {})
    store = BundleStore([slow, empty], hedge_seconds=0.01)
    Timer(0.05, slow.told.set).start()
    assert store.fetch(HASHES[0]).source == "slow"
    assert empty.asked == 1


def test_a_source_that_still_sends_is_not_asked_for_more() -> None:
    stuck, honest = Stuck("stuck", {}), Shelf("honest", {HASHES[0]: DATA[0]})
    store = BundleStore([stuck, honest], hedge_seconds=0.01)
    try:
        store.fetch(HASHES[0])
        with pytest.raises(BundleUnavailableError, match="stuck: still sends another bundle"):
            store.fetch(HASHES[1])
        assert stuck.asked == 1
    finally:
        stuck.told.set()


def test_a_liar_is_asked_last_from_then_on() -> None:
    liar = Shelf("liar", dict.fromkeys(HASHES, b"lie"))
    honest = Shelf("honest", dict(zip(HASHES, DATA, strict=True)))
    store = BundleStore([liar, honest])
    for data_hash in HASHES:
        store.fetch(data_hash)
    assert (liar.asked, honest.asked) == (1, len(HASHES))


def test_a_bug_in_a_source_is_no_failure_of_the_source() -> None:
    class Broken(Shelf):
        def read(self, data_hash: Hash) -> bytes:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        BundleStore([Broken("broken", {})]).fetch(HASHES[0])
