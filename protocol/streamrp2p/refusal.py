"""The evidence of a rejection: the facts that its rule of docs/protocol.md section 4 compared. Pure."""

from collections.abc import Callable, Mapping

from streamrp2p.evidence import Facts
from streamrp2p.receipt import SessionRecord
from streamrp2p.verify import Checked, Code, Intake, elapsed_seconds

_Tell = Callable[[SessionRecord, Intake], Facts]


def facts_of(
    code: Code, record: SessionRecord, intake: Intake, before: Checked | None = None
) -> Facts:
    """Return what an objective code rests on; `before` is the record that stands for the session."""
    if code is Code.NOT_MONOTONE and before is not None:
        known = before.record.receipt
        return {
            "bytesDelivered": record.receipt.bytes_delivered,
            "bytesOnTime": record.receipt.bytes_on_time,
            "knownSequence": known.sequence,
            "knownBytesDelivered": known.bytes_delivered,
            "knownBytesOnTime": known.bytes_on_time,
        }
    return _FACTS.get(code, _pool)(record, intake)


def _epochs(record: SessionRecord, intake: Intake) -> Facts:
    return {
        "ticketEpoch": record.ticket.epoch,
        "submissionEpoch": intake.epoch,
        "receivedAt": intake.now,
    }


def _nodes(record: SessionRecord, intake: Intake) -> Facts:
    return {"ticketNode": "0x" + record.ticket.node.hex(), "node": "0x" + intake.node.hex()}


def _pool(record: SessionRecord, _intake: Intake) -> Facts:
    return {"poolId": record.ticket.pool_id, "ticketEpoch": record.ticket.epoch}


def _times(record: SessionRecord, intake: Intake) -> Facts:
    return {
        "signedAt": record.receipt.signed_at,
        "issuedAt": record.ticket.issued_at,
        "expiresAt": record.ticket.expires_at,
        "receivedAt": intake.now,
    }


def _rate(record: SessionRecord, intake: Intake) -> Facts:
    ticket = record.ticket
    return {
        "bytesDelivered": record.receipt.bytes_delivered,
        "elapsedSeconds": elapsed_seconds(ticket, intake.now),
        "rateSlackSeconds": intake.rate_slack_seconds,
        "maxBytesPerSecond": intake.pools[ticket.pool_id].max_bytes_per_second,
    }


_FACTS: Mapping[Code, _Tell] = {
    Code.INTAKE_CLOSED: _epochs,
    Code.WRONG_EPOCH: _epochs,
    Code.WRONG_NODE: _nodes,
    Code.NODE_NOT_REGISTERED: _nodes,
    Code.MALFORMED: lambda record, _: {
        "bytesOnTime": record.receipt.bytes_on_time,
        "bytesDelivered": record.receipt.bytes_delivered,
    },
    Code.OVER_CREDIT: lambda record, _: {
        "bytesDelivered": record.receipt.bytes_delivered,
        "maxBytes": record.ticket.max_bytes,
    },
    Code.TICKET_EXPIRED: _times,
    Code.OVER_RATE: _rate,
    Code.BAD_TICKET_SIGNATURE: lambda record, intake: {
        "ticketSigner": "0x" + intake.pools[record.ticket.pool_id].ticket_signer.hex()
    },
    Code.BAD_RECEIPT_SIGNATURE: lambda record, _: {"viewer": "0x" + record.ticket.viewer.hex()},
    Code.TOO_MANY_POOLS: lambda record, intake: {
        "poolId": record.ticket.pool_id,
        "earningPools": len(intake.earning_pools),
    },
}
