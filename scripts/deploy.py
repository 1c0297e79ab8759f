"""Deploy the contracts with ape: `ape run deploy --network ethereum:local:foundry`.

Prints the deployment and writes it as JSON: the file that every actor is given, with the parameters
beside the addresses. Without APE_FOUNDRY_HOST, the chain is an anvil that ends with this. Each option
can also be set in the environment, as STREAMRP2P_<OPTION>.
"""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from ape import accounts, chain, networks, project
from ape.api.accounts import AccountAPI
from ape.cli import ConnectedProviderCommand
from ape.contracts import ContractContainer
from ape.logging import logger
from web3.types import Nonce
from web3.utils import get_create_address

from streamrp2p.chain.deploy import default_response_seconds
from streamrp2p.durable import write_atomically

NOBODY = "0x0000000000000000000000000000000000000000"
TIMEOUT_FACTOR = 3
"""Default of `poster_timeout_seconds`, in units of the least that EpochBook allows."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What is fixed for ever at deployment; times in seconds, `genesis` in Unix seconds."""

    genesis: int
    epoch_seconds: int
    intake_grace_seconds: int
    challenge_seconds: int
    poster_timeout_seconds: int
    bond_wei: int
    poster: str
    guardian: str
    response_seconds: int
    demand_bond_wei: int
    payout_delay_seconds: int


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where the contracts are; `block` is that of the first."""

    chain_id: int
    epoch_book: str
    reward_pools: str
    node_registry: str
    challenges: str
    data_demands: str
    stream_token: str
    block: int

    def to_json(self, parameters: Parameters) -> str:
        """Return the text of the deployment file."""
        shown = _camel(asdict(self)) | {"parameters": _camel(asdict(parameters))}
        return json.dumps(shown, indent=2) + "\n"


def deploy(
    deployer: AccountAPI, parameters: Parameters, stream_token: str | None, token_supply: int
) -> Deployment:
    """Deploy EpochBook, NodeRegistry, RewardPools, Challenges, DataDemands and, unless one is given, StreamToken.

    The book names two contracts that come after it: nothing else may be sent from the deployer's account meanwhile.
    """
    sender = deployer.address
    challenges, demands = (get_create_address(sender, Nonce(deployer.nonce + i)) for i in (3, 4))
    rules = (
        parameters.genesis,
        parameters.epoch_seconds,
        parameters.intake_grace_seconds,
        parameters.challenge_seconds,
        parameters.poster_timeout_seconds,
        parameters.bond_wei,
        parameters.poster,
        parameters.guardian,
        challenges,
        demands,
    )
    book, block = _create(deployer, project.EpochBook, rules)
    delay = parameters.payout_delay_seconds
    registry, _ = _create(deployer, project.NodeRegistry, book, delay)
    pools, _ = _create(deployer, project.RewardPools, book, registry)
    _expect(challenges, _create(deployer, project.Challenges, book, pools)[0])
    response, bond = parameters.response_seconds, parameters.demand_bond_wei
    _expect(demands, _create(deployer, project.DataDemands, book, response, bond)[0])
    if stream_token is None:
        stream_token, _ = _create(
            deployer, project.StreamToken, str(deployer.address), token_supply
        )
    return Deployment(
        chain_id=chain.chain_id,
        epoch_book=book,
        reward_pools=pools,
        node_registry=registry,
        challenges=challenges,
        data_demands=demands,
        stream_token=stream_token,
        block=block,
    )


def _create(deployer: AccountAPI, contract: ContractContainer, *args: Any) -> tuple[str, int]:  # noqa: ANN401 - each constructor has its own
    """Create a contract; return its address and its block.

    `AccountAPI.deploy` is not for this: of a local chain that makes its blocks by the clock, ape
    does not wait for the block, and takes the contract for not created.
    """
    transaction = contract(*args)
    transaction.sender = deployer.address
    sent = deployer.call(transaction)
    receipt = chain.provider.get_receipt(sent.txn_hash)
    receipt.raise_for_status()
    return str(receipt.contract_address), int(receipt.block_number)


def _expect(expected: str, found: str) -> None:
    if found != expected:
        raise click.ClickException(
            f"EpochBook expects a contract at {expected} that was created at {found}: another transaction of the "
            "deployer came between; deploy again, and send nothing meanwhile"
        )


def _camel(values: dict[str, Any]) -> dict[str, Any]:
    """Name the fields as JSON does, with addresses in lower case."""
    return {
        name.split("_")[0] + "".join(part.title() for part in name.split("_")[1:]): (
            value.lower() if isinstance(value, str) else value
        )
        for name, value in values.items()
    }


def _is_local() -> bool:
    return bool(networks.provider.network.is_dev)


def _account(name: str | None) -> AccountAPI:
    """Load an account of ape by its alias, or a test account by `TEST::<index>`."""
    if name is None:
        if not _is_local():
            raise click.UsageError("--account is needed on a chain that is not local")
        name = "TEST::0"
    found: AccountAPI = (
        accounts.test_accounts[int(name.removeprefix("TEST::"))]
        if name.startswith("TEST::")
        else accounts.load(name)
    )
    return found


@click.command(
    cls=ConnectedProviderCommand,
    context_settings={"auto_envvar_prefix": "STREAMRP2P", "show_default": True},
)
@click.option("--account", help="Ape alias of the deployer, or TEST::<index> on a local chain.")
@click.option("--genesis", type=int, help="Unix time at which epoch 0 begins (default: now).")
@click.option("--epoch-seconds", type=int, default=3600, help="Length of an epoch.")
@click.option("--intake-grace-seconds", type=int, default=600, help="Intake after an epoch's end.")
@click.option("--challenge-seconds", type=int, default=86_400, help="Window for challenges.")
@click.option(
    "--poster-timeout-seconds",
    type=int,
    help="Idle time after which anyone may become the poster (default: three times the least).",
)
@click.option("--bond-wei", type=int, default=10**18, help="Least bond of the poster.")
@click.option("--poster", help="First poster (default: the deployer).")
@click.option("--guardian", help="May veto headers (must be given on a chain that is not local).")
@click.option(
    "--response-seconds",
    type=int,
    help="Time to answer a demand for data, at most a quarter of the window (default: a 24th).",
)
@click.option("--demand-bond-wei", type=int, default=10**16, help="Bond of a demand for data.")
@click.option("--payout-delay-seconds", type=int, default=86_400, help="Delay of a new payout.")
@click.option("--stream-token", help="Existing token, instead of a new one.")
@click.option("--token-supply", type=int, default=10**27, help="Supply of a new token.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write (default: deployments/<chain id>.json).",
)
def cli(**options: Any) -> None:  # noqa: ANN401 - click gives each option its own type
    """Deploy the contracts, print where they are and write the deployment file."""
    deployer = _account(options["account"])
    if options["guardian"] is None and not _is_local():
        raise click.UsageError("--guardian is needed on a chain that is not local")
    timeout = options["poster_timeout_seconds"]
    if timeout is None:
        timeout = TIMEOUT_FACTOR * max(
            options["challenge_seconds"],
            options["epoch_seconds"] + options["intake_grace_seconds"],
        )
    response = options["response_seconds"]
    if response is None:
        response = default_response_seconds(options["challenge_seconds"])
    genesis = options["genesis"]
    if genesis is None:
        # An idle local chain's last block is old.
        genesis = max(int(chain.blocks.head.timestamp), int(time.time()))
    parameters = Parameters(
        genesis=genesis,
        epoch_seconds=options["epoch_seconds"],
        intake_grace_seconds=options["intake_grace_seconds"],
        challenge_seconds=options["challenge_seconds"],
        poster_timeout_seconds=timeout,
        bond_wei=options["bond_wei"],
        poster=options["poster"] or str(deployer.address),
        guardian=options["guardian"] or NOBODY,
        response_seconds=response,
        demand_bond_wei=options["demand_bond_wei"],
        payout_delay_seconds=options["payout_delay_seconds"],
    )
    deployment = deploy(deployer, parameters, options["stream_token"], options["token_supply"])
    text = deployment.to_json(parameters)
    output = options["output"] or Path("deployments") / f"{deployment.chain_id}.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(output, text.encode())
    click.echo(text, nl=False)
    logger.success(f"Wrote {output}")
