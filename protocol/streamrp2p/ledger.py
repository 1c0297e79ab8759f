"""What counts of a session when several of its receipts arrive. Source: docs/protocol.md section 4, end."""

from dataclasses import dataclass

from streamrp2p.verify import Checked, Code, Rejected


@dataclass(frozen=True, slots=True)
class Merged:
    """The record that now stands for the session, and the other one when both are evidence of two tellings."""

    kept: Checked
    evidence: Checked | None = None


def merge(known: Checked | None, new: Checked) -> Merged | Rejected:
    """Merge a newly checked record of the session into the ledger.

    A higher sequence replaces, unless its bytes shrink (NOT_MONOTONE). A lower one changes nothing. The same
    sequence with other content keeps the record of lower weight. The order of arrival of equal sequences does not
    matter.

    A record of weight 0 stands only where there is no other: it is left out of the epoch, and would take one of
    weight > 0 with it that was acknowledged, an omission.
    """
    if known is None:
        return Merged(new)
    old_receipt, new_receipt = known.record.receipt, new.record.receipt
    if new_receipt.sequence < old_receipt.sequence:
        return Merged(new if known.weight == 0 < new.weight else known)
    if new.record == known.record:
        return Merged(known)
    if new_receipt.sequence == old_receipt.sequence:
        kept, other = sorted((known, new), key=_lower_but_not_zero_first)
        return Merged(kept, other)
    shrinks = (
        new_receipt.bytes_delivered < old_receipt.bytes_delivered
        or new_receipt.bytes_on_time < old_receipt.bytes_on_time
    )
    return (
        Rejected(new.session_id, new_receipt.sequence, Code.NOT_MONOTONE)
        if shrinks
        else Merged(new)
    )


def _lower_but_not_zero_first(checked: Checked) -> tuple[bool, int, bytes]:
    return checked.weight == 0, checked.weight, checked.record.encode()
