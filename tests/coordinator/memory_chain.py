"""A chain in memory: the book's rules, without contracts, for tests of single use cases."""

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from streamrp2p.allocation import Terms
from streamrp2p.chain import (
    Call,
    CommittedChunk,
    DemandRecord,
    FeeCeilingError,
    Fees,
    NonceTooLowError,
    PoolRecord,
    Stream,
)
from streamrp2p.chain.fees import fees_at
from streamrp2p.fraud.answers import ProvenAnswer
from streamrp2p.fraud.evidence import Chunk
from streamrp2p.header import EpochHeader
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address, Hash, Signature
from streamrp2p.settlement import PoolInput
from streamrp2p.signatures import address_of
from streamrp2p.typed_data import NodeRegistration
from streamrp2p_coordinator.chain import (
    Block,
    Book,
    Commitment,
    Committing,
    CountAt,
    SignedTransaction,
)

BOOK = Address(b"\x0b" * 20)
BOND_WEI = 10**18
RESPONSE_SECONDS = 10
REORG_BLOCKS = 5
"""Blocks below these are settled."""


STREAMER = Address(b"\x05" * 20)


@dataclass
class MemoryChain:
    """Each transaction that is sent waits in `waiting` until `mine`, unless a dearer one takes its place."""

    now: int
    poster: Address
    records: list[PoolRecord] = field(default_factory=list)
    terms: dict[int, Terms] = field(default_factory=dict)
    deposits: dict[int, int] = field(default_factory=dict)
    headers: list[EpochHeader] = field(default_factory=list)
    committed_at: list[int] = field(default_factory=list)
    finalised: int = 0
    demanded: dict[Hash, DemandRecord] = field(default_factory=dict)
    answered: dict[Hash, ProvenAnswer] = field(default_factory=dict)
    lost: list[EpochHeader] = field(default_factory=list)
    bond: int = BOND_WEI
    contract_signatures: set[tuple[Address, Hash, bytes]] = field(default_factory=set)
    balances: dict[Address, int] = field(default_factory=dict)
    nonces: dict[Address, int] = field(default_factory=dict)
    mined: dict[Hash, bool] = field(default_factory=dict)
    waiting: list[SignedTransaction] = field(default_factory=list)
    calls: dict[Hash, Call] = field(default_factory=dict)
    senders: dict[Hash, Address] = field(default_factory=dict)
    """Those of the poster's key are not in it."""
    sent: list[Hash] = field(default_factory=list)
    planned: dict[bytes, object] = field(default_factory=dict)
    fee: int = 1
    ceiling: int = 1000
    blocks: list[dict[str, Any]] = field(default_factory=list)
    """The state before each block."""

    def add_pool(
        self,
        pool_id: int,
        ticket_signer: Address,
        *,
        created_epoch: int = 0,
        closed_from_epoch: int | None = None,
        max_bytes_per_second: int = 2_000_000,
        funded: int = 10**21,
        price_per_gb: int = 10**18,
        epoch_budget: int = 10**20,
        streamer: Address = STREAMER,
    ) -> None:
        """Create a pool that deposits were made to."""
        stream = Stream(Address(b"\x0c" * 20), max_bytes_per_second, "http://127.0.0.1:8300")
        self.records.append(
            PoolRecord(
                pool_id=pool_id,
                streamer=streamer,
                token=Address(b"\x70" * 20),
                remaining=funded,
                created_epoch=created_epoch,
                closed_from_epoch=closed_from_epoch,
                is_refunded=False,
                stream=stream,
            )
        )
        self.records.sort(key=lambda record: record.pool_id)
        self.terms[pool_id] = Terms(price_per_gb, epoch_budget, ticket_signer)
        self.deposits[pool_id] = funded

    def head(self) -> Block:
        return self.newest()

    def newest(self) -> Block:
        return Block(self.now, self.now)

    def pools(self, block: Block) -> list[PoolRecord]:
        return list(self.records)

    def pool_inputs(self, epoch: int, block: Block) -> list[PoolInput]:
        return [
            PoolInput(record.pool_id, self.terms[record.pool_id], self.deposits[record.pool_id])
            for record in self.records
            if record.is_open_at(epoch)
        ]

    def funded(self, pool_id: int, epoch: int, block: Block) -> int:
        return self.deposits[pool_id]

    def book(self) -> Book:
        return Book(len(self.headers), self.finalised, self.poster, self.bond, BOND_WEI)

    def commitment(self, epoch: int) -> Commitment:
        if epoch >= len(self.headers):
            return Commitment(bytes(28), None, False)
        is_final = epoch < self.finalised
        committed_at = None if is_final else self.committed_at[epoch]
        return Commitment(self.headers[epoch].hash()[:28], committed_at, is_final)

    def committing(self, epoch: int) -> Committing | None:
        if epoch >= len(self.headers):
            return None
        transaction = Hash(keccak(b"commit" + bytes([epoch])))
        return Committing(self.headers[epoch], transaction, self.committed_at[epoch])

    def voided(self, epoch: int) -> list[EpochHeader]:
        return [header for header in self.lost if header.epoch == epoch]

    def demand(self, epoch: int, chunk: Chunk) -> DemandRecord:
        """Demand a chunk of a committed header."""
        header_hash = self.headers[epoch].hash()
        demanded = CommittedChunk(epoch, header_hash, self.committed_at[epoch], chunk)
        demander = Address(b"\xde" * 20)
        record = DemandRecord(
            demanded.demand_id(), demanded, demander, self.now + RESPONSE_SECONDS, "open"
        )
        self.demanded[record.demand_id] = record
        return record

    def demands(self, since: int) -> list[DemandRecord]:
        return [
            demand
            for demand in self.demanded.values()
            if demand.demand_id not in self.answered
            and demand.answer_by - RESPONSE_SECONDS >= since
        ]

    def registration_nonce(self, node: Address) -> int:
        return self.nonces.get(node, 0)

    def register_call(self, registration: NodeRegistration, signature: Signature) -> Call:
        return self._plan(registration)

    def bond_call(self, amount_wei: int) -> Call:
        return self._plan(amount_wei)

    def commit_call(self, header: EpochHeader) -> Call:
        return self._plan(header)

    def finalise_call(self, epoch: int) -> Call:
        return self._plan(("finalise", epoch))

    def answer_call(self, demanded: CommittedChunk, proven: ProvenAnswer) -> Call:
        return self._plan((demanded.demand_id(), proven))

    def accepts_signature(self, account: Address, digest: Hash, signature: bytes) -> bool:
        return (account, digest, signature) in self.contract_signatures

    def balance(self, account: Address) -> int:
        return self.balances.get(account, 10**18)

    def transaction_count(self, account: Address, at: CountAt) -> int:
        if at == "settled":
            deep = self.blocks[-REORG_BLOCKS:]
            return self._count(account, deep[0]["mined"]) if len(self.blocks) >= REORG_BLOCKS else 0
        waiting = {one.nonce for one in self._waiting_of(account)} if at == "pending" else set()
        count = self._count(account, self.mined)
        while count in waiting:
            count += 1
        return count

    def sign(
        self,
        call: Call,
        private_key: bytes,
        nonce: int,
        *,
        replaced: SignedTransaction | None = None,
        seconds_left: int | None = None,
    ) -> SignedTransaction:
        ceiling = (1 if seconds_left is None else 2) * self.ceiling
        hurry = None if replaced is None else seconds_left
        fee = fees_at(0, self.fee, Fees(ceiling, ceiling), hurry).max_priority_fee_wei
        if replaced is not None:
            fee = max(fee, _fee(replaced) + 1)
        if max(fee, self.fee) > ceiling:
            raise FeeCeilingError(max(fee, self.fee), ceiling)
        raw = call.data + private_key + nonce.to_bytes(8) + fee.to_bytes(8)
        transaction = SignedTransaction(Hash(keccak(raw)), nonce, raw)
        self.calls[transaction.hash] = call
        if private_key and (sender := address_of(private_key)) != self.poster:
            self.senders[transaction.hash] = sender
        return transaction

    def send(self, transaction: SignedTransaction) -> None:
        self.sent.append(transaction.hash)
        if transaction.hash in self.mined or transaction in self.waiting:
            return
        sender = self._sender(transaction.hash)
        if transaction.nonce < self._count(sender, self.mined):
            raise NonceTooLowError("nonce too low")
        rivals = [one for one in self._waiting_of(sender) if one.nonce == transaction.nonce]
        if any(_fee(one) >= _fee(transaction) for one in rivals):
            raise NonceTooLowError("replacement transaction underpriced")
        self.waiting = [one for one in self.waiting if one not in rivals] + [transaction]

    def outcomes(self, transactions: Sequence[Hash]) -> list[bool | None]:
        return [self.mined.get(transaction) for transaction in transactions]

    def mine(self) -> None:
        """Put everything that waits into a block."""
        self.blocks.append(
            {
                name: copy(getattr(self, name))
                for name in ("headers", "committed_at", "finalised", "answered", "bond", "nonces")
            }
            | {"mined": copy(self.mined)}
        )
        for transaction in sorted(self.waiting, key=lambda transaction: transaction.nonce):
            if transaction.nonce == self._count(self._sender(transaction.hash), self.mined):
                what = self.planned.get(self.calls[transaction.hash].data)
                self.mined[transaction.hash] = self._apply(what)
        self.waiting.clear()

    def unmine(self, blocks: int = 1) -> None:
        """Take the newest blocks back; the pool knows nothing of what was in them."""
        for _ in range(min(blocks, len(self.blocks))):
            for name, value in self.blocks.pop().items():
                setattr(self, name, value)

    def use_nonce(self) -> None:
        """Mine a transaction of the poster's that somebody else made."""
        self.mine()
        self.mined[Hash(keccak(b"foreign" + bytes([len(self.mined)])))] = True

    def veto(self, epoch: int) -> None:
        """Void the headers from `epoch` on."""
        self.lost += self.headers[epoch:]
        del self.headers[epoch:]
        del self.committed_at[epoch:]

    def _sender(self, transaction: Hash) -> Address:
        return self.senders.get(transaction, self.poster)

    def _count(self, account: Address, mined: Iterable[Hash]) -> int:
        return sum(self._sender(transaction) == account for transaction in mined)

    def _waiting_of(self, account: Address) -> list[SignedTransaction]:
        return [one for one in self.waiting if self._sender(one.hash) == account]

    def _plan(self, what: object) -> Call:
        data = keccak(repr(what).encode())
        self.planned[data] = what
        return Call(BOOK, data)

    def _apply(self, what: object) -> bool:
        match what:
            case EpochHeader():
                parent = self.headers[-1].hash() if self.headers else bytes(32)
                if what.epoch != len(self.headers) or what.parent != parent or self.bond < BOND_WEI:
                    return False
                self.headers.append(what)
                self.committed_at.append(self.now)
            case NodeRegistration():
                if what.nonce != self.nonces.get(what.node, 0):
                    return False
                self.nonces[what.node] = what.nonce + 1
            case int():
                self.bond += what
            case ("finalise", int(epoch)):
                if epoch != self.finalised or epoch >= len(self.headers):
                    return False
                self.finalised += 1
            case (bytes(demand_id), ProvenAnswer() as proven):
                return self._publish(Hash(demand_id), proven)
            case None:
                pass  # It only uses a nonce up.
            case _:
                raise AssertionError(what)
        return True

    def _publish(self, demand_id: Hash, proven: ProvenAnswer) -> bool:
        if demand_id in self.answered or self.now >= self.demanded[demand_id].answer_by:
            return False
        self.answered[demand_id] = proven
        return True


def _fee(transaction: SignedTransaction) -> int:
    return int.from_bytes(transaction.raw[-8:])
