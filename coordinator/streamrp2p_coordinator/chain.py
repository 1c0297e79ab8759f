"""What the coordinator asks of the chain. `sdk_chain.py` answers it through the SDK; unit tests from memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from streamrp2p.chain import Call, CommittedChunk, DemandRecord, PoolRecord
from streamrp2p.fraud.answers import ProvenAnswer
from streamrp2p.header import EpochHeader
from streamrp2p.numbers import Address, Hash, Signature
from streamrp2p.settlement import PoolInput
from streamrp2p.typed_data import NodeRegistration


@dataclass(frozen=True, slots=True)
class Block:
    """A block's number and its time in Unix seconds."""

    number: int
    time: int


@dataclass(frozen=True, slots=True)
class Book:
    """The state of `EpochBook`: epochs below `next_epoch` are committed, those below `finalised_epochs` final."""

    next_epoch: int
    finalised_epochs: int
    poster: Address
    bond_wei: int
    required_bond_wei: int


@dataclass(frozen=True, slots=True)
class Commitment:
    """What the book keeps of an epoch: 28 bytes of the header hash (zeros: none) and, until final, since when."""

    digest: bytes
    committed_at: int | None
    is_final: bool

    def holds(self, header: EpochHeader) -> bool:
        """Tell whether it is of that header."""
        return self.digest == header.hash()[: len(self.digest)]


@dataclass(frozen=True, slots=True)
class Committing:
    """The header that stands for an epoch, the transaction that committed it, and its block's time."""

    header: EpochHeader
    transaction: Hash
    time: int


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction ready to be sent, any number of times: its hash and nonce make it one."""

    hash: Hash
    nonce: int
    raw: bytes


CountAt = Literal["settled", "latest", "pending"]
"""Those in blocks so deep that no reorganisation reaches them; in any block; in blocks or waiting for one."""


class Chain(Protocol):
    """The chain. Every method may raise a retryable StreamrP2PError when the RPC endpoint does not answer."""

    def head(self) -> Block:
        """Return the newest block that counts as confirmed."""

    def newest(self) -> Block:
        """Return the newest block of all."""

    def pools(self, block: Block) -> Sequence[PoolRecord]:
        """Return every pool, rising by id."""

    def pool_inputs(self, epoch: int, block: Block) -> Sequence[PoolInput]:
        """Return terms and deposits of each pool open in the epoch, rising by id."""

    def funded(self, pool_id: int, epoch: int, block: Block) -> int:
        """Return all that a pool was funded up to an epoch, in base units."""

    def book(self) -> Book:
        """Return the book's state in the newest block."""

    def commitment(self, epoch: int) -> Commitment:
        """Return what the newest block keeps of an epoch."""

    def committing(self, epoch: int) -> Committing | None:
        """Search the logs for the commit that stands for an epoch."""

    def voided(self, epoch: int) -> Sequence[EpochHeader]:
        """Search the logs for the headers that were committed for an epoch and do not stand any more, oldest first."""

    def demands(self, since: int) -> Sequence[DemandRecord]:
        """Return the demands for data that were made at `since` (Unix seconds) or later and are open."""

    def registration_nonce(self, node: Address) -> int:
        """Return the nonce that the node's next registration must have."""

    def register_call(self, registration: NodeRegistration, signature: Signature) -> Call:
        """Build the call that relays a registration."""

    def bond_call(self, amount_wei: int) -> Call:
        """Build the call that adds to the poster's bond."""

    def commit_call(self, header: EpochHeader) -> Call:
        """Build the call that commits a header."""

    def finalise_call(self, epoch: int) -> Call:
        """Build the call that makes a header final."""

    def answer_call(self, demanded: CommittedChunk, proven: ProvenAnswer) -> Call:
        """Build the call that answers a demand for data."""

    def accepts_signature(self, account: Address, digest: Hash, signature: bytes) -> bool:
        """Tell whether an account is a contract that takes the signature for its own (ERC-1271)."""

    def balance(self, account: Address) -> int:
        """Return an account's ether in the newest block, in wei."""

    def transaction_count(self, account: Address, at: CountAt) -> int:
        """Return how many transactions of the account there are: see `CountAt`."""

    def sign(
        self,
        call: Call,
        private_key: bytes,
        nonce: int,
        *,
        replaced: SignedTransaction | None = None,
        seconds_left: int | None = None,
    ) -> SignedTransaction:
        """Try, price and sign a call; `replaced` is the one of this nonce that it is to take the place of.

        Raises TransactionRevertedError, with the contract's reason, if the call would fail, and FeeCeilingError if
        it would have to offer more than may be paid. What has a deadline may offer more, and does as the time runs out.
        """

    def send(self, transaction: SignedTransaction) -> None:
        """Hand a transaction to the network; one that it knows already is no error."""

    def outcomes(self, transactions: Sequence[Hash]) -> Sequence[bool | None]:
        """Tell of each whether it succeeded (True) or reverted (False); None while it is in no block."""
