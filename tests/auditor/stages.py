"""What a poster does to be voided: lies, withholds, answers; on a chain whose windows are wide enough to act in."""

from dataclasses import replace
from pathlib import Path

from streamrp2p.chain import DataDemandsContract
from streamrp2p.fraud.answers import AnswerBook
from streamrp2p.header import EpochHeader
from streamrp2p.settlement import Settlement, header_of
from streamrp2p.typed_data import Domain
from tests.support.chain import POSTER, SHORT_EPOCHS, deploy_all
from tests.support.fraud import refitted
from tests.support.stage import Stage

SESSIONS = ((1, 0, 5_000_000_000), (1, 1, 3_000_000_000), (1, 0, 7))
BOND_WEI = 10**18
DEMAND_BOND_WEI = 10**16
RESPONSE_SECONDS = 60


def challenge_stage(rpc_url: str, folder: Path) -> Stage:
    """Deploy on a running anvil: ten minutes to challenge, one to answer, one pool."""
    rules = replace(SHORT_EPOCHS, challenge_seconds=600, response_seconds=RESPONSE_SECONDS)
    chain = deploy_all(rpc_url, folder, rules)
    chain.fund_pool()
    return Stage(chain, Domain(chain.deployment.chain_id, chain.deployment.epoch_book))


def overpaid(stage: Stage) -> Settlement:
    """Settle the next epoch with a reward that is one unit too high, in a bundle that is right otherwise."""
    settled = stage.honest(*SESSIONS)
    rows = settled.bundle.node_rows
    raised = (replace(rows[0], reward=rows[0].reward + 1), *rows[1:])
    bundle = refitted(replace(settled.bundle, node_rows=raised))
    return Settlement(header_of(bundle), bundle)


def commit_withheld(stage: Stage, settled: Settlement) -> EpochHeader:
    """Commit a header whose bundle nobody is given."""
    header = stage.commit(settled)
    del stage.bundles[header.data_hash]
    return header


def is_void(stage: Stage, epoch: int = 0) -> bool:
    """Tell whether no header of the epoch stands."""
    return stage.chain.epoch_book.next_epoch() <= epoch


def demands_of(stage: Stage) -> DataDemandsContract:
    """Return the chain's `DataDemands`."""
    deployment = stage.chain.deployment
    return DataDemandsContract(stage.chain.web3, deployment.data_demands)


def answer_all(stage: Stage, settled: Settlement) -> int:
    """Answer every open demand as the poster would; how many."""
    contract = demands_of(stage)
    open_demands = [one for one in contract.demands() if one.state == "open"]
    for record in open_demands:
        proven = AnswerBook(settled.bundle).answer(record.demanded.chunk)
        stage.chain.send(contract.publish_call(record.demanded, proven), POSTER)
    return len(open_demands)
