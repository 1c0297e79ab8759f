"""Why an account earned what it earned in an epoch. Source: docs/protocol.md section 5.

Nothing is decided here: spend and reward come from `allocation`, as the settlement's do. An epoch that is still open
is explained by what came in so far, a settled one by what was settled, with the same function; so the estimate of an
epoch whose intake is over is its settled figure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from streamrp2p.allocation import reward_of, spend_of
from streamrp2p.bundle import Bundle
from streamrp2p.errors import SettlementError
from streamrp2p.numbers import BYTES_PER_GB, Address
from streamrp2p.receipt import SessionRecord
from streamrp2p.records import SignedRejection
from streamrp2p.settlement import PoolInput
from streamrp2p.tally import Tally

Bound = Literal["weight", "budget", "funds"]
"""Which of the three bounds a pool's spend: what its bytes are worth, the epoch's budget, or what it still holds."""


@dataclass(frozen=True, slots=True)
class PoolInEpoch:
    """What a pool's spend follows from: its terms and deposits, what it spent before, and all nodes' weight."""

    pool: PoolInput
    previous_cumulative_spend: int
    weight: int

    @property
    def worth(self) -> int:
        """Return what the weight is worth at the pool's price, in base units."""
        return self.weight * self.pool.terms.price_per_gb // BYTES_PER_GB

    @property
    def funds_left(self) -> int:
        """Return what the pool held when the epoch began, with the epoch's deposits, in base units."""
        return max(self.pool.funded - self.previous_cumulative_spend, 0)

    @property
    def spend(self) -> int:
        """Return what the pool spends in the epoch, in base units."""
        pool = self.pool
        return spend_of(self.weight, pool.terms, pool.funded, self.previous_cumulative_spend)

    @property
    def bound_by(self) -> Bound:
        """Tell what bounds the spend; of equal bounds the first."""
        if self.spend == self.worth:
            return "weight"
        return "budget" if self.spend == self.pool.terms.epoch_budget else "funds"


@dataclass(frozen=True, slots=True)
class PoolExplanation:
    """Why a pool pays an account so much: the account's own sessions, beside those of all."""

    state: PoolInEpoch
    own: Tally

    @property
    def pool_id(self) -> int:
        """The pool's number."""
        return self.state.pool.pool_id

    @property
    def reward(self) -> int:
        """Return the account's share of the spend, in base units."""
        return reward_of(self.state.spend, self.own.weight, self.state.weight)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an account earns so much in an epoch, for each pool that it has sessions of, rising by id."""

    account: Address
    epoch: int
    pools: tuple[PoolExplanation, ...]


def explain(
    account: Address, epoch: int, pools: Sequence[PoolInEpoch], own: Mapping[int, Tally]
) -> Explanation:
    """Explain an account's epoch from the pools' states and the account's tally in each, by pool id.

    Pools without weight of the account are left out. Raises SettlementError for a tally of a pool that is not among
    `pools`, for one above its pool's weight, and for one whose weight is not its bytes'.
    """
    by_id = {state.pool.pool_id: state for state in pools}
    explained = []
    for pool_id, tally in sorted(own.items()):
        if tally.weight == 0:
            continue
        state = by_id.get(pool_id)
        if state is None:
            raise SettlementError(f"pool {pool_id} is not open in epoch {epoch}")
        if tally.weight > state.weight or not 0 <= tally.rounded_sessions <= tally.sessions:
            raise SettlementError(
                f"the account's weight in pool {pool_id} is not that of its bytes, or is above all nodes'"
            )
        explained.append(PoolExplanation(state, tally))
    return Explanation(account, epoch, tuple(explained))


def explain_bundle(bundle: Bundle, pools: Sequence[PoolInput], account: Address) -> Explanation:
    """Explain an account's epoch from its bundle and what the chain says of the pools.

    The bundle's weights and spends are taken as they stand: `audit` tells whether they are right. Raises as `explain`.
    """
    inputs = {pool.pool_id: pool for pool in pools}
    own = {}
    for pool_row, node_row, encoded in bundle.by_node():
        if node_row.node == account:
            own[pool_row.pool_id] = tally_of(encoded)
    states = [
        PoolInEpoch(inputs[row.pool_id], row.cumulative_spend - row.spend, row.weight)
        for row in bundle.pool_rows
        if row.pool_id in inputs
    ]
    return explain(account, bundle.epoch, states, own)


def refusals_of(bundle: Bundle, account: Address) -> list[SignedRejection]:
    """Return the bundle's rejections of sessions that it holds for the account, in its order.

    A rejection names its session alone: to whom one belongs of which no record was ever taken, a bundle cannot tell.
    """
    own = {
        SessionRecord.decode(record).session_id
        for _, node_row, encoded in bundle.by_node()
        if node_row.node == account
        for record in encoded
    }
    return [signed for signed in bundle.rejections if signed.session_id in own]


def tally_of(encoded: Sequence[bytes]) -> Tally:
    """Count session records of 274 bytes."""
    return sum((Tally.of(SessionRecord.decode(record)) for record in encoded), Tally())
