"""The settlement rule of one pool in one epoch. Source: docs/protocol.md section 5."""

from collections.abc import Sequence
from dataclasses import dataclass

from streamrp2p.errors import SettlementError
from streamrp2p.numbers import BYTES_PER_GB, Address


@dataclass(frozen=True, slots=True)
class Terms:
    """A pool's terms in one epoch: base units per GB, base units per epoch, and who signs its tickets."""

    price_per_gb: int
    epoch_budget: int
    ticket_signer: Address


@dataclass(frozen=True, slots=True)
class Allocation:
    """What a pool spends and each of its nodes earns, in base units; `rewards` is in the order of the weights."""

    spend: int
    cumulative_spend: int
    rewards: tuple[int, ...]


def spend_of(weight: int, terms: Terms, funded: int, previous_cumulative_spend: int) -> int:
    """Return `min(floor(weight · price / 10^9), epochBudget, max(funded - previous, 0))` in base units.

    Only a wrong parent that became final spent more than was funded; those after it must still be settled.
    """
    return min(
        weight * terms.price_per_gb // BYTES_PER_GB,
        terms.epoch_budget,
        max(funded - previous_cumulative_spend, 0),
    )


def reward_of(spend: int, node_weight: int, weight: int) -> int:
    """Return one node's share, `floor(spend · node weight / weight)`; 0 in a pool of weight 0."""
    return spend * node_weight // weight if weight else 0


def allocate(
    node_weights: Sequence[int],
    terms: Terms,
    funded: int,
    previous_cumulative_spend: int,
) -> Allocation:
    """Apply the rule of section 5 to a pool whose nodes have those weights.

    Guarantees: rewards sum to at most `spend`, and to more than `spend - len(node_weights)` when there is a node;
    `spend` never exceeds the epoch's budget nor what the pool still holds; merging two nodes changes their sum by at
    most one base unit. Raises SettlementError for a node without weight.
    """
    if any(weight <= 0 for weight in node_weights):
        raise SettlementError("a node without weight has no row")
    weight = sum(node_weights)
    spend = spend_of(weight, terms, funded, previous_cumulative_spend)
    rewards = tuple(reward_of(spend, node_weight, weight) for node_weight in node_weights)
    return Allocation(spend, previous_cumulative_spend + spend, rewards)
