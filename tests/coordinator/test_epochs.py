"""From intake to finality over a chain in memory: settlement, commits, voids, crashes."""

import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from streamrp2p import api
from streamrp2p.allocation import Terms
from streamrp2p.audit import ByteIdentical, audit
from streamrp2p.header import EpochHeader
from streamrp2p.numbers import Hash, Signature
from streamrp2p.records import SignedRejection
from streamrp2p.settlement import GENESIS as NO_PARENT
from streamrp2p.settlement import Parent, PoolInput
from streamrp2p.verify import Checked, Code
from streamrp2p_coordinator.bundles import Bundles
from streamrp2p_coordinator.chain import SignedTransaction
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.errors import ChainMismatchError, ConfigurationError
from streamrp2p_coordinator.judgement import Refusal
from streamrp2p_coordinator.tables import RewardRow, table_of
from streamrp2p_coordinator.use_cases.commit_epoch import commit_epoch
from streamrp2p_coordinator.use_cases.follow_transactions import follow_transactions
from streamrp2p_coordinator.use_cases.restore_epochs import restore_epochs
from streamrp2p_coordinator.use_cases.settle_epoch import settle_epoch
from streamrp2p_coordinator.use_cases.sync_headers import sync_headers
from streamrp2p_coordinator.use_cases.sync_pools import sync_pools
from tests.coordinator.actors import Node, known_key
from tests.coordinator.memory_chain import BOND_WEI
from tests.coordinator.world import (
    CHALLENGE_SECONDS,
    EPOCH_SECONDS,
    GENESIS,
    GRACE_SECONDS,
    World,
    make_world,
)

GIGABYTE_PRICE = 10**18


def settle(world: World) -> EpochHeader | None:
    services = world.services
    return settle_epoch(
        database=services.database,
        chain=services.chain,
        network=services.network,
        bundles=services.bundles,
        poster=services.poster.address,
        clock=services.clock,
    )


def commit(world: World) -> str | None:
    services = world.services
    return commit_epoch(
        database=services.database,
        chain=services.chain,
        network=services.network,
        poster=services.poster,
        clock=services.clock,
    )


def intake_end(epoch: int) -> int:
    return GENESIS + (epoch + 1) * EPOCH_SECONDS + GRACE_SECONDS


def earn(world: World, node: Node, delivered: int = 10_000_000) -> None:
    """Let the node relay in the current epoch."""
    epoch = world.services.network.epochs.at(world.clock.now)
    viewer = world.viewer(node.address, epoch=epoch, nonce=epoch)
    assert world.submit(node.batch(epoch, [viewer.record(1, delivered)])).ack.accepted == 1


def finish(world: World, epoch: int) -> None:
    """Let an epoch be settled, committed and made final."""
    world.travel_to(intake_end(epoch))
    for _ in range(2 * epoch + 4):
        world.tick()
    world.travel_to(world.clock.now + CHALLENGE_SECONDS)
    for _ in range(2 * epoch + 4):
        world.tick()
    world.sync()


def test_an_epoch_goes_from_open_to_final(world: World) -> None:
    node = world.node()
    earn(world, node)
    states = [world.get("/v1/epochs/1")["state"]]
    world.travel_to(GENESIS + 2 * EPOCH_SECONDS)
    states.append(world.get("/v1/epochs/1")["state"])
    world.travel_to(intake_end(1))
    states.append(world.get("/v1/epochs/1")["state"])
    for _ in range(5):
        world.tick()
    states.append(world.get("/v1/epochs/1")["state"])
    finish(world, 1)
    final = world.get("/v1/epochs/1")

    assert states == ["open", "intake", "settling", "committed"]
    assert final["state"] == "final"
    assert final["challengeEndsAt"] == final["committedAt"] + CHALLENGE_SECONDS
    assert final["commitTransaction"] is not None
    assert final["finaliseTransaction"] is not None
    assert final["headerHash"] == "0x" + world.chain.headers[1].hash().hex()


def test_a_former_posters_rejections_are_left_out_of_the_bundle(world: World) -> None:
    node = world.node()
    earn(world, node)
    bad = world.viewer(node.address, pool_id=9, nonce=5).record(1, 1)
    own = world.submit(node.batch(1, [bad])).rejections[0]
    formers = replace(as_signed(own), sequence=2, signature=Signature(bytes([1]) * 64 + b"\x1b"))
    with world.services.database.write() as store:
        store.ledger.keep_rejections(1, node.address, [Refusal(formers, None, None)], 100)
    finish(world, 1)

    header = world.chain.headers[1]
    assert world.services.bundles.read(header.data_hash).rejections == (as_signed(own),)


def test_the_bundle_audits_byte_identical(world: World) -> None:
    node = world.node()
    earn(world, node)
    bad = world.viewer(node.address, pool_id=9, nonce=5).record(1, 1)
    assert world.submit(node.batch(1, [bad])).rejections[0].rejection.code == Code.UNKNOWN_POOL
    finish(world, 1)
    first, second = world.chain.headers
    bundles = [
        world.request("GET", f"/v1/bundles/0x{header.data_hash.hex()}").content
        for header in (first, second)
    ]
    terms = Terms(GIGABYTE_PRICE, 10**20, world.services.ticket_signer.address)
    pools = [PoolInput(1, terms, 10**21)]
    poster = world.services.poster.address

    empty = audit(world.domain, first, bundles[0], NO_PARENT, pools, poster)
    assert isinstance(empty, ByteIdentical)
    parent = Parent.of(first, empty.settlement.bundle)
    verdict = audit(world.domain, second, bundles[1], parent, pools, poster)
    assert isinstance(verdict, ByteIdentical)
    assert [one.code for one in verdict.settlement.bundle.rejections] == [Code.UNKNOWN_POOL]
    (row,) = verdict.settlement.bundle.node_rows
    assert row.reward == 10_000_000 * GIGABYTE_PRICE // 10**9


def test_earnings_add_up_over_epochs(world: World) -> None:
    node = world.node()
    earn(world, node)
    world.travel_to(GENESIS + 2 * EPOCH_SECONDS + 30)
    world.sync()
    earn(world, node, 20_000_000)
    finish(world, 1)
    half = world.get(f"/v1/accounts/0x{node.address.hex()}/earnings")
    finish(world, 2)
    both = world.get(f"/v1/accounts/0x{node.address.hex()}/earnings")

    assert half["pools"][0]["final"] == str(10**16)
    assert (both["pools"][0]["settled"], both["pools"][0]["final"]) == (
        str(3 * 10**16),
        str(3 * 10**16),
    )
    assert [(row["epoch"], row["reward"]) for row in both["epochs"]] == [
        (2, str(2 * 10**16)),
        (1, str(10**16)),
    ]
    assert both["epochs"][0]["bytesDelivered"] == 20_000_000


def test_bytes_beyond_what_json_numbers_hold_do_not_hide_what_an_account_earned(
    world: World,
) -> None:
    node = world.node()
    earn(world, node)
    finish(world, 1)
    with world.database.engine.begin() as connection:
        connection.execute(update(table_of(RewardRow)).values(bytes_delivered=1 << 65))
    (row,) = world.get(f"/v1/accounts/0x{node.address.hex()}/earnings")["epochs"]
    assert row["bytesDelivered"] == (1 << 64) - 1


def test_the_claim_of_the_newest_final_epoch_is_proven(world: World) -> None:
    node = world.node()
    earn(world, node)
    path = f"/v1/accounts/0x{node.address.hex()}/claim"
    early = world.request("GET", path)
    finish(world, 1)
    claim = api.Claim.model_validate(world.get(path))

    assert early.status_code == 404
    assert claim.proof().is_valid()
    assert claim.entries == [1 << 128 | 10**16]
    assert claim.to == world.services.network.reward_pools
    assert world.request("GET", path + "?epoch=1").status_code == 200
    assert world.request("GET", path + "?epoch=0").status_code == 404
    assert world.request("GET", path + "?epoch=7").status_code == 409


def test_settlement_waits_for_the_chains_own_time(world: World) -> None:
    world.clock.now = intake_end(0)
    world.chain.now = GENESIS + EPOCH_SECONDS - 1
    assert settle(world) is None
    world.chain.now = GENESIS + EPOCH_SECONDS
    settled = settle(world)
    assert settled is not None
    assert settled.epoch == 0


def test_settling_twice_makes_one_header(world: World) -> None:
    world.travel_to(intake_end(0))
    first = settle(world)
    assert first is not None
    assert settle(world) is None
    with world.database.read() as store:
        stored = store.epochs.find(0)
    assert stored is not None
    assert stored.header == first


def test_a_crash_after_the_bundle_was_written_settles_to_the_same_header(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = world.node()
    earn(world, node)
    world.travel_to(intake_end(1))
    write = Bundles.write

    def crash(self: Bundles, bundle: object) -> bytes:
        write(self, bundle)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    settle(world)
    with monkeypatch.context() as patch:
        patch.setattr(Bundles, "write", crash)
        with pytest.raises(KeyboardInterrupt):
            settle(world)
    with world.database.read() as store:
        before = store.epochs.find(1)
        assert before is not None
        assert before.header is None
        assert before.is_intake_closed
    header = settle(world)
    assert header is not None
    assert world.services.bundles.has(header.data_hash)


def test_a_full_disk_holds_the_settlement_up_until_there_is_room(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = world.node()
    earn(world, node)
    world.travel_to(intake_end(1))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("streamrp2p.durable._write_synced", full)
        world.tick()
        assert "the disk is full" in world.services.failures["settle"]
    assert world.chain.headers == []
    for _ in range(5):
        world.tick()
    assert world.services.failures == {}
    assert [header.epoch for header in world.chain.headers] == [0, 1]
    assert list((world.services.bundles.path(Hash(bytes(32))).parent).glob(".*.tmp")) == []


def test_a_commit_that_was_recorded_but_not_sent_is_sent_once_after_the_crash(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.travel_to(intake_end(0))
    settle(world)

    def crash(_transaction: SignedTransaction) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(world.chain, "send", crash)
        with pytest.raises(KeyboardInterrupt):
            commit(world)
    assert world.chain.sent == []
    for _ in range(3):
        world.tick()

    assert len(world.chain.headers) == 1
    assert len(set(world.chain.sent)) == 1


def test_a_commit_that_was_sent_but_not_marked_is_not_made_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.travel_to(intake_end(0))
    settle(world)
    send = world.chain.send

    def send_and_crash(transaction: SignedTransaction) -> None:
        send(transaction)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(world.chain, "send", send_and_crash)
        with pytest.raises(KeyboardInterrupt):
            commit(world)
    assert commit(world) is None  # still under way
    world.chain.mine()
    for _ in range(3):
        world.tick()

    assert len(world.chain.headers) == 1
    assert len(set(world.chain.sent)) == 1


def test_a_missing_bond_is_posted_before_the_commit(world: World) -> None:
    world.chain.bond = 0
    world.travel_to(intake_end(0))
    world.tick()
    assert (world.chain.bond, len(world.chain.headers)) == (BOND_WEI, 0)
    world.tick()
    assert len(world.chain.headers) == 1


def test_a_veto_voids_the_descendants_too_and_all_are_settled_again_in_order(world: World) -> None:
    node = world.node()
    earn(world, node)
    world.travel_to(intake_end(2))
    for _ in range(8):
        world.tick()
    before = list(world.chain.headers)
    assert len(before) == 3
    world.chain.veto(1)
    # What makes the new settlement another one: a deposit that was missed cannot be, so the price.
    world.chain.terms[1] = replace(world.chain.terms[1], price_per_gb=2 * GIGABYTE_PRICE)
    world.sync()
    states = [world.get(f"/v1/epochs/{epoch}")["state"] for epoch in range(3)]
    for _ in range(8):
        world.tick()

    assert states == ["committed", "voided", "voided"]
    after = world.chain.headers
    assert after[0] == before[0]
    assert [header.epoch for header in after] == [0, 1, 2]
    assert after[1] != before[1]
    assert after[2].parent == after[1].hash()
    world.sync()
    earnings = world.get(f"/v1/accounts/0x{node.address.hex()}/earnings")
    assert earnings["pools"][0]["settled"] == str(2 * 10**16)


def test_a_header_that_lost_its_bond_is_not_bonded_again_unchanged(world: World) -> None:
    world.travel_to(intake_end(0))
    world.tick()
    world.tick()
    world.chain.veto(0)
    world.chain.bond = 0
    world.sync()
    settle(world)
    with pytest.raises(ConfigurationError, match="find the fault before you bond again"):
        commit(world)
    assert world.chain.bond == 0


def test_a_header_that_was_voided_unseen_is_not_bonded_again_either(world: World) -> None:
    world.travel_to(intake_end(0))
    world.tick()
    world.chain.veto(0)
    world.chain.bond = 0
    world.tick()
    assert "find the fault before you bond again" in world.services.failures["commit"]
    assert world.chain.bond == 0


@pytest.mark.parametrize("is_followed", [True, False])
def test_a_header_that_was_voided_as_soon_as_it_was_mined_is_settled_again(
    world: World, *, is_followed: bool
) -> None:
    """Whether it goes before or after its transaction was seen in a block."""
    earn(world, world.node())
    finish(world, 0)
    world.travel_to(intake_end(1))
    world.tick()
    first, wrong = world.chain.headers
    if is_followed:
        follow_transactions(database=world.database, chain=world.chain)
    world.chain.veto(1)
    world.chain.bond = 0
    # What makes the new settlement another one.
    world.chain.terms[1] = replace(world.chain.terms[1], price_per_gb=2 * GIGABYTE_PRICE)
    for _ in range(4):
        world.tick()

    assert world.services.failures == {}
    assert world.chain.headers[:1] == [first]
    assert world.chain.headers[1:] not in ([], [wrong])
    assert world.get("/v1/epochs/1")["state"] == "committed"


@pytest.mark.parametrize("is_noted", [True, False])
def test_a_block_that_is_taken_back_unseen_voids_no_header(world: World, *, is_noted: bool) -> None:
    world.travel_to(intake_end(0))
    world.tick()
    follow_transactions(database=world.database, chain=world.chain)
    if is_noted:
        world.sync()
    world.chain.unmine()
    assert sync_headers(database=world.database, chain=world.chain) == []
    for _ in range(3):
        world.tick()
    assert len(world.chain.headers) == 1
    with world.database.read() as store:
        stored = store.epochs.find(0)
    assert stored is not None
    assert stored.voided_header_hash is None


def test_another_accounts_header_stops_the_posting(world: World) -> None:
    world.travel_to(intake_end(0))
    header = settle(world)
    assert header is not None
    world.chain.headers.append(replace(header, weight=header.weight + 1))
    world.chain.committed_at.append(world.clock.now)
    with pytest.raises(ChainMismatchError, match="another header of epoch 0"):
        world.sync()


def test_a_lost_database_is_told_instead_of_posting_over_it(world: World) -> None:
    world.travel_to(intake_end(1))
    header = settle(world)
    assert header is not None
    with world.database.write() as store:
        store.epochs.unsettle(0, voided=None)
    world.chain.headers.append(header)
    world.chain.committed_at.append(world.clock.now)
    with pytest.raises(ChainMismatchError, match="streamrp2p coordinator restore"):
        world.sync()


def test_a_lost_database_settles_nothing_before_it_is_restored(
    world: World, fresh_database: Database, tmp_path: Path
) -> None:
    earn(world, world.node())
    finish(world, 1)
    fresh = make_world(fresh_database, tmp_path / "fresh")
    fresh.services.chain = fresh.chain = world.chain
    fresh.travel_to(world.clock.now)

    with pytest.raises(ChainMismatchError, match="streamrp2p coordinator restore"):
        fresh.sync()
    assert settle(fresh) is None
    assert restored(
        world, fresh, lambda wanted: world.services.bundles.path(wanted).read_bytes()
    ) == [0, 1]
    fresh.sync()


def test_nothing_is_restored_on_top_of_another_header(world: World, tmp_path: Path) -> None:
    earn(world, world.node())
    finish(world, 1)
    settled = world.chain.headers[1]
    world.chain.headers[1] = replace(settled, weight=settled.weight + 1)

    with pytest.raises(ChainMismatchError, match="empty database"):
        restored(world, world, None)


def restored(world: World, fresh: World, fetch: Callable[[Hash], bytes] | None) -> list[int]:
    return restore_epochs(
        database=fresh.database,
        chain=world.chain,
        domain=world.domain,
        bundles=fresh.services.bundles,
        fetch=fetch,
    )


def test_a_lost_database_is_read_back_from_chain_and_bundles(
    world: World, fresh_database: Database, tmp_path: Path
) -> None:
    node = world.node()
    earn(world, node)
    finish(world, 1)
    path = f"/v1/accounts/0x{node.address.hex()}"
    fresh = make_world(fresh_database, tmp_path / "fresh")
    fresh.services.chain = fresh.chain = world.chain
    fresh.travel_to(world.clock.now)

    with pytest.raises(ChainMismatchError, match="--mirror"):
        restored(world, fresh, None)
    with pytest.raises(ChainMismatchError, match="sent another bundle"):
        restored(world, fresh, lambda _: b"nothing")
    assert restored(
        world, fresh, lambda wanted: world.services.bundles.path(wanted).read_bytes()
    ) == [0, 1]
    assert restored(world, fresh, None) == []

    fresh.sync()
    assert fresh.get("/v1/epochs/1")["state"] == "final"
    assert fresh.get(path + "/earnings") == world.get(path + "/earnings")
    assert fresh.get(path + "/claim") == world.get(path + "/claim")
    with fresh_database.read() as store:
        assert store.ledger.earning_pools(node.address) == {1}
    finish(fresh, 2)
    assert [header.epoch for header in world.chain.headers] == [0, 1, 2]


@pytest.mark.parametrize("is_voided_before", [True, False])
def test_a_restored_epoch_that_is_voided_is_settled_with_every_record_again(
    world: World, fresh_database: Database, tmp_path: Path, *, is_voided_before: bool
) -> None:
    earn(world, world.node())
    world.travel_to(intake_end(1))
    for _ in range(3):
        world.tick()
    before = world.chain.headers[1]
    assert before.weight > 0
    if is_voided_before:
        world.chain.veto(1)
    fresh = make_world(fresh_database, tmp_path / "fresh")
    fresh.services.chain = fresh.chain = world.chain
    fresh.travel_to(world.clock.now)
    restored(world, fresh, lambda wanted: world.services.bundles.path(wanted).read_bytes())
    if not is_voided_before:
        world.chain.veto(1)
    for _ in range(3):
        fresh.tick()
    assert world.chain.headers[1:] == [before]


def test_a_restored_ledger_keeps_what_is_newer_and_no_record_that_breaks_a_rule(
    world: World, fresh_database: Database, tmp_path: Path
) -> None:
    node = world.node()
    forged = world.viewer(node.address, nonce=1, ticket_key=known_key(9))
    good = world.viewer(node.address, nonce=2)
    with world.database.write() as store:
        store.ledger.keep([Checked(forged.record(1, 1000)), Checked(good.record(1, 1000))], {})
    world.travel_to(intake_end(1))
    for _ in range(3):
        world.tick()
    fresh = make_world(fresh_database, tmp_path / "fresh")
    fresh.services.chain = fresh.chain = world.chain
    newer = Checked(good.record(2, 2000))
    with fresh_database.write() as store:
        store.ledger.keep([newer], {})
    restored(world, fresh, lambda wanted: world.services.bundles.path(wanted).read_bytes())
    with fresh_database.read() as store:
        assert store.ledger.sessions(1) == [newer]


@pytest.mark.parametrize("stale", [["book"], ["book", "commitment"]])
def test_a_header_that_an_rpc_did_not_know_for_once_stands(
    world: World, monkeypatch: pytest.MonkeyPatch, stale: list[str]
) -> None:
    earn(world, world.node())
    world.travel_to(intake_end(1))
    old = {"book": world.chain.book(), "commitment": world.chain.commitment(0)}
    for _ in range(3):
        world.tick()
    world.sync()
    before = list(world.chain.headers)
    with monkeypatch.context() as patch:
        for name in stale:
            patch.setattr(world.chain, name, lambda *_, name=name: old[name])
        world.sync()
    world.travel_to(world.clock.now + CHALLENGE_SECONDS)
    for _ in range(4):
        world.tick()
    assert world.services.failures == {}
    assert (world.chain.headers, world.chain.finalised) == (before, 2)
    assert world.get("/v1/epochs/1")["state"] == "final"


def test_only_the_books_poster_commits(world: World) -> None:
    world.travel_to(intake_end(0))
    settle(world)
    world.chain.poster = world.services.ticket_signer.address
    with pytest.raises(ConfigurationError, match="the book's poster is"):
        commit(world)


def test_an_older_block_never_replaces_what_a_newer_one_said(world: World) -> None:
    services = world.services
    world.chain.deposits[1] = 5 * 10**21
    world.sync()
    world.chain.now -= 10
    world.chain.deposits[1] = 10**21
    sync_pools(
        database=services.database,
        chain=services.chain,
        network=services.network,
        clock=services.clock,
    )
    assert world.get("/v1/pools/1")["funded"] == str(5 * 10**21)


def test_a_transaction_that_nobody_mines_is_signed_again_with_the_same_nonce(world: World) -> None:
    world.travel_to(intake_end(0))
    settle(world)
    commit(world)
    world.chain.fee = 2
    world.clock.now += 61
    world.tick()
    with world.database.read() as store:
        recorded = store.transactions.live(world.services.poster.address)
    assert [one.signed.nonce for one in recorded] == [0, 0]
    world.tick()
    with world.database.read() as store:
        assert store.transactions.live(world.services.poster.address) == []
    assert len(set(world.chain.sent)) == 2
    assert len(world.chain.headers) == 1


def as_signed(answered: api.SignedRejection) -> SignedRejection:
    message = answered.rejection.message()
    return SignedRejection(
        message.session_id,
        message.sequence,
        message.code,
        message.received_at,
        Signature(answered.signature),
    )
