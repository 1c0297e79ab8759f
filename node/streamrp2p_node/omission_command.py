"""`streamrp2p node prove-omission`: show what an epoch leaves out, and write or send the proof of it."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from web3 import Web3

from streamrp2p.bundle_store import BundleStore, sources_of
from streamrp2p.chain import (
    Call,
    Chain,
    Deployment,
    EpochBookContract,
    RewardPoolsContract,
    TransactionRevertedError,
    UnsignedTransaction,
    broadcast,
    connect,
    sign_call,
    wait_for,
)
from streamrp2p.chain.challenges import ChallengesContract
from streamrp2p.cli_options import EXIT_NEGATIVE, EXIT_RETRY, EXIT_USAGE
from streamrp2p.errors import StreamrP2PError
from streamrp2p.fraud import Fraud
from streamrp2p.numbers import Address
from streamrp2p.typed_data import Domain
from streamrp2p_node.claim_plan import Fee, fee_of
from streamrp2p_node.claim_view import Tokens, fee_shown, fee_text
from streamrp2p_node.errors import OmissionError
from streamrp2p_node.omission_plan import Examined, examine
from streamrp2p_node.omission_view import (
    Amounts,
    examined_lines,
    examined_shown,
    failed_shown,
    sent_lines,
    sent_shown,
)


@dataclass(frozen=True, slots=True)
class OmissionOptions:
    """What the operator asked for. `epoch` None is every epoch that is pending; `servers` are asked for bundles."""

    epoch: int | None
    batches: Path
    rpc_url: str
    deployment: Deployment
    servers: tuple[str, ...]
    bundle_files: tuple[Path, ...]
    output: Path | None
    is_sent: bool
    as_json: bool


def prove_omission(options: OmissionOptions, node: Address, load_key: Callable[[], bytes]) -> int:
    """Look at the epochs, rising, up to the first that leaves something out: its proof voids those after it as well.

    Returns the exit code. Raises OmissionError when the chain refuses the proof, and what the chain's wrappers raise.
    """
    deployment = options.deployment
    web3 = connect(options.rpc_url, deployment.chain_id)
    block = deployment.block
    chain = Chain(
        EpochBookContract(web3, deployment.epoch_book, from_block=block),
        RewardPoolsContract(web3, deployment.reward_pools, from_block=block),
        Domain(deployment.chain_id, deployment.epoch_book),
    )
    epochs, found = _look(options, chain, Amounts(chain.pools, Tokens(web3)))
    shown: dict[str, Any] = {"epochs": epochs, "proof": None, "fee": None, "transaction": None}
    if found is not None and found.fraud is not None:
        shown |= _prove(options, web3, chain, found, found.fraud, node, load_key)
    if options.as_json:
        typer.echo(json.dumps(shown, indent=2))
    elif not epochs:
        typer.echo("No header is pending now: name an EPOCH, or ask again after the next commit.")
    return EXIT_NEGATIVE if found is not None else _exit_code(epochs)


def _look(
    options: OmissionOptions, chain: Chain, amounts: Amounts
) -> tuple[list[dict[str, Any]], Examined | None]:
    bundles = BundleStore(sources_of(options.bundle_files, options.servers))
    shown: list[dict[str, Any]] = []
    for epoch in _epochs(options, chain):
        try:
            examined = examine(chain, bundles, options.batches, epoch)
        except StreamrP2PError as error:
            # An epoch that cannot be judged hides no later one.
            shown.append(failed_shown(epoch, error))
            _tell(options, [f"epoch {epoch}: cannot be told: {error}"])
            continue
        shown.append(examined_shown(epoch, examined))
        _tell(options, examined_lines(epoch, examined, amounts))
        if examined.left_out:
            return shown, examined
    return shown, None


def _epochs(options: OmissionOptions, chain: Chain) -> Iterable[int]:
    if options.epoch is not None:
        return (options.epoch,)
    state = chain.book.state()
    return range(state.finalised_epochs, state.next_epoch)


def _prove(
    options: OmissionOptions,
    web3: Web3,
    chain: Chain,
    found: Examined,
    fraud: Fraud,
    node: Address,
    load_key: Callable[[], bytes],
) -> dict[str, Any]:
    committed = found.facts.committed
    call = ChallengesContract(web3, options.deployment.challenges).call(fraud)
    fee = _tried(web3, call, node, committed.header.epoch)
    proof = UnsignedTransaction(
        options.deployment.chain_id,
        call,
        fraud.proof,
        fraud.function,
        committed.header.epoch,
        committed.header_hash,
        fraud.difference,
        gas=fee.gas,
    )
    name = f"{fraud.proof}, by Challenges.{fraud.function}"
    _tell(options, [f"  proof    {name}", f"  fee      {fee_text(fee)}"])
    shown: dict[str, Any] = {"proof": proof.to_json(), "fee": fee_shown(fee)}
    if options.output is not None:
        proof.save(options.output)
        _tell(options, [f"  written  {options.output}"])
    if not options.is_sent:
        if options.output is None:
            _tell(options, ["Nothing was sent. Add --send, or --output FILE for a wallet to send."])
        return shown
    signed = sign_call(web3, call, load_key())
    broadcast(web3, signed)
    _tell(options, [f"  sent     0x{signed.hash.hex()}"])
    receipt = wait_for(web3, signed.hash)
    voiding = chain.book.voiding(receipt)
    _tell(options, sent_lines(receipt, voiding))
    return shown | {"transaction": sent_shown(receipt, voiding)}


def _tried(web3: Web3, call: Call, sender: Address, epoch: int) -> Fee:
    try:
        return fee_of(web3, call, sender)
    except TransactionRevertedError as error:
        raise OmissionError(
            f"the chain does not take the proof of epoch {epoch}: {error}"
        ) from error


def _exit_code(epochs: Iterable[dict[str, Any]]) -> int:
    """Return 0 when nothing is left out of any; what cannot be told outweighs what may be told later."""
    codes = {_code_of(shown) for shown in epochs}
    return next((code for code in (EXIT_USAGE, EXIT_RETRY) if code in codes), 0)


def _code_of(shown: dict[str, Any]) -> int:
    if shown["error"] is not None:
        return EXIT_RETRY if shown["error"]["retryable"] else EXIT_USAGE
    return EXIT_USAGE if shown["damaged"] else 0


def _tell(options: OmissionOptions, lines: Iterable[str]) -> None:
    if not options.as_json:
        for line in lines:
            typer.echo(line)
