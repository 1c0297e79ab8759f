"""The coordinator against the chain: what another key than the bonded poster acknowledges is worth nothing."""

from streamrp2p import api
from streamrp2p.chain import EpochBookContract, RpcUnavailableError, connect
from streamrp2p.numbers import Address
from streamrp2p_node.errors import ChainUnreachableError, WrongDeploymentError


def check_against_chain(rpc_url: str, config: api.Config) -> None:
    """Compare the poster, the epochs and the times that a coordinator names with its `EpochBook`.

    Raises WrongDeploymentError for the first that differs, ChainUnreachableError while no RPC answers, and
    WrongChainError or NoContractError when there is no such chain or book.
    """
    try:
        web3 = connect(rpc_url, config.chain_id)
        book = EpochBookContract(web3, Address(config.epoch_book))
        rules, poster = book.rules, book.poster()
    except RpcUnavailableError as error:
        raise ChainUnreachableError(str(error)) from error
    compared = {
        "poster": ("0x" + config.poster.hex(), "0x" + poster.hex()),
        "genesis": (config.genesis, rules.genesis),
        "epochSeconds": (config.epoch_seconds, rules.epoch_seconds),
        "intakeGraceSeconds": (config.intake_grace_seconds, rules.intake_grace_seconds),
        "challengeSeconds": (config.challenge_seconds, rules.challenge_seconds),
    }
    for name, (said, found) in compared.items():
        if said != found:
            raise WrongDeploymentError(
                f"the coordinator says {name} is {said}, the chain says {found}; "
                "do not work for it until its operator explains that"
            )
