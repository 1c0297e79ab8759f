"""`RewardPools`: the pools' money, terms and streams, and the nodes' claims."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from streamrp2p.allocation import Terms
from streamrp2p.chain.abi_codec import Value
from streamrp2p.chain.contract import Contract
from streamrp2p.chain.errors import RpcRefusedError
from streamrp2p.chain.rpc import Block
from streamrp2p.chain.transactions import Call, Receipt
from streamrp2p.claim import (
    ClaimProof,
    ClaimRangeProof,
    claim_all_call_data,
    claim_by_signature_call_data,
    claim_call_data,
    claim_many_call_data,
    claim_to_call_data,
    header_words,
    open_claims_call_data,
    opening,
)
from streamrp2p.claims_tree import entry_parts
from streamrp2p.header import EpochHeader
from streamrp2p.numbers import ZERO_ADDRESS, Address, Signature
from streamrp2p.records import PoolRow
from streamrp2p.settlement import PoolInput
from streamrp2p.sum_tree import SumNode


@dataclass(frozen=True, slots=True)
class Stream:
    """A pool's stream record: who signs its playlists, the most that a session may be credited per second, its URL."""

    origin_key: Address
    max_bytes_per_second: int
    uri: str


@dataclass(frozen=True, slots=True)
class PoolRecord:
    """What the chain says of one pool; `remaining` in base units.

    `closed_from_epoch` is None while no closing is announced.
    """

    pool_id: int
    streamer: Address
    token: Address
    remaining: int
    created_epoch: int
    closed_from_epoch: int | None
    is_refunded: bool
    stream: Stream

    def is_open_at(self, epoch: int) -> bool:
        """Tell whether the pool is open in an epoch (for a coming one: as things stand)."""
        return self.created_epoch <= epoch and (
            self.closed_from_epoch is None or epoch < self.closed_from_epoch
        )


@dataclass(frozen=True, slots=True)
class Payment:
    """What a claim paid from one pool, base units."""

    account: Address
    to: Address
    pool_id: int
    amount: int


class RewardPoolsContract(Contract):
    """Typed access to one `RewardPools`. Reads of many pools go in batches and are of one block."""

    ARTIFACT = "RewardPools"

    def pool_count(self, block: Block | None = None) -> int:
        """Return how many pools there are; their ids are 1 to this number."""
        return int(self._read("poolCount", block=block))

    def pool(self, pool_id: int, block: Block | None = None) -> PoolRecord | None:
        """Return one pool, or None where there is none."""
        found = self.pools([pool_id], block=block)
        return found[0] if found else None

    def pools(
        self, pool_ids: Iterable[int] | None = None, *, block: Block | None = None
    ) -> list[PoolRecord]:
        """Return these pools, or all, rising by id; ids without a pool are left out."""
        at = self.latest_block() if block is None else block
        ids = range(1, self.pool_count(at) + 1) if pool_ids is None else sorted(set(pool_ids))
        reads = [(name, pool_id) for pool_id in ids for name in ("poolOf", "streamOf")]
        values = self._read_many(reads, block=at)
        pairs = zip(ids, values[::2], values[1::2], strict=True)
        return [
            _pool_record(pool_id, pool, stream)
            for pool_id, pool, stream in pairs
            if pool[0] != ZERO_ADDRESS
        ]

    def pool_inputs(self, epoch: int, block: Block | None = None) -> list[PoolInput]:
        """Return the settlement's input: every pool open in `epoch`, rising by id, with its terms and deposits then.

        They are settled once the epoch has ended; before, the streamer may still change them.
        """
        at = self.latest_block() if block is None else block
        count = self.pool_count(at)
        is_open = self._read_many(
            [("isOpenAt", pool_id, epoch) for pool_id in range(1, count + 1)], block=at
        )
        ids = [pool_id for pool_id, opened in enumerate(is_open, start=1) if opened]
        reads = [(name, pool_id, epoch) for pool_id in ids for name in ("termsAt", "fundedAt")]
        values = self._read_many(reads, block=at)
        pairs = zip(ids, values[::2], values[1::2], strict=True)
        return [PoolInput(pool_id, Terms(*terms), funded) for pool_id, terms, funded in pairs]

    def terms_at(self, pool_id: int, epoch: int, block: Block | None = None) -> Terms:
        """Return the terms in an epoch; zeros before the pool's first."""
        return Terms(*self._read("termsAt", pool_id, epoch, block=block))

    def funded_at(self, pool_id: int, epoch: int, block: Block | None = None) -> int:
        """Return all that was deposited up to the end of an epoch, base units."""
        return int(self._read("fundedAt", pool_id, epoch, block=block))

    def is_open_at(self, pool_id: int, epoch: int, block: Block | None = None) -> bool:
        """Tell whether the pool is open in an epoch."""
        return bool(self._read("isOpenAt", pool_id, epoch, block=block))

    def has_open_claims(self, epoch: int, block: Block | None = None) -> bool:
        """Tell whether somebody opened an epoch's claims; if not, `opening` does it with the first."""
        return any(self._read("claimsOf", epoch, block=block)[0])

    def claimed(self, account: Address, pool_id: int, block: Block | None = None) -> int:
        """Return what the pool paid the account so far, base units."""
        return int(self._read("claimed", account, pool_id, block=block))

    def claimed_by_pool(
        self, account: Address, pool_ids: Sequence[int], block: Block | None = None
    ) -> dict[int, int]:
        """Return what each pool paid the account so far, base units, in few requests."""
        reads = [("claimed", account, pool_id) for pool_id in pool_ids]
        return dict(zip(pool_ids, self._read_many(reads, block=block), strict=True))

    def create_call(self, token: Address, terms: Terms, stream: Stream) -> Call:
        """Create a pool that pays in `token`; the sender is its streamer for ever. See `created_pool_id`."""
        return self._call("create", token, _terms_words(terms), _stream_words(stream))

    def deposit_call(self, pool_id: int, amount: int) -> Call:
        """Fund a pool with tokens that the sender approved."""
        return self._call("deposit", pool_id, amount)

    def deposit_with_permit_call(
        self, pool_id: int, amount: int, deadline: int, signature: Signature
    ) -> Call:
        """Fund a pool with an ERC-2612 permit of the sender for exactly `amount`."""
        r, s, v = signature[:32], signature[32:64], signature[64]
        return self._call("depositWithPermit", pool_id, amount, deadline, v, r, s)

    def set_terms_call(self, pool_id: int, terms: Terms, from_epoch: int) -> Call:
        """Change the terms from a coming epoch on; only the streamer."""
        return self._call("setTerms", pool_id, _terms_words(terms), from_epoch)

    def set_stream_call(self, pool_id: int, stream: Stream) -> Call:
        """Change the stream record at once; only the streamer."""
        return self._call("setStream", pool_id, _stream_words(stream))

    def close_call(self, pool_id: int) -> Call:
        """Close a pool from the next epoch on, for ever; only the streamer."""
        return self._call("close", pool_id)

    def refund_call(
        self, header: EpochHeader, row: PoolRow, index: int, path: Sequence[SumNode], to: Address
    ) -> Call:
        """Take back what no node earned; only the streamer, with the final header of the pool's last open epoch."""
        words = (
            row.pool_id,
            row.nodes_root,
            row.node_count,
            row.weight,
            row.spend,
            row.cumulative_spend,
        )
        return self._call(
            "refund", header_words(header), words, index, [tuple(node) for node in path], to
        )

    def open_claims_call(self, header: EpochHeader) -> Call:
        """Open an epoch's claims with its final header; anyone, and again it does nothing."""
        return Call(self.address, open_claims_call_data(header))

    def opening(self, header: EpochHeader, claim: Call) -> Call:
        """Open an epoch's claims and make `claim` in one transaction."""
        return Call(self.address, opening(header, claim.data))

    def claim_call(self, proof: ClaimProof, skip: int = 0) -> Call:
        """Pay an account to its payout address; anyone. Of all claims: bit i of `skip` leaves entry i out."""
        return Call(self.address, claim_call_data(proof, skip))

    def claim_many_call(self, proof: ClaimRangeProof, skip: int = 0) -> Call:
        """Pay neighbouring accounts each to its payout address; anyone. Bit i of `skip` leaves leaf i out."""
        return Call(self.address, claim_many_call_data(proof, skip))

    def claim_all_call(self, proof: ClaimProof) -> Call:
        """Pay the sender, who must be the account, all that it earned."""
        return Call(self.address, claim_all_call_data(proof))

    def claim_to_call(self, proof: ClaimProof, to: Address, skip: int = 0) -> Call:
        """Pay the sender, who must be the account, to another address."""
        return Call(self.address, claim_to_call_data(proof, to, skip))

    def claim_by_signature_call(
        self,
        proof: ClaimProof,
        to: Address,
        deadline: int,
        signature: Signature,
        skip: int = 0,
    ) -> Call:
        """Pay an account where its `ClaimRedirect` signature says; anyone."""
        data = claim_by_signature_call_data(proof, to, deadline, signature, skip)
        return Call(self.address, data)

    def created_pool_id(self, receipt: Receipt) -> int:
        """Return the id that a `create_call` got."""
        return int(self._only(receipt, "PoolCreated")["poolId"])

    def deposited(self, receipt: Receipt) -> int:
        """Return what arrived by a deposit, base units."""
        return int(self._only(receipt, "Deposited")["amount"])

    def refunded(self, receipt: Receipt) -> int:
        """Return what a refund gave back, base units."""
        return int(self._only(receipt, "Refunded")["amount"])

    def closed_from_epoch(self, receipt: Receipt) -> int:
        """Return the first epoch in which a `close_call`'s pool is no longer open."""
        return int(self._only(receipt, "PoolClosed")["fromEpoch"])

    def payments(self, receipt: Receipt) -> list[Payment]:
        """Return what a claim paid, by pool; nothing when nothing was due."""
        return [
            Payment(event["account"], event["to"], *entry_parts(word))
            for event in self._events_in(receipt, "Claimed")
            for word in event["paid"]
        ]

    def _only(self, receipt: Receipt, name: str) -> dict[str, Value]:
        found = self._events_in(receipt, name)
        if len(found) != 1:
            raise RpcRefusedError(
                f"transaction 0x{receipt.transaction_hash.hex()} has {len(found)} {name} events, expected one"
            )
        return found[0]


def _pool_record(pool_id: int, pool: Value, stream: Value) -> PoolRecord:
    streamer, token, remaining, created, closed_from, is_refunded = pool
    return PoolRecord(
        pool_id,
        streamer,
        token,
        remaining,
        created,
        closed_from or None,
        is_refunded,
        Stream(*stream),
    )


def _terms_words(terms: Terms) -> tuple[int, int, bytes]:
    return terms.price_per_gb, terms.epoch_budget, terms.ticket_signer


def _stream_words(stream: Stream) -> tuple[bytes, int, str]:
    return stream.origin_key, stream.max_bytes_per_second, stream.uri
