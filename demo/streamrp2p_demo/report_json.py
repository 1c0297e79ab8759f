"""The closing report for machines: one JSON object."""

from collections.abc import Sequence
from typing import Any

from streamrp2p_demo.checks import CheckResult, Passed, rewards_of
from streamrp2p_demo.facts import Challenge, EpochFacts, Facts, NodeFacts, ViewerFacts
from streamrp2p_demo.totals import totals_of


def as_json(facts: Facts, results: Sequence[CheckResult], seconds: float) -> dict[str, Any]:
    """Return the report as a JSON object; token amounts are decimal strings, as in docs/protocol.md section 2."""
    return {
        "ok": all(result.passed for result in results),
        "seconds": round(seconds, 1),
        "checks": [
            {"name": result.name, "passed": result.passed, "statement": result.outcome.statement}
            for result in results
        ],
        "adversaries": [
            {"name": result.name, "caughtBy": result.outcome.rule}
            for result in results
            if isinstance(result.outcome, Passed) and result.outcome.rule is not None
        ],
        "epochs": [_epoch_json(epoch) for epoch in facts.epochs],
        "nodes": [_node_json(facts, node) for node in facts.nodes],
        "viewers": [_viewer_json(viewer) for viewer in facts.viewers],
        "pool": {
            "poolId": facts.pool.pool_id,
            "funded": str(facts.pool.funded),
            "paid": str(facts.pool.paid),
            "remaining": str(facts.pool.remaining),
        },
        "challenges": [
            _challenge_json(challenge)
            for challenge in (facts.fraud.challenges if facts.fraud else ())
        ],
        "leftBehind": list(facts.left_behind),
    }


def _epoch_json(epoch: EpochFacts) -> dict[str, Any]:
    return {
        "epoch": epoch.epoch,
        "state": "final" if epoch.is_final else "committed",
        "headerHash": _hex(epoch.header.hash()),
        "dataHash": _hex(epoch.header.data_hash),
        "sessions": len(epoch.bundle.session_records),
        "rejections": [rejection.code for rejection in epoch.bundle.rejections],
        "weight": str(epoch.header.weight),
        "spend": str(epoch.spend()),
        "commitGas": epoch.commit_gas,
        "finaliseGas": epoch.finalise_gas,
        "audit": {"exitCode": epoch.audit_exit_code, "verdict": epoch.audit_verdict},
    }


def _challenge_json(challenge: Challenge) -> dict[str, Any]:
    return {
        "epoch": challenge.epoch,
        "voidedHeaderHash": _hex(challenge.header_hash),
        "function": challenge.function,
        "transaction": _hex(challenge.transaction_hash),
        "challenger": _hex(challenge.challenger),
        "rewardWei": str(challenge.reward_wei),
        "burnedWei": str(challenge.burned_wei),
        "secondsLeft": challenge.seconds_left,
    }


def _viewer_json(viewer: ViewerFacts) -> dict[str, Any]:
    return {
        "name": viewer.name,
        "exitCode": viewer.exit_code,
        "bytesDelivered": viewer.bytes_delivered,
        "bytesOnTime": viewer.bytes_on_time,
        "sources": [
            {
                "node": None if source.node is None else _hex(source.node),
                "bytesDelivered": source.bytes_delivered,
                "objectsRefused": source.objects_refused,
                "receiptsAccepted": source.receipts_accepted,
                "departures": list(source.departures),
                "sessions": len(source.sessions),
            }
            for source in viewer.sources
        ],
    }


def _node_json(facts: Facts, node: NodeFacts) -> dict[str, Any]:
    totals = totals_of(facts, node.node)
    return {
        "name": node.name,
        "node": _hex(node.node),
        "payout": _hex(node.payout),
        "sessions": totals.sessions,
        "bytesDelivered": totals.bytes_delivered,
        "bytesOnTime": totals.bytes_on_time,
        "reward": str(rewards_of(facts).get(node.node, 0)),
        "claimed": str(node.claimed),
        "balance": str(node.balance),
        "claimGas": node.claim_gas,
    }


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
