"""Batches that were judged, with their answers."""

from typing import NamedTuple

from sqlalchemy import func, select

from streamrp2p.numbers import Address, Hash
from streamrp2p_coordinator.repositories.base import Repository
from streamrp2p_coordinator.tables import BatchRow, table_of

_batches = table_of(BatchRow)


class JudgedBatch(NamedTuple):
    """A batch's root and the very bytes that it was answered with."""

    batch_root: Hash
    answer: bytes


class Batches(Repository):
    """One row per `(node, epoch, batch number)`, never changed."""

    def find(self, node: Address, epoch: int, batch_number: int) -> JudgedBatch | None:
        """Return the batch of that name, if it was judged."""
        row = self._connection.execute(
            select(_batches.c.batch_root, _batches.c.answer).where(
                _batches.c.node == node,
                _batches.c.epoch == epoch,
                _batches.c.batch_number == batch_number,
            )
        ).one_or_none()
        return None if row is None else JudgedBatch(Hash(row[0]), row[1])

    def count(self, node: Address, epoch: int) -> int:
        """Return how many batches of a node and epoch are kept."""
        query = select(func.count()).select_from(_batches)
        return self._connection.execute(
            query.where(_batches.c.node == node, _batches.c.epoch == epoch)
        ).scalar_one()

    def add(self, node: Address, epoch: int, batch_number: int, judged: JudgedBatch) -> None:
        """Keep a batch's answer."""
        self._insert(
            _batches,
            [
                {
                    "node": node,
                    "epoch": epoch,
                    "batch_number": batch_number,
                    "batch_root": judged.batch_root,
                    "answer": judged.answer,
                }
            ],
        )
