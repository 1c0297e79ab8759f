"""Ask chain, coordinator, auditor and the actors' own reports what happened, once it is over."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from streamrp2p.bundle import decode_bundle
from streamrp2p.chain import CommittedHeader, Payment, receipt_of
from streamrp2p.numbers import Address, SessionId
from streamrp2p.signatures import address_of
from streamrp2p_demo.adversaries import double_submitter, inflating_poster, over_reporter
from streamrp2p_demo.adversaries.corrupting_proxy import read_ledger
from streamrp2p_demo.anvil import known_key
from streamrp2p_demo.challenges import challenges_of
from streamrp2p_demo.child import Child
from streamrp2p_demo.errors import NotReadyError
from streamrp2p_demo.facts import (
    Corruption,
    EpochFacts,
    Facts,
    FraudFacts,
    NodeFacts,
    PoolFacts,
    SourceFacts,
    ViewerFacts,
)
from streamrp2p_demo.market import WATCHER
from streamrp2p_demo.report import tokens
from streamrp2p_demo.stack import INFLATING_POSTER, Relay
from streamrp2p_demo.story import Story


@dataclass(frozen=True, slots=True)
class Claimed:
    """What one relay's `node claim` did."""

    exit_code: int
    gas: int | None
    payments: tuple[Payment, ...]


def collect(story: Story) -> Facts:
    """Let every relay claim, audit every committed epoch, and read the balances; the stack still runs."""
    stack, market = story.stack, story.market
    assert story.crash is not None  # noqa: S101 - the story was played to its end
    claims = _claims(story)
    epochs = tuple(_epoch(story, committed) for committed in market.book.committed())
    return Facts(
        domain=market.book.domain(),
        poster=Address(story.coordinator.config().poster),
        epochs_wanted=story.epochs,
        pool=_pool(story, claims.values()),
        epochs=epochs,
        nodes=tuple(_node(story, relay, claims[relay.name]) for relay in stack.relays),
        viewers=tuple(_viewer(story, viewer) for viewer in story.viewers),
        over_report=over_reporter.read_report(stack.layout.report("over-reporter")),
        corruption=Corruption(
            stack.corrupting.node, tuple(read_ledger(stack.layout.report("corrupting-proxy")))
        ),
        replay=double_submitter.read_report(stack.layout.report("double-submitter")),
        crash=story.crash,
        fraud=_fraud(story) if story.with_fraud else None,
    )


def _claims(story: Story) -> dict[str, Claimed]:
    stack = story.stack
    stack.progress.now("the relays claim")
    started = [
        stack.supervisor.start_command(f"claim-{relay.name}", stack.commands.claim(relay.name))
        for relay in stack.relays
    ]
    return {
        relay.name: _claimed(story, relay, *stack.supervisor.finish(child))
        for relay, child in zip(stack.relays, started, strict=True)
    }


def _claimed(story: Story, relay: Relay, code: int, output: str) -> Claimed:
    transaction = (_object(output).get("transaction") or {}).get("hash")
    if transaction is None:
        story.tell(f"{relay.name} claims: exit code {code}")
        return Claimed(code, None, ())
    receipt = receipt_of(story.market.web3, _bytes(transaction))
    if receipt is None:
        raise NotReadyError(f"{relay.name}'s claim {transaction} is not mined")
    payments = tuple(story.market.pools.payments(receipt))
    story.tell(f"{relay.name} claims: {tokens(sum(payment.amount for payment in payments))} tokens")
    return Claimed(code, receipt.gas_used, payments)


def _epoch(story: Story, committed: CommittedHeader) -> EpochFacts:
    market, epoch = story.market, committed.header.epoch
    story.stack.progress.now(f"auditing epoch {epoch}")
    audit = story.auditors.audit(epoch)
    finalised = story.coordinator.epoch(epoch).finalise_transaction
    return EpochFacts(
        committed.header,
        decode_bundle(story.coordinator.bundle(committed.header.data_hash)),
        market.book.is_final(epoch, committed.header_hash),
        _gas(story, committed.transaction_hash) or 0,
        _gas(story, finalised) if finalised else None,
        audit.exit_code,
        audit.verdict,
        audit.rewards,
    )


def _fraud(story: Story) -> FraudFacts:
    market, watcher = story.market, address_of(known_key(WATCHER))
    return FraudFacts(
        inflating_poster.read_report(story.stack.layout.report(INFLATING_POSTER)),
        watcher,
        challenges_of(market, market.book.voidings()),
        market.book.credit_of(watcher),
        market.book.rules.bond_wei,
        market.book.state().bond_wei,
    )


def _node(story: Story, relay: Relay, claimed: Claimed) -> NodeFacts:
    market = story.market
    payout = Address(story.coordinator.node(relay.node).payout)
    return NodeFacts(
        relay.name,
        relay.node,
        payout,
        market.token.balance_of(payout),
        market.pools.claimed(relay.node, market.pool_id),
        claimed.gas,
        claimed.exit_code,
    )


def _pool(story: Story, claims: Iterable[Claimed]) -> PoolFacts:
    market = story.market
    record = market.pools.pool(market.pool_id)
    return PoolFacts(
        market.pool_id,
        funded=market.pools.funded_at(market.pool_id, story.now_epoch),
        remaining=record.remaining if record else 0,
        paid=sum(payment.amount for claimed in claims for payment in claimed.payments),
        contract_balance=market.token.balance_of(market.deployment.reward_pools),
    )


def _viewer(story: Story, viewer: Child) -> ViewerFacts:
    path = story.stack.layout.report(viewer.name)
    report = _object(path.read_text()) if path.exists() else {}
    return ViewerFacts(
        viewer.name,
        viewer.exit_code,
        report.get("bytesDelivered", 0),
        report.get("bytesOnTime", 0),
        tuple(map(_source, report.get("sources", []))),
    )


def _source(report: Mapping[str, Any]) -> SourceFacts:
    node = report["node"]
    return SourceFacts(
        None if node is None else Address(_bytes(node)),
        report["bytesDelivered"],
        report["objectsRefused"],
        report["receiptsAccepted"],
        tuple(departure["reason"] for departure in report["departures"]),
        {
            SessionId(_bytes(session["sessionId"])): session["bytesDelivered"]
            for session in report["sessions"]
        },
    )


def _gas(story: Story, transaction_hash: bytes) -> int | None:
    receipt = receipt_of(story.market.web3, transaction_hash)
    return receipt.gas_used if receipt else None


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _object(text: str) -> dict[str, Any]:
    """Return the JSON object of a command's output; an empty one when it printed none."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
