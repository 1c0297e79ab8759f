"""The coordinator's word against a real chain's."""

from pathlib import Path

import pytest

from streamrp2p import api
from streamrp2p.chain import NoContractError, WrongChainError
from streamrp2p_node.chain_check import check_against_chain
from streamrp2p_node.errors import ChainUnreachableError, WrongDeploymentError
from tests.node.fakes import make_config
from tests.support.chain import DeployedChain, deploy_all

pytestmark = pytest.mark.integration


@pytest.fixture
def chain(anvil: str, tmp_path: Path) -> DeployedChain:
    return deploy_all(anvil, tmp_path)


def true_config(chain: DeployedChain) -> api.Config:
    rules = chain.epoch_book.rules
    return make_config(0).model_copy(
        update={
            "epoch_book": chain.deployment.epoch_book,
            "poster": chain.epoch_book.poster(),
            "genesis": rules.genesis,
            "epoch_seconds": rules.epoch_seconds,
            "intake_grace_seconds": rules.intake_grace_seconds,
            "challenge_seconds": rules.challenge_seconds,
        }
    )


def test_what_the_chain_says_too_is_believed(chain: DeployedChain) -> None:
    check_against_chain(chain.rpc_url, true_config(chain))


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("poster", b"\x01" * 20, "poster is 0x0101"),
        ("genesis", 5, "genesis is 5"),
        ("epoch_seconds", 61, "epochSeconds is 61, the chain says 60"),
        ("intake_grace_seconds", 6, "intakeGraceSeconds is 6"),
        ("challenge_seconds", 31, "challengeSeconds is 31"),
    ],
)
def test_what_the_chain_says_otherwise_is_not(
    chain: DeployedChain, field: str, value: object, shown: str
) -> None:
    said = true_config(chain).model_copy(update={field: value})
    with pytest.raises(WrongDeploymentError, match=shown):
        check_against_chain(chain.rpc_url, said)


def test_a_chain_or_book_that_is_not_there_is_told(chain: DeployedChain) -> None:
    config = true_config(chain)
    with pytest.raises(WrongChainError):
        check_against_chain(chain.rpc_url, config.model_copy(update={"chain_id": 1}))
    with pytest.raises(NoContractError):
        check_against_chain(chain.rpc_url, config.model_copy(update={"epoch_book": b"\x01" * 20}))
    with pytest.raises(ChainUnreachableError):
        check_against_chain("http://127.0.0.1:9", config)
