"""`streamrp2p node prove-omission` against a real chain, a poster that leaves records out, and a node's own folder."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from streamrp2p.chain import Call
from streamrp2p.chain.rpc import request
from streamrp2p.keys import create_keystore
from streamrp2p.numbers import Address
from streamrp2p.receipt import SessionRecord
from streamrp2p.settlement import Settlement, settle
from streamrp2p.signatures import address_of
from streamrp2p.typed_data import Domain
from streamrp2p.verify import Checked
from streamrp2p_node.cli import app
from streamrp2p_node.omission_plan import lost_reward
from tests.support.chain import POSTER, STRANGER, DeployedChain, deploy_all
from tests.support.evidence import store
from tests.support.ports import find_free_port
from tests.support.sessions import known_key, resigned
from tests.support.stage import NODES, VIEWER_KEYS, Stage, cheated, mirror

pytestmark = pytest.mark.integration

NODE, OTHER_NODE = NODES[:2]
NODE_KEY = next(known_key(number) for number in (1, 2, 3) if address_of(known_key(number)) == NODE)
GB = 10**9
SESSIONS = ((1, 0, 2 * GB), (1, 1, GB), (1, 0, GB), (2, 0, GB))
"""Three sessions of the node, two of them in pool 1, and one of another node."""


@dataclass
class Setting:
    """Two pools, a node's folder, and a mirror of all that was published."""

    stage: Stage
    folder: Path
    url: str

    @property
    def chain(self) -> DeployedChain:
        return self.stage.chain

    def acknowledge(self, records: list[SessionRecord], **how: Any) -> None:  # noqa: ANN401
        """Put a batch and the poster's answer into the node's folder."""
        store(
            self.folder / "batches",
            records,
            **{"domain": self.stage.domain, "poster_key": POSTER, **how},
        )

    def commit(self, epoch: Settlement, records: list[SessionRecord]) -> Settlement:
        """Commit the epoch with these records alone."""
        header = epoch.header
        inputs = self.chain.reward_pools.pool_inputs(header.epoch)
        sessions = map(Checked, records)
        settled = settle(
            self.stage.domain,
            header.epoch,
            self.stage.parent,
            inputs,
            sessions,
            epoch.bundle.rejections,
        )
        self.stage.commit(settled)
        return settled

    def prove(self, *options: str | Path, bundles: str | None = None) -> Result:
        arguments = [
            "prove-omission", "--dir", self.folder, "--rpc", self.chain.rpc_url,
            "--deployment", self.chain.deployment_file, "--coordinator", bundles or self.url,
            "--password-file", self.folder.parent / "password", *options,
        ]  # fmt: skip
        environment = {"STREAMRP2P_COORDINATOR": None, "COLUMNS": "80"}
        return CliRunner().invoke(app, [str(argument) for argument in arguments], env=environment)

    def shown(self, *options: str | Path) -> tuple[int, dict[str, Any]]:
        result = self.prove(*options, "--json")
        shown: dict[str, Any] = json.loads(result.stdout)
        return result.exit_code, shown

    def state(self, epoch: int = 0) -> str:
        return self.chain.epoch_book.status(epoch).state


@pytest.fixture
def setting(anvil: str, tmp_path: Path) -> Iterator[Setting]:
    chain = deploy_all(anvil, tmp_path)
    chain.fund_pool()
    chain.fund_pool(amount=10**15, price_per_gb=10**15)
    stage = Stage(chain, chain.epoch_book.domain())
    folder = tmp_path / "node"
    folder.mkdir()
    create_keystore(folder / "node.keystore.json", "correct horse", NODE_KEY, scrypt_n=2)
    (tmp_path / "password").write_text("correct horse\n")
    give_ether(chain, NODE)
    with mirror(stage.bundles) as url:
        yield Setting(stage, folder, url)


def give_ether(chain: DeployedChain, account: Address) -> None:
    request(chain.web3, "anvil_setBalance", ["0x" + account.hex(), hex(10**18)])


def records_of(settled: Settlement) -> list[SessionRecord]:
    return list(map(SessionRecord.decode, settled.bundle.session_records))


def own(records: list[SessionRecord]) -> list[SessionRecord]:
    return [record for record in records if record.ticket.node == NODE]


def widest(text: str) -> int:
    return max(map(len, text.splitlines()))


def later(record: SessionRecord, domain: Domain) -> SessionRecord:
    """Return the session's next receipt, of twice the bytes."""
    receipt = replace(
        record.receipt, sequence=2, bytes_delivered=2 * record.receipt.bytes_delivered
    )
    key = next(key for key in VIEWER_KEYS if address_of(key) == record.ticket.viewer)
    return resigned(record, receipt, domain, key)


def test_an_omitted_record_is_shown_with_its_worth_and_proven_by_any_wallet(
    setting: Setting, tmp_path: Path
) -> None:
    honest = setting.stage.honest(*SESSIONS)
    records = records_of(honest)
    missing = own(records)[0]
    setting.acknowledge(own(records))
    setting.commit(honest, [record for record in records if record != missing])
    proof = tmp_path / "proof.json"

    result = setting.prove("--output", proof)

    assert result.exit_code == 1, result.output
    assert "epoch 0: 1 session left out" in result.stdout
    assert f"0x{missing.session_id.hex()}" in result.stdout
    assert "sequence 1 acknowledged, absent" in result.stdout
    assert f"{missing.weight:,} weighted bytes, " in result.stdout
    assert " SRP" in result.stdout
    assert widest(result.stdout.replace(str(proof), "proof.json")) <= 80, result.stdout
    assert setting.state() == "pending", "nothing is sent unasked"
    written = json.loads(proof.read_text())
    assert (written["proof"], written["function"], written["epoch"]) == ("Omission", "omission", 0)
    assert written["difference"]["found"] == "none"
    assert 50_000 < written["gas"] < 300_000
    call = Call(
        Address(bytes.fromhex(written["to"][2:])),
        bytes.fromhex(written["data"][2:]),
        int(written["value"]),
    )
    book = setting.chain.epoch_book
    voiding = book.voiding(setting.chain.send(call, STRANGER))
    assert voiding is not None
    assert (voiding.from_epoch, voiding.to_epoch) == (0, 0)
    assert voiding.challenger == address_of(STRANGER)
    assert voiding.reward_wei == voiding.burned_wei == 5 * 10**17
    assert book.voidings() == [voiding]
    assert setting.state() == "none"


def test_a_lowered_sequence_is_proven_by_the_node_which_is_credited(setting: Setting) -> None:
    honest = setting.stage.honest(*SESSIONS)
    records = records_of(honest)
    newer = later(own(records)[1], setting.stage.domain)
    setting.acknowledge(own(records))
    setting.acknowledge([newer], number=2)
    setting.commit(honest, records)

    code, shown = setting.shown("0", "--send")

    assert code == 1
    (epoch,) = shown["epochs"]
    assert epoch["acknowledgedCount"] == 4
    (session,) = epoch["leftOut"]
    assert session["sessionId"] == "0x" + newer.session_id.hex()
    assert (session["acknowledgedSequence"], session["foundSequence"]) == (2, 1)
    assert shown["transaction"]["voidedEpochs"] == [0, 0]
    assert shown["transaction"]["creditWei"] == str(5 * 10**17)
    assert setting.chain.epoch_book.credit_of(NODE) == 5 * 10**17
    assert setting.state() == "none"


def test_a_node_that_is_left_out_as_a_whole_is_told_so_by_pool(setting: Setting) -> None:
    honest = setting.stage.honest(*SESSIONS)
    records = records_of(honest)
    setting.acknowledge(own(records))
    settled = setting.commit(honest, [record for record in records if record not in own(records)])

    result = setting.prove("--send")

    assert result.exit_code == 1, result.output
    assert "epoch 0: 3 sessions left out" in result.stdout
    assert "0.5 ETH of the poster's bond" in result.stdout
    assert widest(result.stdout) <= 80, result.stdout
    assert setting.state() == "none"
    rewards = {row.node: row.reward for row in honest.bundle.node_rows[:2]}
    inputs = setting.chain.reward_pools.pool_inputs(0)
    weight = sum(one.weight for one in own(records) if one.ticket.pool_id == 1)
    assert lost_reward(settled.bundle, inputs[0], NODE, weight) == rewards[NODE]


def test_nothing_left_out_is_said_and_proves_nothing(setting: Setting) -> None:
    honest = setting.stage.honest(*SESSIONS)
    setting.acknowledge(own(records_of(honest)))
    setting.stage.commit(honest)

    result = setting.prove()

    assert result.exit_code == 0, result.output
    assert "epoch 0: nothing left out of 3 acknowledged records" in result.stdout
    assert setting.shown("0") == (0, setting.shown()[1])


def test_an_acknowledgement_of_a_former_poster_binds_nobody_now(setting: Setting) -> None:
    honest = setting.stage.honest(*SESSIONS)
    records = records_of(honest)
    setting.acknowledge(own(records), poster_key=known_key(99))
    setting.commit(honest, records[1:])

    result = setting.prove()

    assert result.exit_code == 0, result.output
    assert "nothing was acknowledged" in result.stdout
    assert "binds another poster" in result.stdout
    assert f"0x{address_of(known_key(99)).hex()}" in result.stdout


def test_damaged_and_foreign_batches_hide_no_omission(setting: Setting) -> None:
    honest = setting.stage.honest(*SESSIONS)
    records = records_of(honest)
    setting.acknowledge(own(records), domain=replace(setting.stage.domain, chain_id=1))
    setting.acknowledge(own(records), number=2)
    setting.acknowledge(own(records), number=3)
    (setting.folder / "batches" / "0" / "3.batch.json").write_text("[]")
    setting.commit(honest, [record for record in records if record not in own(records)[:1]])

    code, shown = setting.shown()

    assert code == 1
    (epoch,) = shown["epochs"]
    assert len(epoch["leftOut"]) == 1
    assert len(epoch["otherPosters"]) == len(epoch["damaged"]) == 1
    assert "3.batch.json is malformed" in epoch["damaged"][0]
    assert shown["proof"]["proof"] == "Omission"


def test_with_damaged_batches_alone_nothing_can_be_told(setting: Setting) -> None:
    honest = setting.stage.honest(*SESSIONS)
    setting.acknowledge(own(records_of(honest)))
    (setting.folder / "batches" / "0" / "1.answer.json").write_text("{}")
    setting.stage.commit(honest)

    result = setting.prove()

    assert result.exit_code == 2, result.output
    assert "epoch 0: cannot be told" in result.stdout
    assert "1.answer.json is malformed" in result.stdout


def test_a_record_acknowledged_to_another_node_proves_its_omission_too(setting: Setting) -> None:
    """Who holds the acknowledgement does not matter to the chain."""
    honest = setting.stage.honest(*SESSIONS)
    records = records_of(honest)
    theirs = [record for record in records if record not in own(records)]
    setting.acknowledge(theirs)
    setting.commit(honest, own(records))

    code, shown = setting.shown("--send")

    assert code == 1
    assert shown["epochs"][0]["losses"][0]["node"] == "0x" + OTHER_NODE.hex()
    assert setting.state() == "none"


def test_a_withheld_bundle_must_be_demanded(setting: Setting) -> None:
    honest = setting.stage.honest(*SESSIONS)
    setting.acknowledge(own(records_of(honest)))
    setting.stage.commit(honest)
    with mirror({}) as empty:
        withheld = setting.prove(bundles=empty)
    down = setting.prove(bundles=f"http://127.0.0.1:{find_free_port()}")

    assert withheld.exit_code == 2, withheld.output
    assert "audit watch --challenge" in withheld.stdout
    assert down.exit_code == 3, down.output


def test_a_bundle_that_does_not_lead_to_its_header_is_another_fraud(setting: Setting) -> None:
    honest = setting.stage.honest(*SESSIONS)
    setting.acknowledge(own(records_of(honest)))
    emptied = cheated(honest, node_rows=(), session_records=(), pool_rows=())
    header = replace(emptied.header, pools_root=honest.header.pools_root, pool_count=2)
    setting.stage.commit_header(header, emptied.bundle.encode())

    result = setting.prove()

    assert result.exit_code == 2, result.output
    assert "`streamrp2p audit prove 0` proves that" in result.stdout


def test_of_the_pending_epochs_the_first_that_leaves_something_out_is_proven(
    setting: Setting,
) -> None:
    first = setting.stage.honest((1, 0, GB))
    setting.acknowledge(records_of(first))
    setting.stage.commit(first)
    for _ in range(2):
        honest = setting.stage.honest((1, 0, GB), (1, 1, GB))
        setting.acknowledge(own(records_of(honest)))
        setting.commit(honest, [one for one in records_of(honest) if one.ticket.node == OTHER_NODE])

    code, shown = setting.shown("--send")

    assert code == 1
    assert [epoch["epoch"] for epoch in shown["epochs"]] == [0, 1]
    assert shown["transaction"]["voidedEpochs"] == [1, 2]
    assert [setting.state(epoch) for epoch in range(3)] == ["pending", "none", "none"]


def test_what_a_final_epoch_left_out_is_told_but_cannot_be_proven(setting: Setting) -> None:
    honest = setting.stage.honest(*SESSIONS)
    records = records_of(honest)
    setting.acknowledge(own(records))
    setting.commit(honest, [record for record in records if record not in own(records)])
    book = setting.chain.epoch_book
    ends_at = book.status(0).challenge_ends_at
    assert ends_at is not None
    setting.chain.travel_to(ends_at)
    setting.chain.send(book.finalise_call(0), STRANGER)

    none = setting.prove()
    result = setting.prove("0")

    assert none.exit_code == 0, none.output
    assert "No header is pending now" in none.stdout
    assert result.exit_code == 1, result.output
    assert "final: it can no longer be voided" in result.stdout
    assert setting.shown("0")[1]["proof"] is None


def test_an_epoch_that_is_not_committed_yet_can_be_asked_for_later(setting: Setting) -> None:
    result = setting.prove("0")

    assert result.exit_code == 3, result.output
    assert "epoch 0: cannot be told: epoch 0 has no header on chain yet" in result.stdout
