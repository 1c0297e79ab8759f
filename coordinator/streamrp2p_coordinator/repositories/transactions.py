"""The poster's transactions, recorded before they are sent."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import Row, func, or_, select, update

from streamrp2p.chain import Call
from streamrp2p.numbers import Address, Hash
from streamrp2p_coordinator.chain import SignedTransaction
from streamrp2p_coordinator.repositories.base import Repository
from streamrp2p_coordinator.tables import TransactionRow, table_of

_transactions = table_of(TransactionRow)

Purpose = Literal["register", "bond", "commit", "finalise", "answer", "fill"]
"""`fill` does nothing but use a nonce up."""
State = Literal["live", "mined", "reverted", "dropped", "taken"]
"""`live` may still be mined. The nonce of one that is `dropped` was used by another of ours, of one that is `taken` by
a transaction that was not made here. A reorganisation makes any of them live again."""


@dataclass(frozen=True, slots=True)
class RecordedTransaction:
    """A transaction of `sender`, what it is for (`subject` names the epoch, node or demand) and where it stands.

    `due_at`: the Unix second from which on it is of no use, None if there is none.
    """

    sender: Address
    purpose: Purpose
    subject: str
    signed: SignedTransaction
    call: Call
    state: State
    recorded_at: int
    due_at: int | None = None

    def in_state(self, state: State) -> "RecordedTransaction":
        """Return the same transaction in another state."""
        return replace(self, state=state)

    def replaced_by(self, signed: SignedTransaction, now: int) -> "RecordedTransaction":
        """Return the same with other fees. Both are kept: either may be mined, but never both."""
        return replace(self, signed=signed, recorded_at=now, state="live")


class Transactions(Repository):
    """One row per signed transaction."""

    def record(self, transaction: RecordedTransaction) -> None:
        """Keep a transaction that is about to be sent."""
        self._upsert(
            _transactions,
            [
                {
                    "hash": transaction.signed.hash,
                    "sender": transaction.sender,
                    "purpose": transaction.purpose,
                    "subject": transaction.subject,
                    "nonce": transaction.signed.nonce,
                    "raw": transaction.signed.raw,
                    "to_address": transaction.call.to,
                    "call_data": transaction.call.data,
                    "value": transaction.call.value,
                    "state": transaction.state,
                    "recorded_at": transaction.recorded_at,
                    "due_at": transaction.due_at,
                }
            ],
        )

    def senders(self) -> list[Address]:
        """Return who sent any: more than one once the poster's key was changed."""
        query = select(_transactions.c.sender).where(_transactions.c.sender.is_not(None)).distinct()
        return sorted(Address(row.sender) for row in self._connection.execute(query))

    def live(self, sender: Address) -> list[RecordedTransaction]:
        """Return those of a sender that are not in a block yet, rising by nonce."""
        query = (
            select(_transactions)
            .where(_transactions.c.state == "live", _transactions.c.sender == sender)
            .order_by(_transactions.c.nonce, _transactions.c.recorded_at)
        )
        return [_recorded(row) for row in self._connection.execute(query)]

    def is_live(self, purpose: Purpose, subject: str) -> bool:
        """Tell whether anybody's transaction for a subject is in no block yet."""
        query = select(_transactions.c.hash).where(
            _transactions.c.purpose == purpose,
            _transactions.c.subject == subject,
            _transactions.c.state == "live",
        )
        return self._connection.execute(query.limit(1)).one_or_none() is not None

    def unsettled(self, sender: Address, settled: int) -> list[RecordedTransaction]:
        """Return those of a sender whose nonce is `settled` or higher, and all that are live, rising by nonce."""
        query = (
            select(_transactions)
            .where(_transactions.c.sender == sender)
            .where(or_(_transactions.c.state == "live", _transactions.c.nonce >= settled))
            .order_by(_transactions.c.nonce, _transactions.c.recorded_at)
        )
        return [_recorded(row) for row in self._connection.execute(query)]

    def next_nonce(self, sender: Address) -> int:
        """Return the lowest nonce above all of a sender's that were ever taken here: 0 if none was."""
        query = select(func.max(_transactions.c.nonce)).where(_transactions.c.sender == sender)
        newest = self._connection.execute(query).scalar_one()
        return 0 if newest is None else int(newest) + 1

    def mark(self, transaction: Hash, state: State) -> None:
        """Change a transaction's state."""
        self._connection.execute(
            update(_transactions).where(_transactions.c.hash == transaction).values(state=state)
        )

    def mined(self, purpose: Purpose, subject: str) -> RecordedTransaction | None:
        """Return the newest successful transaction for a subject."""
        query = (
            select(_transactions)
            .where(
                _transactions.c.purpose == purpose,
                _transactions.c.subject == subject,
                _transactions.c.state == "mined",
            )
            .order_by(_transactions.c.nonce.desc())
            .limit(1)
        )
        found = self._connection.execute(query).one_or_none()
        return None if found is None else _recorded(found)


def _recorded(row: Row[Any]) -> RecordedTransaction:
    return RecordedTransaction(
        sender=Address(row.sender),
        purpose=row.purpose,
        subject=row.subject,
        signed=SignedTransaction(Hash(row.hash), row.nonce, row.raw),
        call=Call(Address(row.to_address), row.call_data, row.value),
        state=row.state,
        recorded_at=row.recorded_at,
        due_at=row.due_at,
    )
