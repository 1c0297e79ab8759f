"""Whether a receipt is worth journaling. Pure. A claim beyond what was served is: the coordinator is its judge."""

from streamrp2p.epoch_clock import EpochClock
from streamrp2p.errors import SignatureError
from streamrp2p.numbers import CLOCK_SKEW_SECONDS, Signature
from streamrp2p.receipt import SessionRecord
from streamrp2p.signatures import check_signer
from streamrp2p.typed_data import Domain, Receipt
from streamrp2p_node.errors import Reason, RefusedError
from streamrp2p_node.session import Session


def check_receipt(
    session: Session, receipt: Receipt, signature: Signature, *, domain: Domain, clock: EpochClock, now: int
) -> SessionRecord | None:  # fmt: skip
    """Return the record to journal, or None when this receipt is held already; raises RefusedError."""
    record = SessionRecord(session.ticket, session.ticket_signature, receipt, signature)
    if session.newest == record:
        return None
    if now >= clock.intake_end(session.ticket.epoch):
        raise RefusedError(
            Reason.INTAKE_CLOSED,
            f"receipts of epoch {session.ticket.epoch} are taken no more; open a session of the new epoch",
        )
    _check_fields(session, receipt, now)
    _check_monotony(session, receipt)
    try:
        check_signer(
            receipt.digest(domain), signature, session.ticket.viewer, "the ticket's viewer"
        )
    except SignatureError as error:
        raise RefusedError(
            Reason.RECEIPT_INVALID, f"the receipt's signature is refused: {error}"
        ) from error
    return record


def _check_fields(session: Session, receipt: Receipt, now: int) -> None:
    if receipt.bytes_on_time > receipt.bytes_delivered:
        raise RefusedError(
            Reason.RECEIPT_INVALID,
            "bytesOnTime exceeds bytesDelivered; sign a receipt that adds up",
        )
    earliest = session.ticket.issued_at - CLOCK_SKEW_SECONDS
    latest = min(session.ticket.expires_at, now) + CLOCK_SKEW_SECONDS
    if not earliest <= receipt.signed_at <= latest:
        raise RefusedError(
            Reason.RECEIPT_INVALID,
            f"signedAt {receipt.signed_at} is outside [{earliest}, {latest}]; set the viewer's clock",
        )


def _check_monotony(session: Session, receipt: Receipt) -> None:
    if session.newest is None:
        return
    known = session.newest.receipt
    if receipt.sequence <= known.sequence:
        raise RefusedError(
            Reason.RECEIPT_NOT_NEWER,
            f"receipt {known.sequence} of this session is held already; sign one with a higher sequence",
        )
    if (
        receipt.bytes_delivered < known.bytes_delivered
        or receipt.bytes_on_time < known.bytes_on_time
    ):
        raise RefusedError(
            Reason.RECEIPT_INVALID,
            f"receipts are cumulative, but this one claims less than receipt {known.sequence}",
        )
