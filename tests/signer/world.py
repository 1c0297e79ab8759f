"""A ticket signer with its parts at hand: the clock is told, the log is a real file."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from streamrp2p import api
from streamrp2p.epoch_clock import EpochClock
from streamrp2p.numbers import Address
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import Domain, SessionTicket
from streamrp2p_signer.budget import Limits
from streamrp2p_signer.desk import Desk
from streamrp2p_signer.refusals import Reason, RefusedError
from streamrp2p_signer.ticket_log import TicketLog

TICKET_KEY, ASKER_KEY, STRANGER_KEY = (number.to_bytes(32) for number in (11, 12, 13))
DOMAIN = Domain(31337, Address(b"\xb0" * 20))
EPOCHS = EpochClock(genesis=864_000, epoch_seconds=3_600, intake_grace_seconds=0)
NOW = EPOCHS.start(5) + 100
LIMITS = Limits(
    price_per_gb=10**9,
    max_ticket_bytes=1_000,
    epoch_budget=5_000,
    day_budget=8_000,
    max_open_sessions=100,
)
"""A byte is worth a base unit."""


def ticket(nonce: int = 0, **changes: Any) -> SessionTicket:  # noqa: ANN401 - see SessionTicket
    """Return a ticket of pool 1 and 1,000 bytes in the current epoch."""
    plain = SessionTicket(
        1, 5, Address(b"\x01" * 20), Address(b"\x02" * 20), 1_000, NOW, NOW + 300, nonce
    )
    return replace(plain, **changes)


def ask(
    asked: SessionTicket, asked_at: int = NOW, *, key: bytes = ASKER_KEY, domain: Domain = DOMAIN
) -> api.TicketAsk:
    """Ask for a ticket as a coordinator does."""
    return api.TicketAsk.of(
        asked, asked_at, domain, lambda message, domain: sign(message.digest(domain), key)
    )


@dataclass
class Told:
    """A clock that is told the time."""

    now: int = NOW

    def __call__(self) -> int:
        return self.now


def make_desk(folder: Path, clock: Told, limits: Limits = LIMITS) -> Desk:
    """Open a signer of pool 1 in a folder."""
    log = TicketLog(folder / "tickets.db")
    askers = frozenset({address_of(ASKER_KEY)})
    return Desk(TICKET_KEY, DOMAIN, EPOCHS, askers, {1: limits}, log, clock)


def refusal(desk: Desk, request: api.TicketAsk) -> Reason | None:
    """Ask, and return why it was refused; None if it was signed."""
    try:
        desk.sign(request)
    except RefusedError as error:
        return error.reason
    return None
