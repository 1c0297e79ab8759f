"""The message of docs/protocol.md section 12: a coordinator asks the streamer's signer for a ticket. Off chain."""

from dataclasses import dataclass

from streamrp2p.numbers import SessionId
from streamrp2p.typed_data import Message

MAX_ASK_AGE_SECONDS = 60
"""A signed wish for a ticket counts for so long, before and after its time by the signer's clock."""


@dataclass(frozen=True, slots=True)
class TicketRequest(Message):
    """Asks for the signature of the ticket of that session. Signed by an asker that the signer knows, the poster."""

    NAME = "TicketRequest"
    SCHEMA = (("bytes32", "sessionId"), ("uint64", "askedAt"))
    session_id: SessionId
    asked_at: int
