"""The poster's transactions, recorded before they are sent."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import Row, select, update

from streamrp2p.chain import Call
from streamrp2p.numbers import Address, Hash
from streamrp2p_coordinator.chain import SignedTransaction
from streamrp2p_coordinator.repositories.base import Repository
from streamrp2p_coordinator.tables import TransactionRow, table_of

_transactions = table_of(TransactionRow)

Purpose = Literal["register", "bond", "commit", "finalise", "answer", "fill"]
"""`fill` does nothing but use a nonce up."""
State = Literal["live", "mined", "reverted", "dropped"]


@dataclass(frozen=True, slots=True)
class RecordedTransaction:
    """A transaction, what it is for (`subject` names the epoch, node or demand) and where it stands."""

    purpose: Purpose
    subject: str
    signed: SignedTransaction
    call: Call
    state: State
    recorded_at: int

    def in_state(self, state: State) -> "RecordedTransaction":
        """Return the same transaction in another state."""
        return replace(self, state=state)

    def replaced_by(self, signed: SignedTransaction, now: int) -> "RecordedTransaction":
        """Return what takes its place: the same call and nonce with other fees. Only one of the two can be mined."""
        return replace(self, signed=signed, recorded_at=now, state="live")


class Transactions(Repository):
    """One row per signed transaction."""

    def record(self, transaction: RecordedTransaction) -> None:
        """Keep a transaction that is about to be sent; one that was given up may come again."""
        self._upsert(
            _transactions,
            [
                {
                    "hash": transaction.signed.hash,
                    "purpose": transaction.purpose,
                    "subject": transaction.subject,
                    "nonce": transaction.signed.nonce,
                    "raw": transaction.signed.raw,
                    "to_address": transaction.call.to,
                    "call_data": transaction.call.data,
                    "value": transaction.call.value,
                    "state": transaction.state,
                    "recorded_at": transaction.recorded_at,
                }
            ],
        )

    def live(self) -> list[RecordedTransaction]:
        """Return those that are not in a block yet, rising by nonce."""
        query = (
            select(_transactions)
            .where(_transactions.c.state == "live")
            .order_by(_transactions.c.nonce, _transactions.c.recorded_at)
        )
        return [_recorded(row) for row in self._connection.execute(query)]

    def live_nonces(self) -> set[int]:
        """Return the nonces that live transactions took."""
        query = select(_transactions.c.nonce).where(_transactions.c.state == "live")
        return {nonce for (nonce,) in self._connection.execute(query)}

    def mark(self, transaction: Hash, state: State) -> None:
        """Change a transaction's state."""
        self._connection.execute(
            update(_transactions).where(_transactions.c.hash == transaction).values(state=state)
        )

    def mined(self, purpose: Purpose, subject: str) -> Hash | None:
        """Return the newest successful transaction for a subject."""
        query = (
            select(_transactions.c.hash)
            .where(
                _transactions.c.purpose == purpose,
                _transactions.c.subject == subject,
                _transactions.c.state == "mined",
            )
            .order_by(_transactions.c.nonce.desc())
            .limit(1)
        )
        found = self._connection.execute(query).scalar_one_or_none()
        return None if found is None else Hash(found)


def _recorded(row: Row[Any]) -> RecordedTransaction:
    return RecordedTransaction(
        purpose=row.purpose,
        subject=row.subject,
        signed=SignedTransaction(Hash(row.hash), row.nonce, row.raw),
        call=Call(Address(row.to_address), row.call_data, row.value),
        state=row.state,
        recorded_at=row.recorded_at,
    )
