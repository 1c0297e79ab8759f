"""Why this amount, on the real contracts and over HTTP: by the coordinator, the node's command and the auditor's."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import sleep

import pytest
import uvicorn
from typer import Typer
from typer.testing import CliRunner

from streamrp2p import api
from streamrp2p.client import ApiError, CoordinatorClient
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import SessionTicket
from streamrp2p_auditor.cli import app as audit
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.use_cases.register_node import register_node
from streamrp2p_coordinator.web.app import make_app
from streamrp2p_node.cli import app as node_app
from tests.coordinator.actors import Node, Viewer, known_key
from tests.coordinator.stage import Stage, staged
from tests.support.chain import ONE_TOKEN, SHORT_EPOCHS, STREAMER, TICKET_SIGNER

pytestmark = pytest.mark.integration

# The chain's clock also goes on by itself: no test is to outlast one of these.
LONG_EPOCHS = replace(SHORT_EPOCHS, epoch_seconds=3600, intake_grace_seconds=1800)
HALF_TOKEN = ONE_TOKEN // 2
VIEWER_KEY = known_key(7)


@dataclass
class Scene:
    """A coordinator that answers over HTTP, a pool with ample funds, one with half a token, and two nodes."""

    stage: Stage
    url: str
    client: CoordinatorClient
    nodes: tuple[Node, Node]

    def earn(self, node: Node, pool_id: int, delivered: int, on_time: int, nonce: int = 0) -> None:
        epoch, now = self.epoch, self.stage.chain.now()
        ticket = SessionTicket(
            pool_id, epoch, node.address, address_of(VIEWER_KEY), 10**9, now - 600, now, nonce
        )
        signature = sign(ticket.digest(node.domain), TICKET_SIGNER)
        viewer = Viewer(ticket, signature, node.domain, VIEWER_KEY)
        assert (
            self.client.submit(
                node.batch(epoch, [viewer.record(1, delivered, on_time)])
            ).ack.accepted
            == 1
        )

    @property
    def epoch(self) -> int:
        return self.stage.services.network.epochs.at(self.stage.chain.now())

    def deposit(self, pool_id: int, amount: int) -> None:
        chain = self.stage.chain
        chain.send(chain.token.approve_call(chain.reward_pools.address, amount), STREAMER)
        chain.send(chain.reward_pools.deposit_call(pool_id, amount), STREAMER)

    def explained(self, node: Node, epoch: int) -> api.AccountEpoch:
        return self.client.explain(node.address, epoch)

    def command(self, app: Typer, *arguments: object, exit_code: int = 0) -> str:
        result = CliRunner().invoke(
            app, list(map(str, arguments)), env={"STREAMRP2P_RPC": None, "COLUMNS": "200"}
        )
        assert result.exit_code == exit_code, result.output
        return result.output


@pytest.fixture
def scene(database: Database, tmp_path: Path) -> Iterator[Scene]:
    """Go into the middle of epoch 1."""
    with staged(database, tmp_path, LONG_EPOCHS) as stage:
        stage.chain.fund_pool(amount=HALF_TOKEN)
        stage.travel_to(stage.services.network.epochs.start(1) + 1800)
        stage.tick()
        domain = stage.services.network.domain
        nodes = Node(known_key(8), domain), Node(known_key(9), domain)
        for node in nodes:
            register_node(
                node.registration(deadline=stage.chain.now() + 3600),
                database=database,
                chain=stage.services.chain,
                network=stage.services.network,
                clock=stage.services.clock,
            )
        with served(stage) as url, CoordinatorClient(url) as client:
            yield Scene(stage, url, client, nodes)


@contextmanager
def served(stage: Stage) -> Iterator[str]:
    # Not uvloop: imported by a test without sockets, it would go on without them.
    config = uvicorn.Config(
        make_app(stage.services), port=0, loop="asyncio", lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def test_an_epochs_life(scene: Scene, tmp_path: Path) -> None:
    node, other = scene.nodes
    scene.earn(node, 1, 52_428_801, 50_331_648)
    scene.earn(node, 1, 30_000_001, 30_000_001, nonce=1)
    scene.earn(other, 1, 100_000_000, 100_000_000)
    scene.earn(node, 2, 70_000_000, 70_000_000)
    before = scene.explained(node, 1)
    # The last thing that happens in epoch 1, and the first in 2: one pays for epoch 1, the other does not.
    scene.deposit(2, HALF_TOKEN // 10)
    scene.stage.travel_to(scene.stage.services.network.epochs.end(1))
    scene.deposit(2, ONE_TOKEN)
    scene.stage.tick()
    answers = [scene.explained(node, 1)]
    scene.stage.travel_to(scene.stage.services.network.epochs.intake_end(1))
    answers.append(scene.explained(node, 1))
    scene.stage.tick(6)
    answers.append(scene.explained(node, 1))
    audited = json.loads(
        scene.command(
            audit, "explain", 1, "0x" + node.address.hex(), "--rpc", scene.stage.chain.rpc_url,
            "--deployment", scene.stage.chain.deployment_file,
            *bundle_options(scene, tmp_path), "--json",
        )
    )  # fmt: skip
    scene.stage.travel_to(scene.stage.chain.now() + 60)
    scene.stage.tick(6)
    answers.append(scene.explained(node, 1))

    assert before.state == "open"
    assert before.explanation.pools[1].reward == HALF_TOKEN
    assert [answer.state for answer in answers] == ["intake", "settling", "committed", "final"]
    assert [answer.is_settled for answer in answers] == [False, False, True, True]
    assert all(answer.explanation == answers[0].explanation for answer in answers)
    first, second = answers[-1].explanation.pools
    assert (first.bound_by, first.reward) == (
        "weight",
        (50_331_648 + 1_048_576 + 30_000_001) * 10**10,
    )
    assert (second.bound_by, second.reward) == ("funds", HALF_TOKEN * 11 // 10)
    assert audited["verdict"] == "byte-identical"
    assert json.dumps(audited["explanation"]) == json.dumps(answers[-1].explanation.dump())
    claim = scene.client.claim(node.address)
    assert claim.entries == [1 << 128 | first.reward, 2 << 128 | second.reward]


def bundle_options(scene: Scene, folder: Path) -> list[object]:
    """Copy the bundles out of the coordinator's folder, so that it need not be asked."""
    options: list[object] = []
    for one in scene.stage.chain.epoch_book.committed():
        file = folder / f"{one.header.epoch}.bundle"
        file.write_bytes(scene.client.bundle(one.header.data_hash))
        options += ["--bundle", file]
    return options


def test_the_nodes_command_shows_each_step(scene: Scene) -> None:
    node, other = scene.nodes
    scene.earn(node, 1, 52_428_801, 50_331_648)
    scene.earn(other, 1, 100_000_000, 100_000_000)
    domain = scene.stage.services.network.domain
    bad = SessionTicket(9, 1, node.address, address_of(VIEWER_KEY), 10**9, 1, 2, 3)
    viewer = Viewer(bad, sign(bad.digest(domain), TICKET_SIGNER), domain, VIEWER_KEY)
    scene.client.submit(node.batch(1, [viewer.record(4, 1)]))
    asked = ("explain", "--coordinator", scene.url, "--account", "0x" + node.address.hex())
    shown = scene.command(node_app, *asked, "--rpc", scene.stage.chain.rpc_url)
    plain = json.loads(scene.command(node_app, *asked, "--epoch", 1, "--json"))

    lines = shown.splitlines()
    price, worth = 10 * ONE_TOKEN, 1_513_802_240_000_000_000
    assert lines[:11] == [
        f"epoch 1 of 0x{node.address.hex()}: an estimate, the epoch is open",
        "pool 1",
        "  delivered  52428801 bytes in 1 session, 95.99 % of them on time",
        "  weight     50331648 on time + (2097153 late - 1) / 2 = 51380224",
        "             late bytes count half, in each session rounded down: 1 has an odd number of them",
        f"  worth      151380224 of all nodes * {price} per GB / 10^9 = {worth} (1.51380224 SRP)",
        "  budget     100000000000000000000 (100 SRP) an epoch",
        "  funds      1000000000000000000000 deposited - 0 spent before = 1000000000000000000000 (1000 SRP)",
        f"  spend      {worth} (1.51380224 SRP): the least of the three, what the bytes are worth",
        "  share      51380224 of 151380224, 33.94 % of the pool's weight",
        f"  reward     {worth} * 51380224 / 151380224 = 513802240000000000 (0.51380224 SRP)",
    ]
    assert lines[11].startswith("refused UNKNOWN_POOL (1), ")
    assert lines[12] == f"  session    0x{bad.session_id.hex()}, sequence 4"
    assert lines[14] == "  The chain knows no such pool. Check the ticket's pool id and chain."
    assert plain == scene.explained(node, 1).dump()


def test_an_epoch_that_has_not_begun_is_told_by_the_command(scene: Scene) -> None:
    asked = ("explain", "--coordinator", scene.url, "--account", "0x" + "99" * 20)
    assert "has not begun" in scene.command(node_app, *asked, "--epoch", 99, exit_code=1)
    with pytest.raises(ApiError):
        scene.client.explain(b"\x99" * 20, 99)
    nothing = scene.command(node_app, *asked)
    assert "nothing that the account relayed in this epoch was taken in" in nothing
