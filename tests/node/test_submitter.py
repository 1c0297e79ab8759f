"""Handing receipts in, whatever the coordinator and the network do."""

import asyncio
import errno
import os
from pathlib import Path

import httpx
import pytest

from streamrp2p import api, typed_data
from streamrp2p.client import ApiError, UnreachableError
from streamrp2p.durable import DiskFullError, StorageError
from streamrp2p.errors import AnswerError
from streamrp2p.verify import Code
from streamrp2p_node.credit import Credit
from streamrp2p_node.entries import Account, Opened, Received
from streamrp2p_node.errors import NotRegisteredError
from tests.node.conftest import World, make_world
from tests.node.fakes import (
    EPOCH_SECONDS,
    GENESIS,
    OTHER,
    OTHER_KEY,
    POSTER_KEY,
    make_record,
    make_ticket,
    problem,
)
from tests.node.test_relay import get, open_session, pay, slug_of

MEGABYTE = 10**6


async def paid_session(
    world: World, nonce: int = 1, delivered: int = 1000, sequence: int = 1, epoch: int = 0
) -> typed_data.SessionTicket:
    ticket, signature = make_ticket(
        nonce=nonce, epoch=epoch, max_bytes=max(delivered, 10 * MEGABYTE)
    )
    await world.store.record(epoch, Opened(ticket, signature))
    world.store.note(epoch, Account(ticket.session_id, Credit(delivered)))
    await world.store.record(epoch, Received(make_record(ticket, signature, sequence, delivered)))
    return ticket


def sent(world: World) -> list[api.Batch]:
    return [api.Batch.model_validate_json(data) for data in world.coordinator.batches]


async def restarted(world: World) -> World:
    """Return a node that starts on what is on disk, as after kill -9."""
    again = await make_world(
        world.folder, coordinator=world.coordinator, origin=world.origin, clock=world.clock
    )
    again.submitter.restore()
    await again.view.refresh()
    return again


async def test_receipts_are_handed_in_once_and_again_only_when_newer(world: World) -> None:
    ticket = await paid_session(world)
    await world.submitter.submit_due()
    await world.submitter.submit_due()
    assert len(world.coordinator.batches) == 1
    newer = make_record(*make_ticket(), 2, 1500)
    await world.store.record(0, Received(newer))
    await world.submitter.submit_due()
    assert [record.receipt.sequence for record in world.coordinator.accepted_records()] == [1, 2]
    assert world.coordinator.accepted_records()[1].session_id == ticket.session_id
    assert world.submitter.due_count() == 0


async def test_a_receipt_that_comes_while_others_are_handed_in_waits_for_the_next_time(
    world: World,
) -> None:
    await paid_session(world)
    ticket, signature = make_ticket()
    loop = asyncio.get_running_loop()

    def pay_meanwhile(path: str) -> httpx.Response | None:
        if path == "/v1/batches":
            sequence = len(world.coordinator.batches) + 2
            newer = Received(make_record(ticket, signature, sequence, 1000 * sequence))
            asyncio.run_coroutine_threadsafe(world.store.record(0, newer), loop).result()
        return None

    world.coordinator.fails = pay_meanwhile
    await world.submitter.submit_due()
    assert [record.receipt.sequence for record in world.coordinator.accepted_records()] == [1]
    assert world.submitter.due_count() == 1
    await world.submitter.submit_due()
    assert [record.receipt.sequence for record in world.coordinator.accepted_records()] == [1, 2]


async def test_batches_are_as_large_as_the_coordinator_takes_and_numbered_in_order(
    world: World,
) -> None:
    for nonce in range(7):
        await paid_session(world, nonce)
    await paid_session(world, 99, epoch=1)
    world.clock.now = GENESIS + EPOCH_SECONDS + 1
    await world.submitter.submit_due()
    named = [
        (batch.submission.epoch, batch.submission.batch_number, batch.submission.count)
        for batch in sent(world)
    ]
    assert named == [(0, 1, 3), (0, 2, 3), (0, 3, 1), (1, 1, 1)]


async def test_a_receipt_that_came_too_fast_waits_until_the_rate_allows_it(world: World) -> None:
    world.clock.now = GENESIS + 5
    await paid_session(world, nonce=1, delivered=20 * MEGABYTE)
    await paid_session(world, nonce=2, delivered=13 * MEGABYTE)
    await world.submitter.submit_due()
    world.clock.now = GENESIS + 11
    await world.submitter.submit_due()
    # 1 MB/s, 10 s of slack, and 2 s that the clocks may differ.
    world.clock.now = GENESIS + 12
    await world.submitter.submit_due()
    accepted = world.coordinator.accepted_records()
    assert [record.receipt.bytes_delivered for record in accepted] == [13 * MEGABYTE, 20 * MEGABYTE]


async def test_a_receipt_for_more_than_was_served_does_not_wait_until_it_could_pass(
    world: World,
) -> None:
    ticket, signature = make_ticket()
    await world.store.record(0, Opened(ticket, signature))
    world.store.note(0, Account(ticket.session_id, Credit(1000)))
    await world.store.record(0, Received(make_record(ticket, signature, 1, 50 * MEGABYTE)))
    await world.submitter.submit_due()
    assert len(world.coordinator.batches) == 1


async def test_a_receipt_that_will_always_be_too_much_is_handed_in_when_its_session_is_over(
    world: World,
) -> None:
    await paid_session(world, delivered=10**6 * MEGABYTE)
    world.clock.now = GENESIS + EPOCH_SECONDS + 1
    await world.submitter.submit_due()
    assert world.coordinator.batches == []
    world.clock.now = GENESIS + EPOCH_SECONDS + 2
    await world.submitter.submit_due()
    assert len(world.coordinator.batches) == 1


async def test_a_batch_is_on_disk_before_it_is_sent(world: World) -> None:
    await paid_session(world)
    stored: list[bytes] = []

    def look(path: str) -> httpx.Response | None:
        if path == "/v1/batches":
            stored.append((world.folder.batches / "0" / "1.batch.json").read_bytes())
        return None

    world.coordinator.fails = look
    await world.submitter.submit_due()
    assert stored == world.coordinator.batches


async def test_a_disk_too_full_for_an_epochs_folder_is_waited_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await paid_session(world)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "mkdir", full)
        with pytest.raises(DiskFullError):
            await world.submitter.submit_due()
    assert world.coordinator.batches == []
    await world.submitter.submit_due()
    assert len(world.coordinator.batches) == 1


async def test_a_batch_that_cannot_be_read_holds_up_its_epoch_and_not_the_node(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await paid_session(world)
    await world.submitter.submit_due()

    def unreadable(_: Path) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Path, "read_bytes", unreadable)
    with pytest.raises(StorageError, match="failed"):
        await world.submitter.submit_due()


async def test_a_batch_whose_answer_was_lost_is_sent_again_the_same_even_after_a_restart(
    world: World,
) -> None:
    await paid_session(world)

    def lose(path: str) -> httpx.Response | None:
        if path == "/v1/batches":
            raise httpx.ReadTimeout("lost")
        return None

    world.coordinator.fails = lose
    with pytest.raises(UnreachableError):
        await world.submitter.submit_due()
    first = (world.folder.batches / "0" / "1.batch.json").read_bytes()
    # A newer receipt must not slip into a batch that may have been judged already.
    await world.store.record(0, Received(make_record(*make_ticket(), 2, 2000)))
    again = await restarted(world)
    again.coordinator.fails = lambda _: None
    await again.submitter.submit_due()
    assert world.coordinator.batches[0] == first
    assert [record.receipt.sequence for record in world.coordinator.accepted_records()] == [1, 2]
    again.store.close()


async def test_acknowledgements_are_kept_as_evidence_and_known_after_a_restart(
    world: World,
) -> None:
    await paid_session(world)
    await world.submitter.submit_due()
    kept = api.BatchAnswer.model_validate_json(
        (world.folder.batches / "0" / "1.answer.json").read_bytes()
    )
    assert kept == world.coordinator.answers[0, 1]
    again = await restarted(world)
    assert again.submitter.due_count() == 0
    assert again.submitter.last_ack == kept.ack
    await again.submitter.submit_due()
    assert len(world.coordinator.batches) == 1
    again.store.close()


async def test_after_a_rejection_the_session_is_served_no_more_and_its_honest_part_is_handed_in(
    world: World,
) -> None:
    ticket = await open_session(world)
    await get(world, "source-0.m4s", ticket)
    await pay(world, ticket, 1, 1000)
    await pay(world, ticket, 2, 9_000_000)
    world.coordinator.reject = lambda record: (
        Code.OVER_RATE if record.receipt.bytes_delivered > 1000 else None
    )
    await world.submitter.submit_due()
    refused = await get(world, "source-1.m4s", ticket)
    assert (refused.status_code, slug_of(refused)) == (403, "session-stopped")
    assert "code 9" in refused.json()["detail"]
    assert [record.receipt.sequence for record in world.coordinator.accepted_records()] == [1]
    again = await restarted(world)
    session = again.store.book.get(ticket.session_id)
    assert session is not None
    assert session.is_stopped
    again.store.close()


async def test_an_unsigned_promise_is_not_believed_and_the_batch_stays_pending(
    world: World,
) -> None:
    await paid_session(world)
    world.coordinator.poster_key = OTHER_KEY
    with pytest.raises(AnswerError, match="not the poster's"):
        await world.submitter.submit_due()
    assert world.submitter.due_count() == 1
    assert not (world.folder.batches / "0" / "1.answer.json").exists()
    # The true poster answers: the same batch is acknowledged after all.
    world.coordinator.answers.clear()
    world.coordinator.poster_key = POSTER_KEY
    await world.submitter.submit_due()
    assert world.coordinator.batches[0] == world.coordinator.batches[1]
    assert world.submitter.due_count() == 0


async def test_a_new_posters_answer_is_believed_once_the_configuration_names_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await paid_session(world)
    world.coordinator.poster_key = OTHER_KEY
    world.clock.now += 5
    real = world.coordinator.respond

    def respond(method: str, path: str, body: bytes) -> tuple[int, bytes]:
        status, data = real(method, path, body)
        if path == "/v1/config":
            config = api.Config.model_validate_json(data).model_copy(update={"poster": OTHER})
            data = config.model_dump_json(by_alias=True).encode()
        return status, data

    monkeypatch.setattr(type(world.coordinator), "respond", lambda _, *call: respond(*call))
    await world.submitter.submit_due()
    assert world.submitter.due_count() == 0


@pytest.mark.parametrize("status", [409, 413, 422])
async def test_a_batch_that_will_never_be_taken_makes_way_for_another_number(
    world: World, status: int
) -> None:
    await paid_session(world)
    once = [problem(status, "no")]

    def refuse(path: str) -> httpx.Response | None:
        if path == "/v1/batches" and once:
            code, body = once.pop()
            return httpx.Response(code, content=body)
        return None

    world.coordinator.fails = refuse
    with pytest.raises(ApiError):
        await world.submitter.submit_due()
    await world.submitter.submit_due()
    assert [batch.submission.batch_number for batch in sent(world)] == [2]
    assert len(world.coordinator.accepted_records()) == 1


async def test_a_busy_coordinator_gets_the_same_batch_later(world: World) -> None:
    await paid_session(world)
    world.coordinator.fails = lambda path: httpx.Response(503) if path == "/v1/batches" else None
    with pytest.raises(ApiError):
        await world.submitter.submit_due()
    world.coordinator.fails = lambda _: None
    await world.submitter.submit_due()
    assert [batch.submission.batch_number for batch in sent(world)] == [1]


async def test_a_node_that_is_not_registered_hands_the_same_receipts_in_again(
    world: World,
) -> None:
    ticket = await paid_session(world)
    world.coordinator.reject = lambda _: Code.NODE_NOT_REGISTERED
    with pytest.raises(NotRegisteredError):
        await world.submitter.submit_due()
    session = world.store.book.get(ticket.session_id)
    assert session is not None
    assert not session.is_stopped
    world.coordinator.reject = lambda _: None
    await world.submitter.submit_due()
    assert len(world.coordinator.accepted_records()) == 1


async def test_nothing_is_sent_once_intake_is_closed(world: World) -> None:
    await paid_session(world)
    world.clock.now = GENESIS + EPOCH_SECONDS + 20
    await world.submitter.submit_due()
    assert world.coordinator.batches == []


async def test_a_damaged_batch_file_says_what_to_do(world: World) -> None:
    await paid_session(world)
    await world.submitter.submit_due()
    (world.folder.batches / "0" / "1.answer.json").write_bytes(b"{")
    with pytest.raises(StorageError, match="restore it from a backup"):
        await restarted(world)


async def test_an_epoch_that_is_refused_holds_up_no_other(world: World) -> None:
    await paid_session(world, epoch=0)
    await paid_session(world, epoch=1)
    world.clock.now = GENESIS + EPOCH_SECONDS + 1
    answers = [problem(422, "no")]

    def refuse_first(path: str) -> httpx.Response | None:
        if path == "/v1/batches" and answers:
            status, body = answers.pop()
            return httpx.Response(status, content=body)
        return None

    world.coordinator.fails = refuse_first
    with pytest.raises(ApiError):
        await world.submitter.submit_due()
    assert [batch.submission.epoch for batch in sent(world)] == [1]


async def test_a_batch_whose_answer_stays_wrong_makes_way_for_another(world: World) -> None:
    await paid_session(world)
    world.coordinator.poster_key = OTHER_KEY
    for _ in range(3):
        with pytest.raises(AnswerError):
            await world.submitter.submit_due()
    # A new poster took over; the coordinator would repeat the former one's answer for ever.
    world.coordinator.poster_key = POSTER_KEY
    await world.submitter.submit_due()
    assert [batch.submission.batch_number for batch in sent(world)] == [1, 1, 1, 2]
    assert world.submitter.due_count() == 0
