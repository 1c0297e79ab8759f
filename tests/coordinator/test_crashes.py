"""The process dies at every step of settling, committing and making final: nothing is posted twice, skipped or lost.

What a process holds in memory dies with it, so that a death differs from another only by what was lasting before it: a
commit of the database, a bundle on the disk, a transaction that was sent. It dies after each of these in turn, and
meanwhile what was sent is mined, waits, or leaves the chain again with the newest block.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

import pytest

from streamrp2p.audit import ByteIdentical, audit
from streamrp2p.bundle import Bundle, decode_bundle
from streamrp2p.numbers import Hash
from streamrp2p.settlement import GENESIS as NO_PARENT
from streamrp2p.settlement import Parent
from streamrp2p_coordinator.bundles import Bundles
from streamrp2p_coordinator.chain import SignedTransaction
from streamrp2p_coordinator.database import Database, open_database
from streamrp2p_coordinator.jobs import run_epochs
from streamrp2p_coordinator.leadership import Leadership
from streamrp2p_coordinator.migrate import migrate
from streamrp2p_coordinator.repositories.store import Store
from streamrp2p_coordinator.use_cases import send_transactions
from tests.coordinator.memory_chain import MemoryChain
from tests.coordinator.world import (
    CHALLENGE_SECONDS,
    EPOCH_SECONDS,
    GENESIS,
    GRACE_SECONDS,
    Told,
    World,
    make_world,
)

pytestmark = pytest.mark.integration

EPOCHS = 3
PARTS = 4
STRIDE = 7
"""Among replacements every seventh effect is fatal: there are many of one kind."""
MAX_TICKS = 400


class KilledError(BaseException):
    """The process is gone; nothing in it can catch this."""


class Fate:
    """Counts lasting effects, and kills after those that are told."""

    def __init__(self, kills: Callable[[int], bool]) -> None:
        self.effects = 0
        self._kills = kills

    def lasted(self) -> None:
        self.effects += 1
        if self._kills(self.effects):
            raise KilledError


class FatedDatabase(Database):
    fate: Fate

    @contextmanager
    def write(self) -> Iterator[Store]:
        with super().write() as store:
            yield store
        self.fate.lasted()


class FatedBundles(Bundles):
    fate: Fate

    def write(self, bundle: Bundle) -> Hash:
        data_hash = super().write(bundle)
        self.fate.lasted()
        return data_hash


class FatedChain:
    """The chain as the process reaches it: what was sent stays sent."""

    def __init__(self, chain: MemoryChain, fate: Fate) -> None:
        self._chain = chain
        self._fate = fate

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the chain has
        return getattr(self._chain, name)

    def send(self, transaction: SignedTransaction) -> None:
        self._chain.send(transaction)
        self._fate.lasted()


class Beginning:
    """Acknowledged records in three epochs, none of them settled: where every life begins."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        database = open_database(f"sqlite:///{folder}/coordinator.db")
        migrate(database)
        world = make_world(database, folder)
        node = world.node()
        self.acknowledged: set[bytes] = set()
        for epoch in range(1, EPOCHS):
            world.travel_to(GENESIS + epoch * EPOCH_SECONDS + 30)
            world.sync()
            batch = node.batch(
                epoch,
                [
                    world.viewer(node.address, epoch=epoch, nonce=nonce).record(1, 10**6 + nonce)
                    for nonce in range(2)
                ],
            )
            assert world.submit(batch).ack.accepted == 2
            self.acknowledged |= {batch.records[:274], batch.records[274:]}
        database.close()
        self._world = world

    def world(self, folder: Path) -> World:
        """Return a copy of it, to live on in another folder."""
        shutil.copytree(self._folder, folder)
        chain = deepcopy(self._world.chain)
        return replace(self._world, chain=chain, clock=Told(self._world.clock.now))


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Beginning:
    return Beginning(tmp_path_factory.mktemp("beginning"))


Meanwhile = Literal["mined", "waits", "unmined"]
MEANWHILE: tuple[Meanwhile, ...] = get_args(Meanwhile)


def live(
    beginning: Beginning,
    folder: Path,
    kills: Callable[[int], bool],
    meanwhile: Meanwhile = "mined",
    *,
    ticks_per_block: int = 1,
) -> tuple[World, int]:
    """Run, and start again after each death, until every epoch is final; the world then and the lasting effects.

    `meanwhile` is what becomes of the chain between two lives. A tick without a block lets what was sent wait.
    """
    world, fate = beginning.world(folder), Fate(kills)
    ticks = 0
    for _ in range(MAX_TICKS):
        with started(world, folder, fate) as living:
            try:
                while world.chain.finalised < EPOCHS:
                    move_on(world)
                    ticks += 1
                    run_epochs(living.services)
                    if ticks % ticks_per_block == 0:
                        world.chain.mine()
                return living, fate.effects
            except KilledError:
                if meanwhile == "mined":
                    world.chain.mine()
                elif meanwhile == "unmined":
                    world.chain.unmine()
    raise AssertionError(f"after {MAX_TICKS} deaths only {world.chain.finalised} epochs are final")


def every(effects: int) -> Callable[[int], bool]:
    return lambda effect: effect % effects == 0


@contextmanager
def started(world: World, folder: Path, fate: Fate) -> Iterator[World]:
    database = FatedDatabase(open_database(f"sqlite:///{folder}/coordinator.db").engine)
    bundles = FatedBundles(folder / "bundles")
    database.fate = bundles.fate = fate
    services = replace(
        world.services,
        database=database,
        leadership=Leadership(database, world.clock),
        bundles=bundles,
        chain=FatedChain(world.chain, fate),
        clock=world.clock,
        failures={},
    )
    try:
        yield World(services, world.chain, world.clock)
    finally:
        database.close()


def move_on(world: World) -> None:
    """Let the time come at which something new is due: all intakes over, or all windows past."""
    settled = GENESIS + EPOCHS * EPOCH_SECONDS + GRACE_SECONDS
    if world.clock.now < settled:
        world.travel_to(settled)
    elif len(world.chain.headers) == EPOCHS:
        world.travel_to(max(world.clock.now, world.chain.committed_at[-1] + CHALLENGE_SECONDS))


def check(world: World, beginning: Beginning) -> None:
    """Each epoch has one header, recomputed from public data; every acknowledged record is in it."""
    chain = world.chain
    assert len(chain.headers) >= EPOCHS
    # A second commit or finalise of an epoch would have been mined without effect.
    assert all(chain.mined.values())
    settled: set[bytes] = set()
    parent = NO_PARENT
    for header in chain.headers:
        data = world.services.bundles.path(header.data_hash).read_bytes()
        pools = chain.pool_inputs(header.epoch, chain.newest())
        verdict = audit(world.domain, header, data, parent, pools, world.services.poster.address)
        assert isinstance(verdict, ByteIdentical), verdict
        bundle = decode_bundle(data)
        settled |= set(bundle.session_records)
        parent = Parent.of(header, bundle)
    assert settled == beginning.acknowledged


@pytest.mark.parametrize("meanwhile", MEANWHILE)
@pytest.mark.parametrize("part", range(PARTS))
def test_one_death_after_any_lasting_effect(
    beginning: Beginning, tmp_path: Path, part: int, meanwhile: Meanwhile
) -> None:
    calm, effects = live(beginning, tmp_path / "calm", lambda effect: False)
    check(calm, beginning)
    assert effects > 5 * EPOCHS
    for fatal in range(1 + part, effects + 1, PARTS):
        world, _ = live(beginning, tmp_path / str(fatal), fatal.__eq__, meanwhile)
        check(world, beginning)


@pytest.mark.parametrize("meanwhile", MEANWHILE)
def test_one_death_among_replacements(
    beginning: Beginning, tmp_path: Path, meanwhile: Meanwhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two ticks of three find no block, and each of them replaces what waits."""
    monkeypatch.setattr(send_transactions, "PATIENCE_SECONDS", 0)
    calm, effects = live(beginning, tmp_path / "calm", lambda effect: False, ticks_per_block=3)
    check(calm, beginning)
    assert len(calm.chain.calls) >= 2 * len(calm.chain.mined)
    for fatal in range(1, effects + 1, STRIDE):
        folder = tmp_path / str(fatal)
        world, _ = live(beginning, folder, fatal.__eq__, meanwhile, ticks_per_block=3)
        check(world, beginning)


@pytest.mark.parametrize("effects", [5, 7, 11])
def test_a_process_that_never_lives_long_comes_to_the_end(
    beginning: Beginning, tmp_path: Path, effects: int
) -> None:
    """Each life has so many lasting effects; the first of them are always those of reading the chain."""
    world, _ = live(beginning, tmp_path / "life", every(effects), "waits")
    check(world, beginning)
