import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from streamrp2p.bundle import decode_bundle
from streamrp2p.claims_tree import ClaimLeaf
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Hash
from streamrp2p.receipt import SessionRecord
from streamrp2p.typed_data import Domain
from streamrp2p_auditor.cli import app
from tests.support.chain import GUARDIAN, POSTER, DeployedChain
from tests.support.evidence import store
from tests.support.ports import find_free_port
from tests.support.stage import Stage, account, cheated, mirror

pytestmark = pytest.mark.integration

FIRST = ((1, 0, 5_000_000_000), (1, 1, 3_000_000_000), (1, 0, 7), (2, 2, 9_000_000_000))
SECOND = ((1, 1, 1_000_000_000), (1, 2, 2_000_000_001))


@pytest.fixture
def stage(deployed: DeployedChain) -> Stage:
    deployed.fund_pool()
    deployed.fund_pool(amount=10**15, price_per_gb=10**15)
    return Stage(deployed, Domain(deployed.deployment.chain_id, deployed.deployment.epoch_book))


@pytest.fixture
def url(stage: Stage) -> Iterator[str]:
    with mirror(stage.bundles) as url:
        yield url


def invoke(stage: Stage, *arguments: str, rpc: str | None = None) -> tuple[int, str, str]:
    result = CliRunner().invoke(
        app,
        [
            *arguments,
            *("--rpc", rpc or stage.chain.rpc_url),
            *("--deployment", str(stage.chain.deployment_file)),
        ],
    )
    return result.exit_code, result.stdout, result.stderr


def run(stage: Stage, *arguments: str, rpc: str | None = None) -> tuple[int, dict[str, Any]]:
    code, output, _ = invoke(stage, *arguments, "--json", rpc=rpc)
    report: dict[str, Any] = json.loads(output)
    return code, report


def wrong(stage: Stage, url: str, epoch: int = 0) -> tuple[str, str, str]:
    """Expect that an epoch is judged wrong; proof, row and field of the first difference."""
    code, report = run(stage, "epoch", str(epoch), "--coordinator", url)
    assert (code, report["verdict"]) == (1, "wrong")
    found = report["difference"]
    return found["proof"], found["row"], found["field"]


def test_calls_an_honest_epoch_byte_identical(stage: Stage, url: str) -> None:
    stage.commit(stage.honest(*FIRST))
    header = stage.commit(stage.honest(*SECOND))
    code, report = run(stage, "epoch", "1", "--coordinator", url)
    assert code == 0
    assert report["verdict"] == "byte-identical"
    assert report["difference"] is report["error"] is None
    assert report["state"] == "pending"
    assert report["headerHash"] == "0x" + header.hash().hex()
    assert report["bundle"]["source"] == url
    assert (report["sessionCount"], report["rejectionCount"]) == (2, 2)
    assert [pool["poolId"] for pool in report["pools"]] == [1, 2]
    # 10 tokens for each of 3 GB: the one byte too many makes up for the half of one that was late.
    assert report["pools"][0]["spend"] == "30000000000000000000"
    assert {claim["account"] for claim in report["claims"]} == {
        "0x" + account(number).hex() for number in range(3)
    }


def test_explains_an_accounts_amounts_from_the_bundle(stage: Stage, url: str) -> None:
    stage.commit(stage.honest(*FIRST))
    where = ("0x" + account(0).hex(), "--coordinator", url)
    code, report = run(stage, "explain", "0", *where)
    lines = invoke(stage, "explain", "0", *where)[1].splitlines()
    paid = {
        pool_row.pool_id: str(node_row.reward)
        for pool_row, node_row, _ in decode_bundle(*stage.bundles.values()).by_node()
        if node_row.node == account(0)
    }
    assert (code, report["verdict"]) == (0, "byte-identical")
    assert {pool["poolId"]: pool["reward"] for pool in report["explanation"]["pools"]} == paid
    assert len(report["refusals"]) == 1
    assert "refused OVER_RATE (9)" in "\n".join(lines)
    assert [line for line in lines if line.startswith("pool ")] == ["pool 1"]


def test_explains_nothing_of_an_epoch_that_is_wrong(stage: Stage, url: str) -> None:
    settled = stage.honest(*FIRST)
    rows = settled.bundle.node_rows
    raised = replace(rows[0], reward=rows[0].reward + 1)
    stage.commit(cheated(settled, node_rows=(raised, *rows[1:])))
    code, report = run(stage, "explain", "0", "0x" + account(0).hex(), "--coordinator", url)
    assert (code, report["verdict"]) == (1, "wrong")
    assert "explanation" not in report
    assert run(stage, "explain", "0", "0x12", "--coordinator", url)[0] == 2


def test_says_so_to_people_as_well(stage: Stage, url: str) -> None:
    stage.commit(stage.honest(*FIRST))
    code, output, _ = invoke(stage, "epoch", "0", "--coordinator", url)
    assert code == 0
    assert "epoch 0: byte-identical" in output
    assert "4 sessions, 3 accounts, 2 rejections" in " ".join(output.split())


def test_names_a_reward_that_is_one_unit_too_high(stage: Stage, url: str) -> None:
    settled = stage.honest(*FIRST)
    rows = settled.bundle.node_rows
    raised = replace(rows[0], reward=rows[0].reward + 1)
    stage.commit(cheated(settled, node_rows=(raised, *rows[1:])))
    code, report = run(stage, "epoch", "0", "--coordinator", url)
    assert code == 1
    assert report["verdict"] == "wrong"
    assert report["difference"] == {
        "proof": "BadReward",
        "row": f"pool 1, node 0x{account(0).hex()}",
        "field": "reward",
        "expected": str(rows[0].reward),
        "found": str(rows[0].reward + 1),
    }
    code, output, _ = invoke(stage, "epoch", "0", "--coordinator", url)
    assert code == 1
    assert "first difference" in output
    assert str(rows[0].reward + 1) in output, "no value is cut off, however narrow the terminal"
    assert "streamrp2p audit prove 0" in output


def test_names_the_row_whose_session_was_dropped(stage: Stage, url: str) -> None:
    settled = stage.honest(*FIRST)
    first = settled.bundle.node_rows[0]
    row = replace(first, session_count=first.session_count - 1)
    stage.commit(
        cheated(
            settled,
            node_rows=(row, *settled.bundle.node_rows[1:]),
            session_records=settled.bundle.session_records[1:],
        )
    )
    assert wrong(stage, url) == ("BadSum", f"pool 1, node 0x{account(0).hex()}", "sessionsRoot")


def test_names_an_account_that_claims_too_much(stage: Stage, url: str) -> None:
    settled = stage.honest(*FIRST)
    claims = settled.bundle.claims
    raised = ClaimLeaf(claims[0].account, (claims[0].entries[0] + 1, *claims[0].entries[1:]))
    stage.commit(cheated(settled, claims=(raised, *claims[1:])))
    assert wrong(stage, url) == ("BadClaim", f"account 0x{claims[0].account.hex()}", "entries")


def test_names_an_account_that_lost_what_it_earned_before(stage: Stage, url: str) -> None:
    stage.commit(stage.honest(*FIRST))
    settled = stage.honest(*SECOND)
    lost = settled.bundle.claims[0].account
    stage.commit(cheated(settled, claims=settled.bundle.claims[1:]))
    assert wrong(stage, url, 1) == ("BadClaim", f"account 0x{lost.hex()}", "row")


def test_names_a_pool_that_was_left_out(stage: Stage, url: str) -> None:
    settled = stage.honest()
    stage.commit(cheated(settled, pool_rows=settled.bundle.pool_rows[:1]))
    assert wrong(stage, url) == ("BadPool", "pools", "poolId")


def test_a_header_of_garbage_bytes_is_withheld(stage: Stage, url: str) -> None:
    settled = stage.honest(*FIRST)
    garbage = cheated(settled).bundle.encode()[:-1]
    header = replace(settled.header, data_hash=keccak(garbage))
    stage.commit_header(header, garbage)
    proof, row, _ = wrong(stage, url)
    assert (proof, row) == ("Withheld", "bundle")


def test_an_epoch_upon_a_broken_parent_cannot_be_judged(stage: Stage, url: str) -> None:
    """The parent's bundle is what its header names, but leads to other roots."""
    settled = stage.honest(*FIRST)
    header = replace(settled.header, claims_root=Hash(bytes(32)))
    stage.commit_header(header, settled.bundle.encode())
    stage.parent = replace(stage.parent, header_hash=header.hash())
    stage.commit(stage.honest())
    code, report = run(stage, "epoch", "1", "--coordinator", url)
    assert code == 2
    assert "audit epoch 0 first" in report["error"]["reason"]
    assert wrong(stage, url, 0)[0] == "BadClaim"


def test_a_lying_mirror_changes_no_verdict(stage: Stage, url: str) -> None:
    settled = stage.honest(*FIRST)
    header = stage.commit(settled)
    rows = settled.bundle.node_rows
    lie = cheated(settled, node_rows=(replace(rows[0], reward=1), *rows[1:])).bundle.encode()
    with mirror({header.data_hash: lie}) as liar:
        code, report = run(stage, "epoch", "0", "--coordinator", liar)
        assert code == 2
        assert report["verdict"] == "unjudged"
        assert "another mirror" in report["error"]["reason"]
        code, report = run(stage, "epoch", "0", "--coordinator", liar, "--mirror", url)
        assert (code, report["verdict"], report["bundle"]["source"]) == (0, "byte-identical", url)


def test_files_serve_as_bundles_of_the_epoch_and_its_parent(stage: Stage, tmp_path: Path) -> None:
    stage.commit(stage.honest(*FIRST))
    stage.commit(stage.honest(*SECOND))
    files = []
    for number, data in enumerate(stage.bundles.values()):
        files.append(tmp_path / f"{number}.bundle")
        files[-1].write_bytes(data)
    code, report = run(stage, "epoch", "1", "--bundle", str(files[0]), "--bundle", str(files[1]))
    assert (code, report["bundle"]["source"]) == (0, str(files[1]))
    code, report = run(stage, "epoch", "1", "--bundle", str(files[1]))
    assert code == 2
    assert "available nowhere" in report["error"]["reason"]
    assert decode_bundle(files[0].read_bytes()).epoch == 0


def test_a_bundle_that_nobody_has_cannot_be_judged(stage: Stage, tmp_path: Path) -> None:
    stage.commit(stage.honest(*FIRST))
    with mirror({}) as empty:
        code, report = run(stage, "epoch", "0", "--mirror", empty)
    assert code == 2
    assert "it can be demanded on chain" in report["error"]["reason"]
    code, report = run(stage, "epoch", "0")
    assert code == 2
    assert "no coordinator, mirror or file was named" in report["error"]["reason"]
    code, report = run(stage, "epoch", "0", "--bundle", str(tmp_path / "absent"))
    assert code == 2
    assert "cannot be read" in report["error"]["reason"]


def test_a_mirror_that_is_down_may_be_up_later(stage: Stage) -> None:
    stage.commit(stage.honest())
    code, report = run(stage, "epoch", "0", "--mirror", f"http://127.0.0.1:{find_free_port()}")
    assert code == 3
    assert report["error"]["retryable"]


def test_an_epoch_that_is_not_committed_yet_may_be_later(stage: Stage) -> None:
    code, report = run(stage, "epoch", "5")
    assert code == 3
    assert (
        "epoch 5 has no header on chain yet, the next to be committed is 0"
        in report["error"]["reason"]
    )


def test_a_vetoed_epoch_is_not_judged_until_it_is_committed_again(stage: Stage, url: str) -> None:
    settled = stage.honest(*FIRST)
    rows = settled.bundle.node_rows
    bad = cheated(settled, node_rows=(replace(rows[0], reward=9), *rows[1:]))
    stage.commit(bad)
    stage.chain.send(stage.chain.epoch_book.veto_call(0), GUARDIAN)
    code, report = run(stage, "epoch", "0", "--coordinator", url)
    assert code == 2
    assert "voided" in report["error"]["reason"]
    assert bad.header.hash().hex() in report["error"]["reason"]
    stage.commit(settled)
    code, report = run(stage, "epoch", "0", "--coordinator", url)
    assert (code, report["verdict"]) == (0, "byte-identical")


def test_a_final_epoch_is_judged_too(stage: Stage, url: str) -> None:
    stage.commit(stage.honest(*FIRST))
    stage.chain.travel_to(stage.chain.now() + 31)
    stage.chain.send(stage.chain.epoch_book.finalise_call(0), GUARDIAN)
    code, report = run(stage, "epoch", "0", "--coordinator", url)
    assert (code, report["state"], report["challengeEndsAt"]) == (0, "final", None)


def test_an_rpc_that_is_down_is_said_to_be(stage: Stage) -> None:
    code, report = run(stage, "epoch", "0", rpc=f"http://127.0.0.1:{find_free_port()}")
    assert code == 3
    assert "does not answer" in report["error"]["reason"]


def test_a_wrong_chain_is_said_to_be(stage: Stage) -> None:
    replace(stage.chain.deployment, chain_id=1).save(stage.chain.deployment_file)
    code, report = run(stage, "epoch", "0")
    assert code == 2
    assert "serves chain 31337, expected chain 1" in report["error"]["reason"]


def test_a_deployment_that_is_not_on_this_chain_is_said_to_be(stage: Stage) -> None:
    nowhere = replace(stage.chain.deployment, epoch_book=account(0))
    nowhere.save(stage.chain.deployment_file)
    code, report = run(stage, "epoch", "0")
    assert code == 2
    assert "there is no EpochBook" in report["error"]["reason"]


def test_a_deployment_file_that_is_absent_is_said_to_be(stage: Stage) -> None:
    stage.chain.deployment_file.unlink()
    code, report = run(stage, "epoch", "0")
    assert code == 2
    assert "cannot be read" in report["error"]["reason"]


def test_many_epochs_are_judged_in_a_row(stage: Stage, url: str) -> None:
    assert run(stage, "epochs", "--all", "--coordinator", url) == (0, {"epochs": []})
    stage.commit(stage.honest(*FIRST))
    stage.commit(stage.honest(*SECOND))
    code, report = run(stage, "epochs", "--all", "--coordinator", url)
    assert code == 0
    assert [one["epoch"] for one in report["epochs"]] == [0, 1]
    assert {one["verdict"] for one in report["epochs"]} == {"byte-identical"}
    settled = stage.honest(*FIRST)
    stage.commit(cheated(settled, claims=settled.bundle.claims[:1]))
    code, report = run(stage, "epochs", "--from", "1", "--coordinator", url)
    assert code == 1
    assert [one["verdict"] for one in report["epochs"]] == ["byte-identical", "wrong"]
    code, report = run(stage, "epochs", "--from", "1", "--to", "3", "--coordinator", url)
    assert code == 1
    assert [one["verdict"] for one in report["epochs"]][-1] == "unjudged"
    code, output, _ = invoke(stage, "epochs", "--all", "--coordinator", url)
    assert code == 1
    assert "3 epochs: 2 byte-identical, 1 wrong" in output
    code, report = run(stage, "epochs", "--from", "9", "--coordinator", url)
    assert code == 2
    assert "there is no epoch from 9 on: the last to judge is 2" in report["error"]["reason"]


def test_the_range_is_named_one_way(stage: Stage) -> None:
    for arguments in ([], ["--all", "--from", "1"], ["--all", "--to", "1"]):
        code, _, error = invoke(stage, "epochs", *arguments)
        assert code == 2
        assert "either --all, or --from, --to or both" in " ".join(error.replace("│", " ").split())


def test_finds_a_session_that_was_acknowledged_and_left_out(
    stage: Stage, url: str, tmp_path: Path
) -> None:
    """The bundle is right in itself: only the node that holds the acknowledgement can show it."""
    honest = stage.honest(*FIRST)
    records = list(map(SessionRecord.decode, honest.bundle.session_records))
    own = [record for record in records if record.ticket.node == account(0)]
    store(tmp_path / "batches", own, domain=stage.domain, poster_key=POSTER)
    stage.commit(stage.honest(*FIRST[1:]))
    evidence = ("--coordinator", url, "--batches", str(tmp_path / "batches"))
    assert run(stage, "epoch", "0", "--coordinator", url)[0] == 0
    code, report = run(stage, "epoch", "0", *evidence)
    assert (code, report["verdict"], report["acknowledgedCount"]) == (1, "wrong", 2)
    assert (report["difference"]["proof"], report["difference"]["found"]) == ("Omission", "none")
    code, report = run(stage, "epoch", "0", "--coordinator", url, "--batches", str(tmp_path / "x"))
    assert code == 2
    assert "keeps its batches" in report["error"]["reason"]


def test_says_that_no_acknowledged_session_was_left_out(
    stage: Stage, url: str, tmp_path: Path
) -> None:
    honest = stage.honest(*FIRST)
    records = list(map(SessionRecord.decode, honest.bundle.session_records))
    store(tmp_path / "batches", records[:2], domain=stage.domain, poster_key=POSTER)
    stage.commit(honest)
    code, output, _ = invoke(
        stage, "epoch", "0", "--coordinator", url, "--batches", str(tmp_path / "batches")
    )
    assert code == 0
    assert "none of 2 acknowledged records is left out" in output
