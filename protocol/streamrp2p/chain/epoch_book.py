"""`EpochBook`: the epoch grid, the headers and the poster's bond."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from streamrp2p.chain.contract import Contract
from streamrp2p.chain.errors import RpcRefusedError
from streamrp2p.chain.rpc import Block, quantity, request
from streamrp2p.chain.transactions import Call, Log, Receipt
from streamrp2p.claim import header_words
from streamrp2p.epoch_clock import EpochClock
from streamrp2p.header import EpochHeader
from streamrp2p.numbers import Address, Hash
from streamrp2p.typed_data import Domain

HeaderState = Literal["none", "pending", "final"]


@dataclass(frozen=True, slots=True)
class EpochStatus:
    """What the book says of one epoch: `digest` are the first 28 bytes of the header hash, times Unix seconds.

    `committed_at` and `challenge_ends_at` are there while the header is pending.
    """

    epoch: int
    state: HeaderState
    digest: bytes
    committed_at: int | None
    challenge_ends_at: int | None


@dataclass(frozen=True, slots=True)
class CommittedHeader:
    """A header that was committed and not voided since."""

    header: EpochHeader
    header_hash: Hash
    poster: Address
    block: int
    transaction_hash: Hash


@dataclass(frozen=True, slots=True)
class Voiding:
    """What a challenge did: which headers it voided, and what the poster lost, in wei: nothing if that was gone."""

    from_epoch: int
    to_epoch: int
    challenger: Address
    reward_wei: int
    """Credited to the challenger."""
    burned_wei: int
    block: int
    transaction_hash: Hash


@dataclass(frozen=True, slots=True)
class BookState:
    """What changes in the book, at one block; bonds in wei, times Unix seconds."""

    poster: Address
    bond_wei: int
    is_bonded: bool
    next_epoch: int
    finalised_epochs: int
    last_activity_at: int


@dataclass(frozen=True, slots=True)
class BookRules:
    """What is immutable in the book; bonds in wei, times in seconds."""

    genesis: int
    epoch_seconds: int
    intake_grace_seconds: int
    challenge_seconds: int
    poster_timeout_seconds: int
    bond_wei: int
    guardian: Address
    challenges: Address
    data_demands: Address


class EpochBookContract(Contract):
    """Typed access to one `EpochBook`. Give `from_block` (`Deployment.block`), or logs are searched from block 0."""

    ARTIFACT = "EpochBook"

    @cached_property
    def rules(self) -> BookRules:
        """All that is immutable; read once."""
        names = (
            "genesis",
            "epochSeconds",
            "intakeGraceSeconds",
            "challengeSeconds",
            "posterTimeoutSeconds",
            "bondWei",
            "guardian",
            "challenges",
            "dataDemands",
        )
        return BookRules(*self._read_many([(name,) for name in names]))

    def clock(self) -> EpochClock:
        """Return the epoch grid."""
        rules = self.rules
        return EpochClock(rules.genesis, rules.epoch_seconds, rules.intake_grace_seconds)

    def domain(self) -> Domain:
        """Return the EIP-712 domain of every signed message."""
        return Domain(quantity(request(self.web3, "eth_chainId", [])), self.address)

    def state(self, block: Block | None = None) -> BookState:
        """Return all that changes, of one block."""
        names = (
            "poster",
            "bond",
            "isBonded",
            "nextEpoch",
            "finalisedEpochs",
            "lastActivityAt",
        )
        at = self.latest_block() if block is None else block
        return BookState(*self._read_many([(name,) for name in names], block=at))

    def poster(self, block: Block | None = None) -> Address:
        """Return who may commit."""
        return Address(self._read("poster", block=block))

    def current_epoch(self, block: Block | None = None) -> int:
        """Return the epoch of the block's time; 0 before genesis."""
        return int(self._read("currentEpoch", block=block))

    def next_epoch(self, block: Block | None = None) -> int:
        """Return the epoch whose header is committed next."""
        return int(self._read("nextEpoch", block=block))

    def finalised_epochs(self, block: Block | None = None) -> int:
        """Return how many epochs are final: all below this number."""
        return int(self._read("finalisedEpochs", block=block))

    def credit_of(self, account: Address, block: Block | None = None) -> int:
        """Return the wei that the account can withdraw."""
        return int(self._read("creditOf", account, block=block))

    def status(self, epoch: int, block: Block | None = None) -> EpochStatus:
        """Return what the book says of an epoch."""
        return self.statuses([epoch], block)[0]

    def statuses(self, epochs: Sequence[int], block: Block | None = None) -> list[EpochStatus]:
        """Return what the book says of many epochs, in as few exchanges as possible."""
        found = self._read_many([("commitment", epoch) for epoch in epochs], block=block)
        return [self._status(epoch, *value) for epoch, value in zip(epochs, found, strict=True)]

    def is_final(self, epoch: int, header_hash: Hash, block: Block | None = None) -> bool:
        """Tell whether that is the final header of the epoch."""
        return bool(self._read("isFinal", epoch, header_hash, block=block))

    def committed(
        self, from_epoch: int = 0, *, from_block: int | None = None, to_block: int | None = None
    ) -> list[CommittedHeader]:
        """Return the headers that stand, pending and final, in order of their epochs; voided ones are left out.

        Searches the blocks from the deployment on. With a later `from_block`, what was committed before is missing.
        """
        standing: dict[int, CommittedHeader] = {}
        events = ("HeaderCommitted", "HeadersVoided", "HeadersVetoed")
        for log in self._logs(events, from_block=from_block, to_block=to_block):
            self._apply(log, standing)
        return [standing[epoch] for epoch in sorted(standing) if epoch >= from_epoch]

    def committed_header(self, epoch: int) -> CommittedHeader | None:
        """Return the header that stands for one epoch, or None."""
        kept = self.status(epoch)
        standing = [one for one in self.commits(epoch) if one.header_hash[:28] == kept.digest]
        return standing[-1] if standing else None

    def commits(self, epoch: int) -> list[CommittedHeader]:
        """Return every header that was ever committed for one epoch, oldest first: also those that were voided."""
        logs = self._logs(("HeaderCommitted",), first_topics=[epoch.to_bytes(32)])
        return [self._committed(log) for log in logs]

    def voidings(
        self, *, from_block: int | None = None, to_block: int | None = None
    ) -> list[Voiding]:
        """Return every successful challenge, oldest first."""
        events = ("HeadersVoided", "BondSlashed")
        return self._voidings(self._logs(events, from_block=from_block, to_block=to_block))

    def voiding(self, receipt: Receipt) -> Voiding | None:
        """Return what a transaction voided; None when it voided nothing."""
        return next(iter(self._voidings(receipt.logs)), None)

    def commit_call(self, header: EpochHeader) -> Call:
        """Commit the next epoch's header; only the bonded poster."""
        return self._call("commit", header_words(header))

    def finalise_call(self, epoch: int) -> Call:
        """Make the oldest pending header final; anyone, after its challenge window."""
        return self._call("finalise", epoch)

    def veto_call(self, epoch: int) -> Call:
        """Void a pending header and all that follow; only the guardian."""
        return self._call("veto", epoch)

    def post_bond_call(self, value_wei: int) -> Call:
        """Add to the bond; only the poster."""
        return self._call("postBond", value=value_wei)

    def withdraw_bond_call(self) -> Call:
        """Turn the bond into credit; only the poster, while no header is pending."""
        return self._call("withdrawBond")

    def take_over_call(self, value_wei: int) -> Call:
        """Become the poster; anyone, once it was idle for too long."""
        return self._call("takeOver", value=value_wei)

    def withdraw_credit_call(self, to: Address) -> Call:
        """Pay the sender's credit out."""
        return self._call("withdrawCredit", to)

    def _status(self, epoch: int, digest: bytes, committed_at: int, is_final: bool) -> EpochStatus:
        if is_final:
            return EpochStatus(epoch, "final", digest, None, None)
        if not committed_at:
            return EpochStatus(epoch, "none", digest, None, None)
        ends_at = committed_at + self.rules.challenge_seconds
        return EpochStatus(epoch, "pending", digest, committed_at, ends_at)

    def _apply(self, log: Log, standing: dict[int, CommittedHeader]) -> None:
        event = self._event(log)
        if event is None:
            return
        name, fields = event
        if name == "HeaderCommitted":
            standing[fields["epoch"]] = self._committed(log)
            return
        for epoch in [one for one in standing if fields["fromEpoch"] <= one <= fields["toEpoch"]]:
            del standing[epoch]

    def _voidings(self, logs: Iterable[Log]) -> list[Voiding]:
        """Put the events of each challenge together; other logs are passed over."""
        found: list[Voiding] = []
        for log in logs:
            name, fields = self._event(log) or ("", {})
            if name == "HeadersVoided":
                epochs = fields["fromEpoch"], fields["toEpoch"]
                where = log.block, log.transaction_hash
                found.append(Voiding(*epochs, fields["challenger"], 0, 0, *where))
            elif name == "BondSlashed" and found:
                # It follows its voiding at once; there is none when the bond was gone already.
                found[-1] = replace(
                    found[-1], reward_wei=fields["reward"], burned_wei=fields["burned"]
                )
        return found

    def _committed(self, log: Log) -> CommittedHeader:
        event = self._event(log)
        if event is None or event[0] != "HeaderCommitted":
            raise RpcRefusedError("the RPC sent logs that were not asked for; name another RPC")
        fields = event[1]
        header = EpochHeader(*fields["header"])
        header_hash = header.hash()
        if header_hash != fields["headerHash"]:
            raise RpcRefusedError(
                f"the RPC sent a header of epoch {header.epoch} that its own hash contradicts; name another RPC"
            )
        return CommittedHeader(
            header, header_hash, fields["poster"], log.block, log.transaction_hash
        )
