"""The refund of a closed pool: its row in the last open epoch's header, proven from the public bundle."""

from dataclasses import dataclass

from streamrp2p.bundle import decode_bundle
from streamrp2p.chain.epoch_book import EpochBookContract
from streamrp2p.chain.reward_pools import PoolRecord, RewardPoolsContract
from streamrp2p.chain.transactions import Call
from streamrp2p.client import CoordinatorClient
from streamrp2p.errors import StreamrP2PError
from streamrp2p.header import EpochHeader
from streamrp2p.numbers import Address
from streamrp2p.records import PoolRow
from streamrp2p.settlement import pools_tree
from streamrp2p.sum_tree import SumNode


class RefundError(StreamrP2PError):
    """The pool cannot be refunded, whenever it is asked."""


class RefundNotYetError(RefundError):
    """The pool's last open epoch is not final yet."""

    retryable = True


@dataclass(frozen=True, slots=True)
class RefundProof:
    """All that a refund call needs; `amount` is what it will give back, in base units."""

    header: EpochHeader
    row: PoolRow
    index: int
    path: tuple[SumNode, ...]
    amount: int

    def call(self, pools: RewardPoolsContract, to: Address) -> Call:
        """Return the call that refunds to `to`."""
        return pools.refund_call(self.header, self.row, self.index, self.path, to)


def prove_refund(
    book: EpochBookContract,
    pools: RewardPoolsContract,
    coordinator: CoordinatorClient,
    pool: PoolRecord,
) -> RefundProof:
    """Take the header from the chain and the row from the coordinator's bundle, and check that they belong together.

    Raises RefundNotYetError (retryable), RefundError, BundleError, or what the chain and the client raise.
    """
    last = _last_open_epoch(pool)
    if book.finalised_epochs() <= last:
        raise RefundNotYetError(
            f"epoch {last}, the last in which pool {pool.pool_id} is open, is not final yet; "
            "wait until it is settled and its challenge window is over"
        )
    committed = book.committed_header(last)
    if committed is None:
        raise RefundError(
            f"the RPC shows no header of epoch {last}; name another RPC, and check the deployment file's block"
        )
    header = committed.header
    row, index, path = _find_row(header, coordinator.bundle(header.data_hash), pool.pool_id)
    due = pools.funded_at(pool.pool_id, last) - row.cumulative_spend
    return RefundProof(header, row, index, path, max(min(due, pool.remaining), 0))


def _last_open_epoch(pool: PoolRecord) -> int:
    if pool.is_refunded:
        raise RefundError(f"pool {pool.pool_id} was refunded already; nothing is left to do")
    if pool.closed_from_epoch is None:
        raise RefundError(f"pool {pool.pool_id} is open; close it first")
    return pool.closed_from_epoch - 1


def _find_row(
    header: EpochHeader, data: bytes, pool_id: int
) -> tuple[PoolRow, int, tuple[SumNode, ...]]:
    rows = decode_bundle(data).pool_rows
    todo = f"run: streamrp2p audit epoch {header.epoch}"
    tree = pools_tree(rows)
    if (tree.top.hash, tree.top.sum, tree.count) != (
        header.pools_root,
        header.weight,
        header.pool_count,
    ):
        raise RefundError(f"the bundle of epoch {header.epoch} is not what its header says; {todo}")
    for index, row in enumerate(rows):
        if row.pool_id == pool_id:
            return row, index, tree.path(index)
    raise RefundError(
        f"the bundle of epoch {header.epoch} has no row of pool {pool_id}, which was open then; {todo}"
    )
