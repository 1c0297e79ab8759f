"""What the journal returned for is there; what failed left nothing behind."""

import asyncio
import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from streamrp2p.durable import DiskFullError, StorageError
from streamrp2p.errors import MalformedError
from streamrp2p_node.credit import Credit
from streamrp2p_node.entries import Account, Opened, Received
from streamrp2p_node.frames import Frame, encode_journal
from streamrp2p_node.group_commit import GroupCommit
from streamrp2p_node.journal import Journal
from streamrp2p_node.store import Store
from tests.node.disk import FullDisk
from tests.node.fakes import make_record, make_ticket

ONE, TWO = Frame(1, b"one"), Frame(2, b"two")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "epoch-0.journal"


def reopened(path: Path) -> tuple[Frame, ...]:
    journal = Journal(path)
    journal.close()
    return journal.frames


def test_what_was_appended_is_there_after_reopening(path: Path) -> None:
    journal = Journal(path)
    journal.append_synced(ONE.encode())
    journal.append(TWO.encode())
    journal.close()
    assert reopened(path) == (ONE, TWO)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_torn_tail_is_cut_off_and_kept_aside(path: Path) -> None:
    path.write_bytes(encode_journal([ONE]) + TWO.encode()[:-1])
    journal = Journal(path)
    assert journal.frames == (ONE,)
    journal.append_synced(TWO.encode())
    journal.close()
    assert reopened(path) == (ONE, TWO)
    (aside,) = path.parent.glob("*.torn-*")
    assert aside.read_bytes() == TWO.encode()[:-1]


def test_an_empty_file_of_a_crash_at_creation_becomes_a_journal(path: Path) -> None:
    path.touch()
    assert reopened(path) == ()
    assert path.read_bytes() == b"SRP2PNJ1"


@pytest.mark.parametrize("room", [0, 1, 7, 11])
def test_a_full_disk_leaves_no_part_of_a_frame_and_later_frames_are_read(
    path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    journal = Journal(path)
    journal.append_synced(ONE.encode())
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", FullDisk(room))
        with pytest.raises(DiskFullError, match="the disk is full"):
            journal.append_synced(TWO.encode())
    journal.append_synced(TWO.encode())
    journal.close()
    assert reopened(path) == (ONE, TWO)


async def test_concurrent_appends_share_syncs_and_all_are_there(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs = count_syncs(monkeypatch)
    journal = Journal(path)
    commit = GroupCommit(journal, list)
    before = len(syncs)
    frames = [Frame(3, bytes([number])) for number in range(50)]
    await asyncio.gather(*(commit.append(frame.encode()) for frame in frames))
    assert len(syncs) - before <= 3
    journal.close()
    assert reopened(path) == tuple(frames)


def count_syncs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    syncs: list[int] = []
    real: Callable[[int], None] = os.fsync

    def counting(descriptor: int) -> None:
        syncs.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", counting)
    return syncs


async def test_after_a_failed_sync_the_journal_is_written_anew_before_anything_is_promised(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(path)
    known = [ONE]
    commit = GroupCommit(journal, lambda: known)
    await commit.append(ONE.encode())

    def failing(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        with pytest.raises(StorageError, match="Input/output error"):
            await commit.append(Frame(9, b"lost").encode())
    await commit.append(TWO.encode())
    journal.close()
    assert reopened(path) == (ONE, TWO)


@pytest.mark.parametrize(
    "where", ["streamrp2p.durable.sync_folder", "streamrp2p_node.journal.sync_folder"]
)
async def test_a_rewrite_that_fails_half_way_loses_nothing_that_is_promised_later(
    path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    journal = Journal(path)
    commits = GroupCommit(journal, lambda: [ONE])
    await commits.append(ONE.encode())

    def too_many_open_files(_: Path) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patched:
        patched.setattr(where, too_many_open_files)
        with pytest.raises(StorageError):
            await commits.rewrite()
    await commits.append(TWO.encode())
    journal.close()
    assert reopened(path) == (ONE, TWO)


async def test_a_store_replays_to_the_same_book(tmp_path: Path) -> None:
    store = Store(tmp_path)
    ticket, signature = make_ticket()
    later, later_signature = make_ticket(epoch=1)
    await store.record(0, Opened(ticket, signature))
    await store.record(1, Opened(later, later_signature))
    store.note(0, Account(ticket.session_id, Credit(5000)))
    await store.record(0, Received(make_record(ticket, signature, 1, 3000)))
    before = list(store.book)
    # As after kill -9: nothing is closed.
    assert list(Store(tmp_path).book) == before
    session = store.book.get(ticket.session_id)
    assert session is not None
    assert session.credit == Credit(5000, 3000)


async def test_compaction_keeps_what_counts_and_what_arrives_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamrp2p_node.store.COMPACT_AT_BYTES", 100_000)
    store = Store(tmp_path)
    tickets = [make_ticket(nonce=nonce) for nonce in range(5)]
    for ticket, signature in tickets:
        await store.record(0, Opened(ticket, signature))
    for served in range(1, 500):
        for ticket, _ in tickets:
            store.note(0, Account(ticket.session_id, Credit(served)))
    file = tmp_path / "epoch-0.journal"
    long = file.stat().st_size
    first, signature = tickets[0]
    received = [
        store.record(0, Received(make_record(first, signature, n, n))) for n in range(1, 20)
    ]
    await asyncio.gather(*received[:10], store.compact(), *received[10:])
    assert file.stat().st_size < long / 10
    again = Store(tmp_path)
    assert list(again.book) == list(store.book)
    session = again.book.get(first.session_id)
    assert session is not None
    assert session.newest is not None
    assert session.newest.receipt.sequence == 19


async def test_a_receipt_that_cannot_be_journaled_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    ticket, signature = make_ticket()
    await store.record(0, Opened(ticket, signature))
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", FullDisk(30))
        with pytest.raises(DiskFullError):
            await store.record(0, Received(make_record(ticket, signature, 1, 10)))
    session = store.book.get(ticket.session_id)
    assert session is not None
    assert session.newest is None
    assert list(Store(tmp_path).book) == list(store.book)


def test_an_account_that_cannot_be_journaled_is_only_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    ticket, signature = make_ticket()
    asyncio.run(store.record(0, Opened(ticket, signature)))
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", FullDisk(0))
        store.note(0, Account(ticket.session_id, Credit(10)))
    session = store.book.get(ticket.session_id)
    assert session is not None
    assert session.credit == Credit(10)


def test_a_journal_of_sessions_that_it_does_not_open_is_refused(tmp_path: Path) -> None:
    ticket, signature = make_ticket()
    frame = Received(make_record(ticket, signature, 1, 10)).frame()
    (tmp_path / "epoch-0.journal").write_bytes(encode_journal([frame]))
    with pytest.raises(MalformedError, match="restore it from a backup"):
        Store(tmp_path)


def test_only_wanted_epochs_are_replayed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for epoch in range(3):
        asyncio.run(store.record(epoch, Opened(*make_ticket(epoch=epoch))))
    store.close()
    again = Store(tmp_path, lambda epoch: epoch > 0)
    assert again.open_epochs() == [1, 2]
    assert len(again.book) == 2
