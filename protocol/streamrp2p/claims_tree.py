"""The claims tree: every account's cumulative rewards, one leaf per account. Source: docs/protocol.md section 6."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from streamrp2p.errors import SettlementError
from streamrp2p.keccak import keccak
from streamrp2p.numbers import MAX_POOLS_PER_ACCOUNT, Address, Hash, fixed, uint
from streamrp2p.plain_tree import PlainTree

_REWARD_MASK = (1 << 128) - 1


def entry_word(pool_id: int, cumulative_reward: int) -> int:
    """Return the word `poolId << 128 | cumulativeReward`; raises MalformedError out of range."""
    return uint(pool_id, 32, "poolId") << 128 | uint(cumulative_reward, 128, "cumulativeReward")


def entry_parts(word: int) -> tuple[int, int]:
    """Return `(pool id, cumulative reward in base units)` of an entry word."""
    return word >> 128, word & _REWARD_MASK


@dataclass(frozen=True, slots=True)
class ClaimLeaf:
    """All that an account ever earned: entry words in rising order of pool."""

    account: Address
    entries: tuple[int, ...]

    def leaf(self) -> Hash:
        """Return `keccak(keccak(account ‖ entries))`."""
        words = b"".join(word.to_bytes(32) for word in self.entries)
        return keccak(keccak(fixed(self.account, 20, "account") + words))

    def rewards(self) -> dict[int, int]:
        """Return cumulative rewards in base units by pool id."""
        return dict(map(entry_parts, self.entries))


def claims_tree(claims: Sequence[ClaimLeaf]) -> PlainTree:
    """Build the tree over claims in rising order of account."""
    return PlainTree([claim.leaf() for claim in claims])


def add_rewards(
    previous: Iterable[ClaimLeaf], rewards: Mapping[tuple[Address, int], int]
) -> tuple[ClaimLeaf, ...]:
    """Return the parent's claims plus this epoch's rewards, keyed `(account, pool id)`; rewards of 0 leave no trace.

    Raises SettlementError when an account would have more than 256 entries: intake must have refused (TOO_MANY_POOLS).
    """
    cumulative = {claim.account: claim.rewards() for claim in previous}
    for (account, pool_id), reward in rewards.items():
        if reward:
            own = cumulative.setdefault(account, {})
            own[pool_id] = own.get(pool_id, 0) + reward
    for account, own in cumulative.items():
        if len(own) > MAX_POOLS_PER_ACCOUNT:
            raise SettlementError(
                f"account 0x{account.hex()} earns from {len(own)} pools, at most 256 are allowed"
            )
    return tuple(
        ClaimLeaf(account, tuple(entry_word(*item) for item in sorted(own.items())))
        for account, own in sorted(cumulative.items())
    )
