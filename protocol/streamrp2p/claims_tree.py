"""The claims tree: every account's cumulative rewards, one leaf per account. Source: docs/protocol.md section 6."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from streamrp2p.errors import MalformedError, TooManyPoolsError
from streamrp2p.keccak import keccak
from streamrp2p.numbers import MAX_POOLS_PER_ACCOUNT, Address, Hash, fixed, uint
from streamrp2p.plain_tree import PlainTree

WORD_LENGTH = 32
"""Bytes of an entry."""

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
        return keccak(keccak(self.record()))

    def record(self) -> bytes:
        """Return `account ‖ entries`."""
        return fixed(self.account, 20, "account") + b"".join(self.words())

    @classmethod
    def of_record(cls, record: bytes) -> "ClaimLeaf":
        """Read `account ‖ entries`; raises MalformedError when that is no whole number of entries."""
        account, words = Address(fixed(record[:20], 20, "account")), record[20:]
        if len(words) % WORD_LENGTH:
            raise MalformedError(f"{len(words)} bytes are no whole number of entries")
        starts = range(0, len(words), WORD_LENGTH)
        return cls(account, tuple(int.from_bytes(words[at : at + WORD_LENGTH]) for at in starts))

    def words(self) -> list[bytes]:
        """Return the entries as 32-byte words; raises MalformedError when one is out of range."""
        return [uint(word, 256, "entry").to_bytes(WORD_LENGTH) for word in self.entries]

    def rewards(self) -> dict[int, int]:
        """Return cumulative rewards in base units by pool id."""
        return dict(map(entry_parts, self.entries))


def claims_tree(claims: Sequence[ClaimLeaf]) -> PlainTree:
    """Build the tree over claims in rising order of account."""
    return PlainTree([claim.leaf() for claim in claims])


def add_rewards(
    previous: Iterable[ClaimLeaf], rewards: Mapping[tuple[Address, int], int]
) -> tuple[ClaimLeaf, ...]:
    """Return the parent's claims plus this epoch's rewards, keyed `(account, pool id)`.

    Rewards of 0 leave no trace. Raises TooManyPoolsError when an account would have more than 256 entries: intake must
    have refused (TOO_MANY_POOLS).
    """
    claims = {claim.account: claim for claim in previous}
    earned: defaultdict[Address, dict[int, int]] = defaultdict(dict)
    for (account, pool_id), reward in rewards.items():
        if reward:
            earned[account][pool_id] = reward
    for account, own in earned.items():
        known = claims.get(account)
        claims[account] = _grown(account, known.rewards() if known else {}, own)
    return tuple(claims[account] for account in sorted(claims))


def _grown(account: Address, cumulative: dict[int, int], earned: Mapping[int, int]) -> ClaimLeaf:
    for pool_id, reward in earned.items():
        cumulative[pool_id] = cumulative.get(pool_id, 0) + reward
    if len(cumulative) > MAX_POOLS_PER_ACCOUNT:
        raise TooManyPoolsError(
            f"account 0x{account.hex()} earns from {len(cumulative)} pools, "
            f"at most {MAX_POOLS_PER_ACCOUNT} are allowed"
        )
    return ClaimLeaf(account, tuple(entry_word(*item) for item in sorted(cumulative.items())))
