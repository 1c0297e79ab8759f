"""Epochs from intake to finality."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, update

from streamrp2p.header import EpochHeader
from streamrp2p.numbers import Hash
from streamrp2p_coordinator.repositories.base import Repository
from streamrp2p_coordinator.tables import EpochRow, table_of

_epochs = table_of(EpochRow)


@dataclass(frozen=True, slots=True)
class StoredEpoch:
    """What is known of an epoch beside the clock. The header is there from the settlement on."""

    epoch: int
    is_intake_closed: bool = False
    header: EpochHeader | None = None
    committed_at: int | None = None
    commit_transaction: Hash | None = None
    is_final: bool = False
    finalise_transaction: Hash | None = None
    is_voided: bool = False
    voided_header_hash: Hash | None = None


class Epochs(Repository):
    """One row per epoch that anything happened to."""

    def hold_open(self, epoch: int) -> bool:
        """Tell whether the epoch's intake is open, and keep it so until this transaction ends."""
        self._insert_new(_epochs, [_new(epoch)])
        # On SQLite a write transaction is alone anyway.
        query = select(_epochs.c.is_intake_closed).where(_epochs.c.epoch == epoch)
        return not self._connection.execute(query.with_for_update(read=True)).scalar_one()

    def close_intake(self, epoch: int) -> None:
        """Close the epoch's intake for ever; waits for those that hold it open."""
        self._insert_new(_epochs, [_new(epoch)])
        self._change(epoch, {"is_intake_closed": True})

    def find(self, epoch: int) -> StoredEpoch | None:
        """Return an epoch, if it has a row."""
        row = self._connection.execute(
            select(_epochs).where(_epochs.c.epoch == epoch)
        ).one_or_none()
        return None if row is None else _stored(row)

    def between(self, first: int, last: int) -> dict[int, StoredEpoch]:
        """Return the rows of the epochs from `first` to `last`, both included, by epoch."""
        rows = self._connection.execute(select(_epochs).where(_epochs.c.epoch.between(first, last)))
        return {row.epoch: _stored(row) for row in rows}

    def first_unsettled(self) -> int:
        """Return the lowest epoch without a header. Epochs are settled in order, so those below have one."""
        query = select(func.max(_epochs.c.epoch)).where(_epochs.c.header.is_not(None))
        newest = self._connection.execute(query).scalar_one()
        return 0 if newest is None else int(newest) + 1

    def pending(self) -> list[StoredEpoch]:
        """Return the settled epochs that are not final, rising."""
        query = (
            select(_epochs)
            .where(_epochs.c.header.is_not(None), _epochs.c.is_final.is_(False))
            .order_by(_epochs.c.epoch)
        )
        return [_stored(row) for row in self._connection.execute(query)]

    def headers(self) -> list[EpochHeader]:
        """Return the header of every settled epoch, rising."""
        query = select(_epochs.c.header).where(_epochs.c.header.is_not(None))
        found = self._connection.execute(query.order_by(_epochs.c.epoch)).scalars()
        return [EpochHeader.decode(header) for header in found]

    def newest_settled(self) -> StoredEpoch | None:
        """Return the highest epoch that has a header."""
        return self._newest(_epochs.c.header.is_not(None))

    def newest_final(self) -> StoredEpoch | None:
        """Return the highest epoch that is final."""
        return self._newest(_epochs.c.is_final.is_(True))

    def settle(self, epoch: int, header: EpochHeader) -> None:
        """Give an epoch its header."""
        self._change(epoch, {"header": header.encode()})

    def commit(self, epoch: int, committed_at: int, transaction: Hash | None) -> None:
        """Note that the chain holds the epoch's header."""
        self._change(
            epoch,
            {
                "committed_at": committed_at,
                "commit_transaction": transaction,
                "is_voided": False,
            },
        )

    def finalise(self, epoch: int, transaction: Hash | None) -> None:
        """Note that the epoch's header is final."""
        self._change(epoch, {"is_final": True, "finalise_transaction": transaction})

    def reopen_from(self, epoch: int) -> None:
        """Note that no header from this epoch on is final: a reorganisation took that back."""
        self._connection.execute(
            update(_epochs)
            .where(_epochs.c.epoch >= epoch, _epochs.c.is_final.is_(True))
            .values(is_final=False, finalise_transaction=None)
        )

    def uncommit_from(self, epoch: int) -> None:
        """Note that the chain holds no header from this epoch on, without taking the headers away."""
        self._connection.execute(
            update(_epochs)
            .where(_epochs.c.epoch >= epoch)
            .values(committed_at=None, commit_transaction=None)
        )

    def unsettle(self, epoch: int, *, voided: Hash | None) -> None:
        """Take the header away; `voided` is its hash if the chain held it."""
        changes: dict[str, Any] = {"header": None, "committed_at": None, "commit_transaction": None}
        if voided is not None:
            changes |= {"is_voided": True, "voided_header_hash": voided}
        self._change(epoch, changes)

    def _change(self, epoch: int, values: Mapping[str, Any]) -> None:
        self._connection.execute(update(_epochs).where(_epochs.c.epoch == epoch).values(values))

    def _newest(self, condition: ColumnElement[bool]) -> StoredEpoch | None:
        query = select(_epochs).where(condition).order_by(_epochs.c.epoch.desc()).limit(1)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _stored(row)


def _new(epoch: int) -> dict[str, Any]:
    return {"epoch": epoch, "is_intake_closed": False, "is_final": False, "is_voided": False}


def _stored(row: Row[Any]) -> StoredEpoch:
    return StoredEpoch(
        epoch=row.epoch,
        is_intake_closed=row.is_intake_closed,
        header=None if row.header is None else EpochHeader.decode(row.header),
        committed_at=row.committed_at,
        commit_transaction=row.commit_transaction,
        is_final=row.is_final,
        finalise_transaction=row.finalise_transaction,
        is_voided=row.is_voided,
        voided_header_hash=row.voided_header_hash,
    )
