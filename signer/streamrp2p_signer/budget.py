"""What a ticket takes of its pool's budgets, and which may be signed. Amounts are base units of the pool's token.

A ticket counts with all that it may deliver: whoever has it can claim that much, whether it was watched or not.
"""

from dataclasses import dataclass, replace

from streamrp2p.epoch_clock import EpochClock
from streamrp2p.ticket_signing import MAX_ASK_AGE_SECONDS
from streamrp2p.typed_data import SessionTicket
from streamrp2p_signer.refusals import Reason, RefusedError

BYTES_PER_GB = 10**9
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be signed for one pool; `price_per_gb` is that of its terms."""

    price_per_gb: int
    max_ticket_bytes: int
    epoch_budget: int
    day_budget: int
    max_open_sessions: int


@dataclass(frozen=True, slots=True)
class Used:
    """What a pool's tickets took of the current epoch's and day's budgets. Sessions are open until they expire."""

    epoch_worth: int = 0
    day_worth: int = 0
    open_sessions: int = 0


def worth(max_bytes: int, price_per_gb: int) -> int:
    """Return the most that a ticket's bytes can be worth (docs/protocol.md section 5), rounded up."""
    return -(-max_bytes * price_per_gb // BYTES_PER_GB)


def day_of(now: int) -> int:
    """Return the number of the day, of UTC."""
    return now // DAY_SECONDS


def check_age(asked_at: int, now: int) -> None:
    """Raise RefusedError for a request that was not signed just now."""
    if abs(now - asked_at) > MAX_ASK_AGE_SECONDS:
        raise RefusedError(
            Reason.REQUEST_STALE,
            f"the request was signed at {asked_at} and it is {now} here, more than {MAX_ASK_AGE_SECONDS} s off; "
            "set both clocks right (for example with NTP), and ask anew",
        )


def admit(ticket: SessionTicket, limits: Limits, used: Used, epochs: EpochClock, now: int) -> Used:
    """Return what is used once the ticket is signed; raises RefusedError unless it may be."""
    _check_epoch(ticket, epochs, now)
    if ticket.max_bytes > limits.max_ticket_bytes:
        raise RefusedError(
            Reason.TICKET_TOO_LARGE,
            f"a ticket of pool {ticket.pool_id} may have {limits.max_ticket_bytes} bytes, this one has "
            f"{ticket.max_bytes}; ask for shorter ones, or let the streamer raise max_ticket_bytes",
        )
    cost = worth(ticket.max_bytes, limits.price_per_gb)
    after = Used(used.epoch_worth + cost, used.day_worth + cost, used.open_sessions + 1)
    if after.epoch_worth > limits.epoch_budget:
        raise RefusedError(
            Reason.OVER_EPOCH_BUDGET,
            f"pool {ticket.pool_id} has no budget left for such a ticket in epoch {ticket.epoch}; wait for the next "
            "one, or let the streamer raise epoch_budget",
            epochs.end(ticket.epoch) - now,
        )
    if after.day_worth > limits.day_budget:
        raise RefusedError(
            Reason.OVER_DAY_BUDGET,
            f"pool {ticket.pool_id} has no budget left for such a ticket on this day (UTC); wait for the next one, or "
            "let the streamer raise day_budget",
            DAY_SECONDS - now % DAY_SECONDS,
        )
    if after.open_sessions > limits.max_open_sessions:
        raise RefusedError(
            Reason.TOO_MANY_SESSIONS,
            f"pool {ticket.pool_id} has {limits.max_open_sessions} tickets that have not expired; wait for one that "
            "does, or let the streamer raise max_open_sessions",
            1,
        )
    return after


def _check_epoch(ticket: SessionTicket, epochs: EpochClock, now: int) -> None:
    if not epochs.start(ticket.epoch) <= now < epochs.end(ticket.epoch):
        raise RefusedError(
            Reason.WRONG_EPOCH,
            f"epoch {ticket.epoch} is not the current one; ask for a ticket of that, and compare the clocks",
        )
    if not ticket.issued_at <= ticket.expires_at <= epochs.end(ticket.epoch):
        raise RefusedError(
            Reason.WRONG_EPOCH,
            f"the ticket must end after its beginning, and by {epochs.end(ticket.epoch)} with epoch {ticket.epoch}",
        )
    if ticket.expires_at <= now:
        raise RefusedError(
            Reason.WRONG_EPOCH, f"the ticket is over, it is {now}; ask for a new one"
        )


def carried(used: Used, *, same_epoch: bool, same_day: bool) -> Used:
    """Return what of a pool's use at its last ticket still counts."""
    return replace(
        used,
        epoch_worth=used.epoch_worth if same_epoch else 0,
        day_worth=used.day_worth if same_day else 0,
    )
