"""What intake accepts, and each rule by which it rejects."""

from dataclasses import replace

import pytest

from streamrp2p import api
from streamrp2p.plain_tree import PlainTree
from streamrp2p.receipt import SessionRecord, batch_leaf
from streamrp2p.records import SignedRejection
from streamrp2p.signatures import CURVE_ORDER, check_signer
from streamrp2p.verify import Code
from streamrp2p_coordinator.judgement import REASONS
from tests.coordinator.actors import Node, known_key
from tests.coordinator.world import EPOCH_SECONDS, GENESIS, GRACE_SECONDS, World

MEGABYTE = 1_000_000


def rejected_code(world: World, node: Node, record: SessionRecord, epoch: int = 1) -> Code:
    """Submit one record that must be rejected; check the rejection and return its code."""
    answer = world.submit(node.batch(epoch, [record]))
    (rejection,) = answer.rejections
    assert (answer.ack.accepted, answer.ack.accepted_root) == (0, bytes(32))
    assert rejection.rejection.session_id == record.session_id
    assert rejection.rejection.sequence == record.receipt.sequence
    message = rejection.rejection.message()
    check_signer(
        message.digest(world.domain), rejection.signature, world.services.poster.address, "poster"
    )
    code = Code(rejection.rejection.code)
    assert rejection.reason == REASONS[code]
    return code


def test_accepted_records_are_acknowledged_by_the_posters_signature(world: World) -> None:
    node = world.node()
    records = [
        world.viewer(node.address, nonce=nonce).record(1, 5 * MEGABYTE) for nonce in range(3)
    ]

    answer = world.submit(node.batch(1, records))

    assert answer.rejections == []
    assert answer.ack.accepted == 3
    leaves = [batch_leaf(record.encode()) for record in records]
    assert answer.ack.accepted_root == PlainTree(leaves).root
    poster = world.services.poster.address
    check_signer(answer.ack.message().digest(world.domain), answer.signature, poster, "the poster")
    with world.database.read() as store:
        kept = store.ledger.sessions(1)
    assert sorted(one.record.encode() for one in kept) == sorted(one.encode() for one in records)


def test_the_accepted_root_covers_the_accepted_records_alone(world: World) -> None:
    node = world.node()
    good = world.viewer(node.address, nonce=1).record(1, MEGABYTE)
    bad = world.viewer(node.address, nonce=2, pool_id=9).record(1, MEGABYTE)
    last = world.viewer(node.address, nonce=3).record(1, MEGABYTE)

    answer = world.submit(node.batch(1, [good, bad, last]))

    leaves = [batch_leaf(good.encode()), batch_leaf(last.encode())]
    assert (answer.ack.accepted, answer.ack.accepted_root) == (2, PlainTree(leaves).root)
    assert [one.rejection.code for one in answer.rejections] == [Code.UNKNOWN_POOL]


def test_unknown_pool(world: World) -> None:
    node = world.node()
    record = world.viewer(node.address, pool_id=7).record(1, 1)
    assert rejected_code(world, node, record) is Code.UNKNOWN_POOL


def test_a_pool_that_was_created_since_is_looked_for_on_the_chain(world: World) -> None:
    node = world.node()
    world.chain.add_pool(7, world.services.ticket_signer.address, created_epoch=1)
    record = world.viewer(node.address, pool_id=7).record(1, 1)
    assert world.submit(node.batch(1, [record])).ack.accepted == 1


@pytest.mark.parametrize(("created", "closed"), [(0, 1), (2, None)])
def test_pool_closed(world: World, created: int, closed: int | None) -> None:
    world.chain.add_pool(
        2,
        world.services.ticket_signer.address,
        created_epoch=created,
        closed_from_epoch=closed,
    )
    node = world.node()
    record = world.viewer(node.address, pool_id=2).record(1, 1)
    assert rejected_code(world, node, record) is Code.POOL_CLOSED


def test_wrong_epoch_because_the_submission_names_another(world: World) -> None:
    world.travel_to(GENESIS + EPOCH_SECONDS + 10)  # epoch 0 is still taken in
    node = world.node()
    record = world.viewer(node.address, epoch=0).record(1, 1)
    assert rejected_code(world, node, record, epoch=1) is Code.WRONG_EPOCH


@pytest.mark.parametrize("epoch", [2, 1 << 62, (1 << 64) - 1])
def test_wrong_epoch_because_it_has_not_begun(world: World, epoch: int) -> None:
    node = world.node()
    record = world.viewer(node.address, epoch=epoch).record(1, 1)
    assert rejected_code(world, node, record, epoch=epoch) is Code.WRONG_EPOCH


@pytest.mark.parametrize("signed_at", [-121, 60 + 121])
def test_ticket_expired(world: World, signed_at: int) -> None:
    node = world.node()
    viewer = world.viewer(node.address)
    record = viewer.record(1, 1, signed_at=viewer.ticket.issued_at + signed_at)
    assert rejected_code(world, node, record) is Code.TICKET_EXPIRED


def test_bad_ticket_signature(world: World) -> None:
    node = world.node()
    record = world.viewer(node.address, ticket_key=known_key(50)).record(1, 1)
    assert rejected_code(world, node, record) is Code.BAD_TICKET_SIGNATURE


def test_bad_receipt_signature(world: World) -> None:
    node = world.node()
    record = world.viewer(node.address).record(1, 1, key=known_key(51))
    assert rejected_code(world, node, record) is Code.BAD_RECEIPT_SIGNATURE


def test_high_s(world: World) -> None:
    node = world.node()
    record = world.viewer(node.address).record(1, 1)
    r, s, v = (
        record.receipt_signature[:32],
        record.receipt_signature[32:64],
        record.receipt_signature[64],
    )
    high = r + (CURVE_ORDER - int.from_bytes(s)).to_bytes(32) + bytes([55 - v])
    malleated = replace(record, receipt_signature=high)  # type: ignore[arg-type]
    assert rejected_code(world, node, malleated) is Code.HIGH_S


def test_over_credit(world: World) -> None:
    node = world.node()
    record = world.viewer(node.address, max_bytes=100).record(1, 101)
    assert rejected_code(world, node, record) is Code.OVER_CREDIT


def test_over_rate(world: World) -> None:
    node = world.node()
    viewer = world.viewer(node.address)  # issued now: only the slack of 10 s counts
    assert rejected_code(world, node, viewer.record(1, 20_000_001)) is Code.OVER_RATE
    assert world.submit(node.batch(1, [viewer.record(2, 20_000_000)])).ack.accepted == 1


def test_not_monotone(world: World) -> None:
    node = world.node()
    viewer = world.viewer(node.address)
    world.submit(node.batch(1, [viewer.record(1, 5 * MEGABYTE)]))
    record = viewer.record(2, 4 * MEGABYTE)
    assert rejected_code(world, node, record) is Code.NOT_MONOTONE


def test_node_not_registered(world: World) -> None:
    stranger = Node(known_key(60), world.domain)
    record = world.viewer(stranger.address).record(1, 1)
    assert rejected_code(world, stranger, record) is Code.NODE_NOT_REGISTERED


def test_intake_closed(world: World) -> None:
    node = world.node()
    record = world.viewer(node.address).record(1, 1)
    world.travel_to(GENESIS + 2 * EPOCH_SECONDS + 20)
    assert rejected_code(world, node, record) is Code.INTAKE_CLOSED


def test_wrong_node(world: World) -> None:
    node = world.node()
    record = world.viewer(world.services.poster.address).record(1, 1)
    assert rejected_code(world, node, record) is Code.WRONG_NODE


def test_malformed(world: World) -> None:
    node = world.node()
    record = world.viewer(node.address).record(1, 10, 11)
    assert rejected_code(world, node, record) is Code.MALFORMED


def test_too_many_pools(world: World) -> None:
    signer = world.services.ticket_signer.address
    node = world.node()
    with world.database.write() as store:
        store.ledger.add_earning_pools(node.address, range(1000, 1000 + 255))
    for pool_id in (2, 3):
        world.chain.add_pool(pool_id, signer)
    world.sync()
    fits, beyond = (world.viewer(node.address, pool_id=pool_id).record(1, 10) for pool_id in (2, 3))

    answer = world.submit(node.batch(1, [fits, beyond, fits]))

    assert [one.rejection.code for one in answer.rejections] == [Code.TOO_MANY_POOLS]
    assert answer.ack.accepted == 2


def test_several_records_of_one_session_are_judged_in_their_order(world: World) -> None:
    node = world.node()
    viewer = world.viewer(node.address)
    records = [
        viewer.record(2, 2000),
        viewer.record(1, 1000),
        viewer.record(3, 1500),
        viewer.record(4, 4000),
    ]

    answer = world.submit(node.batch(1, records))

    assert [one.rejection.code for one in answer.rejections] == [Code.NOT_MONOTONE]
    assert answer.rejections[0].rejection.sequence == 3
    with world.database.read() as store:
        (kept,) = store.ledger.sessions(1)
    assert kept.record == records[3]


@pytest.mark.parametrize("heavy_first", [True, False])
def test_two_tellings_of_one_sequence_keep_the_lighter_and_the_evidence(
    world: World, *, heavy_first: bool
) -> None:
    node = world.node()
    viewer = world.viewer(node.address)
    light, heavy = viewer.record(1, 1000), viewer.record(1, 2000)
    for record in (heavy, light) if heavy_first else (light, heavy):
        assert world.submit(node.batch(1, [record])).ack.accepted == 1

    with world.database.read() as store:
        (kept,) = store.ledger.sessions(1)
        evidence = store.ledger.evidence(1)
    assert kept.record == light
    assert evidence == [heavy.encode()]


def test_a_batch_sent_again_gets_the_same_bytes_even_after_intake_closed(world: World) -> None:
    node = world.node()
    good = world.viewer(node.address).record(1, 1000)
    bad = world.viewer(node.address, nonce=2, pool_id=9).record(1, 1)
    batch = node.batch(1, [good, bad])
    first = world.request("POST", "/v1/batches", batch)
    world.clock.now += 3
    second = world.request("POST", "/v1/batches", batch)
    world.travel_to(GENESIS + 5 * EPOCH_SECONDS)
    third = world.request("POST", "/v1/batches", batch)

    assert first.status_code == 200
    assert first.content == second.content == third.content


@pytest.mark.parametrize("epoch", [0, 2, 1 << 62, (1 << 64) - 1])
def test_no_answer_is_kept_that_cannot_acknowledge_anything(world: World, epoch: int) -> None:
    world.travel_to(GENESIS + EPOCH_SECONDS + GRACE_SECONDS)
    node = world.node()
    answer = world.submit(node.batch(epoch, [world.viewer(node.address, epoch=epoch).record(1, 1)]))
    assert len(answer.rejections) == 1
    with world.database.read() as store:
        assert store.batches.count(node.address, epoch) == 0


def test_of_answers_that_acknowledge_nothing_some_are_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamrp2p_coordinator.use_cases.accept_batch.MAX_EMPTY_ANSWERS", 3)
    node = world.node()
    bad = world.viewer(node.address, pool_id=9).record(1, 1)
    good = world.viewer(node.address).record(1, 1000)
    for number in range(5):
        world.submit(node.batch(1, [bad], number=number))
    first = world.request("POST", "/v1/batches", node.batch(1, [bad, good], number=5))
    world.clock.now += 3
    second = world.request("POST", "/v1/batches", node.batch(1, [bad, good], number=5))
    assert first.content == second.content
    with world.database.read() as store:
        assert store.batches.count(node.address, 1) == 4


def test_another_batch_of_the_same_number_is_a_conflict_and_changes_nothing(world: World) -> None:
    node = world.node()
    viewer = world.viewer(node.address)
    world.submit(node.batch(1, [viewer.record(1, 1000)], number=4))

    answer = world.request("POST", "/v1/batches", node.batch(1, [viewer.record(2, 2000)], number=4))

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:streamrp2p:problem:batch-conflict"
    with world.database.read() as store:
        (kept,) = store.ledger.sessions(1)
    assert kept.record.receipt.sequence == 1


def test_a_node_that_registers_after_a_rejection_can_send_the_same_batch(world: World) -> None:
    node = Node(known_key(61), world.domain)
    batch = node.batch(1, [world.viewer(node.address).record(1, 1000)])
    assert world.submit(batch).rejections[0].rejection.code == Code.NODE_NOT_REGISTERED
    world.post("/v1/nodes", node.registration())
    assert world.submit(batch).ack.accepted == 1


def test_rejections_are_kept_once_for_the_bundle_and_bounded_per_node(world: World) -> None:
    node = world.node()
    record = world.viewer(node.address, pool_id=9).record(1, 1)
    for _ in range(2):
        world.submit(node.batch(1, [record]))
    many = [
        world.viewer(node.address, pool_id=9, nonce=nonce).record(1, 1) for nonce in range(1, 40)
    ]
    world.services.policy = replace(world.services.policy, max_rejections_per_node=10)
    world.submit(node.batch(1, many))

    with world.database.read() as store:
        kept = store.ledger.rejections(1)
    assert len(kept) == 10
    assert len({one.session_id for one in kept}) == 10
    assert all(isinstance(one, SignedRejection) for one in kept)


def test_strangers_cannot_fill_the_bundle_or_the_disk(world: World) -> None:
    stranger = Node(known_key(62), world.domain)
    world.submit(stranger.batch(1, [world.viewer(stranger.address).record(1, 1)]))
    with world.database.read() as store:
        assert store.ledger.rejections(1) == []
        assert store.batches.find(stranger.address, 1, 0) is None


def test_nothing_is_acknowledged_once_settlement_has_begun(world: World) -> None:
    node = world.node()
    record = world.viewer(node.address).record(1, 1)
    with world.database.write() as store:
        store.epochs.close_intake(1)  # another process, whose clock runs ahead
    assert rejected_code(world, node, record) is Code.INTAKE_CLOSED


def test_intake_waits_until_the_chain_shows_the_epoch(world: World) -> None:
    node = world.node()
    world.clock.now = GENESIS + 2 * EPOCH_SECONDS + 1  # the chain's newest block is of epoch 1
    batch = node.batch(2, [world.viewer(node.address).record(1, 1)])

    early = world.request("POST", "/v1/batches", batch)
    world.chain.now = world.clock.now
    world.sync()

    assert (early.status_code, early.headers["Retry-After"]) == (503, "1")
    assert early.json()["type"] == "urn:streamrp2p:problem:chain-behind"
    assert world.submit(batch).ack.accepted == 1


def problem_of(world: World, batch: api.Batch) -> tuple[int, str]:
    answer = world.request("POST", "/v1/batches", batch)
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix("urn:streamrp2p:problem:")


def test_batches_that_do_not_agree_with_themselves_are_refused(world: World) -> None:
    node = world.node()
    record = world.viewer(node.address).record(1, 1)
    batch = node.batch(1, [record])
    short = batch.model_copy(update={"records": batch.records[:-1]})
    empty = node.batch(1, [])
    other = batch.model_copy(update={"records": world.viewer(node.address).record(2, 2).encode()})
    forged = node.batch(1, [record], signer=known_key(63))
    large = node.batch(1, [record] * 51)

    assert problem_of(world, short) == (422, "invalid-batch")
    assert problem_of(world, empty) == (422, "invalid-batch")
    assert problem_of(world, other) == (422, "invalid-batch")
    assert problem_of(world, forged) == (422, "invalid-signature")
    assert problem_of(world, large) == (413, "too-large")
