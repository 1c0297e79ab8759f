"""`GET /v1/accounts/{account}/epochs/{epoch}`: the same answer before and after an epoch is settled."""

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, select, text, update
from sqlmodel import SQLModel

import streamrp2p_coordinator
from streamrp2p import api
from streamrp2p.explanation import explain_bundle
from streamrp2p.numbers import Address, Signature
from streamrp2p.records import SignedRejection
from streamrp2p.tally import Tally
from streamrp2p.verify import Code
from streamrp2p_coordinator.database import open_database
from streamrp2p_coordinator.migrate import migrate
from streamrp2p_coordinator.tables import PoolResultRow, SessionRow, TallyRow, table_of
from tests.coordinator.actors import Node, known_key
from tests.coordinator.world import (
    CHALLENGE_SECONDS,
    EPOCH_SECONDS,
    GENESIS,
    GRACE_SECONDS,
    World,
)

OTHER_KEY = known_key(4)
END = GENESIS + 2 * EPOCH_SECONDS
MIGRATIONS = Path(streamrp2p_coordinator.__file__).parent / "migrations"


def path(account: Address, epoch: int = 1) -> str:
    return f"/v1/accounts/0x{account.hex()}/epochs/{epoch}"


def earn(
    world: World, node: Node, delivered: int, on_time: int, nonce: int = 0, pool_id: int = 1
) -> None:
    epoch = world.services.network.epochs.at(world.clock.now)
    viewer = world.viewer(node.address, nonce=100 * epoch + nonce, pool_id=pool_id)
    answer = world.submit(node.batch(epoch, [viewer.record(1, delivered, on_time)]))
    assert answer.ack.accepted == 1


def rows(engine: Engine, model: type[SQLModel]) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(select(table_of(model)))]


def settle_up_to(world: World, epoch: int) -> None:
    world.travel_to(GENESIS + (epoch + 1) * EPOCH_SECONDS + GRACE_SECONDS)
    for _ in range(2 * epoch + 4):
        world.tick()


def test_the_last_estimate_is_the_settled_figure(world: World) -> None:
    world.chain.terms[1] = replace(world.chain.terms[1], epoch_budget=10**16)
    world.travel_to(world.clock.now)
    world.sync()
    node, other = world.node(), world.node(OTHER_KEY)
    earn(world, node, 10_000_001, 9_000_000)
    first = world.get(path(node.address))
    refused = world.viewer(node.address, pool_id=9, nonce=9).record(1, 1)
    world.submit(node.batch(1, [refused]))
    earn(world, other, 20_000_000, 20_000_000)
    answers = {"open": world.get(path(node.address))}
    world.travel_to(END)
    answers["intake"] = world.get(path(node.address))
    world.travel_to(END + GRACE_SECONDS)
    answers["settling"] = world.get(path(node.address))
    settle_up_to(world, 1)
    answers["committed"] = world.get(path(node.address))
    world.travel_to(world.clock.now + CHALLENGE_SECONDS)
    for _ in range(6):
        world.tick()
    world.sync()
    answers["final"] = world.get(path(node.address))

    assert [answer["state"] for answer in answers.values()] == list(answers)
    settled = {state: answer["isSettled"] for state, answer in answers.items()}
    assert [state for state, is_settled in settled.items() if is_settled] == ["committed", "final"]
    explanations = [answer["explanation"] for answer in answers.values()]
    assert all(one == explanations[0] for one in explanations)
    (pool,) = explanations[0]["pools"]
    assert (pool["weight"], pool["poolWeight"], pool["boundBy"]) == (
        "9500000",
        "29500000",
        "budget",
    )
    assert pool["reward"] == str(10**16 * 9_500_000 // 29_500_000)
    # Alone it would have got all that its weight is worth.
    assert first["explanation"]["pools"][0]["reward"] == str(9_500_000 * 10**9)
    assert all(answer["refusals"] == answers["open"]["refusals"] for answer in answers.values())


def test_the_bundle_explains_in_the_same_bytes(world: World) -> None:
    nodes = [world.node(), world.node(OTHER_KEY)]
    for nonce, node in enumerate([*nodes, *nodes, nodes[0]]):
        earn(world, node, 1_000_003 * (nonce + 1), 1_000_000, nonce)
    settle_up_to(world, 1)
    bundle = world.services.bundles.read(world.chain.headers[1].data_hash)
    pools = world.chain.pool_inputs(1, world.chain.head())
    for node in nodes:
        answer = world.request("GET", path(node.address))
        explained = api.Explanation.of(explain_bundle(bundle, pools, node.address))
        shown = explained.model_dump_json(by_alias=True)
        assert f'"explanation":{shown},'.encode() in answer.content
        paid = [row.reward for row in bundle.node_rows if row.node == node.address]
        assert [pool.reward for pool in explained.pools] == paid


def test_refusals_are_shown_with_signatures_that_verify(world: World) -> None:
    node, other = world.node(), world.node(OTHER_KEY)
    bad = [
        world.viewer(node.address, pool_id=9, nonce=1).record(3, 1),
        world.viewer(node.address, nonce=2).record(4, 5, 6),
    ]
    world.submit(node.batch(1, bad))
    answer = api.AccountEpoch.model_validate(world.get(path(node.address)))

    assert answer.refusal_count == 2
    shown = {one.rejection.session_id: one for one in answer.refusals}
    assert [shown[record.session_id].rejection.code for record in bad] == [
        Code.UNKNOWN_POOL,
        Code.MALFORMED,
    ]
    assert [shown[record.session_id].rejection.sequence for record in bad] == [3, 4]
    for one in answer.refusals:
        signed = SignedRejection(**dict(one.rejection), signature=Signature(one.signature))
        assert signed.is_signed_by(world.services.poster.address, world.domain)
        assert one.reason
    assert world.get(path(other.address))["refusals"] == []


def test_the_refusals_that_are_shown_are_bounded_and_all_are_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamrp2p_coordinator.use_cases.explain_epoch.MAX_REFUSALS", 2)
    node = world.node()
    bad = [world.viewer(node.address, pool_id=9, nonce=nonce).record(1, 1) for nonce in range(3)]
    world.submit(node.batch(1, bad))
    answer = world.get(path(node.address))
    assert (answer["refusalCount"], len(answer["refusals"])) == (3, 2)


def test_funds_that_earlier_epochs_will_spend_are_not_counted_twice(world: World) -> None:
    """Epoch 1 is in intake while 2 is open; together they want more than the pool holds."""
    world.chain.deposits[1] = 15 * 10**15
    node = world.node()
    world.sync()
    earn(world, node, 10_000_000, 10_000_000)
    world.travel_to(END + 10)
    world.sync()
    earn(world, node, 10_000_000, 10_000_000, nonce=1)
    (pool,) = world.get(path(node.address, 2))["explanation"]["pools"]
    settle_up_to(world, 2)

    assert (pool["previousCumulativeSpend"], pool["fundsLeft"]) == (str(10**16), str(5 * 10**15))
    assert (pool["boundBy"], pool["reward"]) == ("funds", str(5 * 10**15))
    assert world.get(path(node.address, 2))["explanation"]["pools"] == [pool]


def test_a_voided_epoch_is_explained_by_what_came_in_until_it_is_settled_again(
    world: World,
) -> None:
    node = world.node()
    earn(world, node, 10_000_000, 5_000_000)
    settle_up_to(world, 1)
    before = world.get(path(node.address))
    world.chain.veto(1)
    world.sync()
    voided = world.get(path(node.address))
    for _ in range(4):
        world.tick()
    again = world.get(path(node.address))

    assert [answer["state"] for answer in (before, voided, again)] == [
        "committed",
        "voided",
        "committed",
    ]
    assert [answer["isSettled"] for answer in (before, voided, again)] == [True, False, True]
    assert before["explanation"] == voided["explanation"] == again["explanation"]


def test_a_pool_that_closed_since_and_one_without_funds_are_explained(world: World) -> None:
    signer = world.services.ticket_signer.address
    world.chain.add_pool(2, signer, closed_from_epoch=2)
    world.chain.add_pool(3, signer, funded=0)
    world.sync()
    node = world.node()
    for pool_id in (2, 3):
        earn(world, node, 1000, 1000, nonce=pool_id, pool_id=pool_id)
    world.travel_to(END + 5)
    world.sync()
    estimate = world.get(path(node.address))
    settle_up_to(world, 1)

    pools = [
        (one["poolId"], one["boundBy"], one["reward"]) for one in estimate["explanation"]["pools"]
    ]
    assert pools == [(2, "weight", str(1000 * 10**9)), (3, "funds", "0")]
    assert world.get(path(node.address))["explanation"] == estimate["explanation"]


@pytest.mark.parametrize("epoch", [0, 1])
def test_an_account_that_nobody_knows_earns_nothing(world: World, epoch: int) -> None:
    settle_up_to(world, 0)
    answer = world.get(path(Address(b"\x99" * 20), epoch))
    assert answer["explanation"] == {"account": "0x" + "99" * 20, "epoch": epoch, "pools": []}
    assert (answer["refusalCount"], answer["refusals"]) == (0, [])


def test_what_cannot_be_explained_is_a_problem(world: World) -> None:
    account = "0x" + "99" * 20
    for asked, status, detail in (
        (f"{account}/epochs/2", 404, "epoch 2 has not begun"),
        (f"{account}/epochs/{(1 << 63) - 1}", 404, "has not begun"),
        (f"{account}/epochs/{1 << 63}", 422, "path.epoch"),
        (f"{account}/epochs/-1", 422, "path.epoch"),
        (f"{account}/epochs/x", 422, "path.epoch"),
        (f"{account[:-2]}/epochs/1", 422, "path.account"),
        ("me/epochs/1", 422, "path.account"),
    ):
        answer = world.request("GET", f"/v1/accounts/{asked}")
        assert answer.status_code == status, asked
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert detail in answer.json()["detail"], asked


def test_an_epoch_whose_inputs_were_not_kept_is_explained_by_the_chain(world: World) -> None:
    node = world.node()
    earn(world, node, 10_000_000, 5_000_000)
    settle_up_to(world, 1)
    before = world.get(path(node.address))
    with world.database.engine.begin() as connection:
        connection.execute(update(table_of(PoolResultRow)).values(funded=None))
    assert world.get(path(node.address)) == before


def test_tallies_are_those_of_the_records_that_stand(world: World) -> None:
    random = Random(7)  # noqa: S311 - for a test
    world.chain.add_pool(2, world.services.ticket_signer.address)
    world.sync()
    nodes = [world.node(), world.node(OTHER_KEY)]
    for _ in range(30):
        node = random.choice(nodes)
        records = [
            world.viewer(
                node.address, pool_id=random.randint(1, 2), nonce=random.randint(1, 3)
            ).record(random.randint(1, 4), on_time + random.randint(0, 3), on_time)
            for on_time in (random.randint(0, 50) for _ in range(4))
        ]
        world.submit(node.batch(1, records))
    with world.database.read() as store:
        sessions = [checked.record for checked in store.ledger.sessions(1)]
        kept = {node.address: store.ledger.tallies(1, node.address) for node in nodes}
    expected: dict[bytes, dict[int, Tally]] = {}
    for record in sessions:
        tallies = expected.setdefault(record.ticket.node, {})
        pool_id = record.ticket.pool_id
        tallies[pool_id] = tallies.get(pool_id, Tally()) + Tally.of(record)
    assert len(sessions) > 6
    assert kept == expected


def test_a_database_of_before_gets_the_tallies_of_its_sessions(
    world: World, empty_database_url: str
) -> None:
    node = world.node()
    for nonce in range(3):
        earn(world, node, 1000 + nonce, 500, nonce)
    sessions, tallies = (rows(world.database.engine, table) for table in (SessionRow, TallyRow))
    older = open_database(empty_database_url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with older.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.execute(table_of(SessionRow).insert(), sessions)
        connection.execute(
            text(
                "INSERT INTO epochs (epoch, is_intake_closed, is_final, is_voided) VALUES (1, false, false, false)"
            )
        )
    migrate(older)
    assert rows(older.engine, TallyRow) == tallies
    assert [row["sessions"] for row in tallies] == [3]
    older.close()
