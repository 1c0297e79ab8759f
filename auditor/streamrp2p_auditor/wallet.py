"""Sends one transaction at a time: recorded before it is sent, followed until it ends, never sent twice or lost."""

from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from web3 import Web3

from streamrp2p.chain import (
    Call,
    ChainError,
    InsufficientFundsError,
    Receipt,
    SignedTransaction,
    TransactionRevertedError,
    broadcast,
    receipt_of,
    sign_call,
)
from streamrp2p.chain.rpc import quantity, request
from streamrp2p.numbers import Address
from streamrp2p.signatures import address_of
from streamrp2p_auditor.state import End, Purpose, Signed, State, Transaction

PATIENCE_SECONDS = 60
"""After so long in the open a transaction is signed again, with the same nonce and higher fees."""
DEARER_PERCENT = 25
MAX_SIGNED = 6
"""The last offers two and a quarter times the fees of its time. It is sent on and on, until it becomes pointless."""

log = structlog.get_logger("audit")


@dataclass(frozen=True, slots=True)
class Ended:
    """A transaction that is no longer under way; with its receipt when it was mined with success."""

    transaction: Transaction
    receipt: Receipt | None = None


@dataclass(slots=True)
class Wallet:
    """The watchman's key. `clock` gives this machine's Unix seconds."""

    key: bytes = field(repr=False)
    state: State
    clock: Callable[[], float]
    shortage: str | None = None
    """Why the transaction under way is not taken, if that is for lack of ether."""
    _told: str | None = None

    @property
    def address(self) -> Address:
        """Who sends, and whom rewards are credited to."""
        return address_of(self.key)

    @property
    def is_busy(self) -> bool:
        """Tell whether a transaction is under way: another one has to wait."""
        return self.state.transaction() is not None

    def send(
        self, web3: Web3, call: Call, purpose: Purpose, *, case: str | None, shown: str
    ) -> bool:
        """Record a transaction and send it; tells whether it was taken. `follow` says how it ends.

        Raises TransactionRevertedError and InsufficientFundsError before anything is recorded. What fails later is
        tried again by `follow`.
        """
        assert not self.is_busy  # noqa: S101 - its record would be replaced
        assert call.to is not None  # noqa: S101 - a watchman creates no contracts
        signed = sign_call(web3, call, self.key)
        transaction = Transaction(
            purpose=purpose,
            case=case,
            shown=shown,
            to=call.to,
            data=call.data,
            value=call.value,
            nonce=signed.nonce,
            sender=signed.sender,
            signed=(self._form(signed),),
        )
        self.state.put_transaction(transaction)
        log.info("transaction", does=shown, purpose=purpose, hash="0x" + signed.hash.hex())
        return self._broadcast(web3, transaction)

    def follow(self, web3: Web3) -> Ended | None:
        """Look after the transaction under way; returns it once it ended. Then note that, and `forget`."""
        transaction = self.state.transaction()
        if transaction is None:
            return None
        for signed in transaction.signed:
            try:
                receipt = receipt_of(web3, signed.hash)
            except TransactionRevertedError as error:
                return self._ended(transaction, "reverted", signed, reason=str(error))
            if receipt is not None and signed.is_fill:
                return self._ended(transaction, "dropped", signed)
            if receipt is not None:
                return self._ended(transaction, "mined", signed, receipt=receipt)
        if transaction.nonce < self._mined_count(web3, transaction.sender):
            # Another one took the nonce: this can never be mined.
            return self._ended(transaction, "dropped", transaction.signed[-1])
        is_old = self.clock() - transaction.signed[-1].at >= PATIENCE_SECONDS
        is_ours = transaction.sender == self.address
        if is_old and is_ours:
            transaction = self._signed_again(web3, transaction)
        self._broadcast(web3, transaction)
        return None

    def forget(self) -> None:
        """Make way for the next transaction: what became of this one is noted."""
        self.state.drop_transaction()

    def resume(self, web3: Web3, transaction: Transaction) -> None:
        """Send one again that was mined on a branch which the chain left."""
        self.state.put_transaction(transaction.model_copy(update={"end": None}))
        self._broadcast(web3, transaction)

    def _signed_again(self, web3: Web3, transaction: Transaction) -> Transaction:
        """Return the transaction with a dearer offer, once recorded; as it was when there is none to make."""
        newest = transaction.signed[-1]
        is_fill = newest.is_fill
        try:
            try:
                signed = self._dearer(web3, transaction, is_fill=is_fill)
            except TransactionRevertedError as error:
                # What it was for has come about otherwise. What is sent next still needs the nonce to be used.
                log.warning("transaction_pointless", does=transaction.shown, reason=str(error))
                is_fill = True
                signed = self._dearer(web3, transaction, is_fill=is_fill)
        except ChainError as error:
            self._tell_once(error)
            return transaction
        if len(transaction.signed) >= MAX_SIGNED and is_fill == newest.is_fill:
            return transaction
        form = self._form(signed).model_copy(update={"is_fill": is_fill})
        again = transaction.model_copy(update={"signed": (*transaction.signed, form)})
        self.state.put_transaction(again)
        log.info("transaction_repeated", does=again.shown, hash="0x" + signed.hash.hex())
        return again

    def _dearer(self, web3: Web3, transaction: Transaction, *, is_fill: bool) -> SignedTransaction:
        call = Call(self.address, b"") if is_fill else transaction.call
        return sign_call(
            web3,
            call,
            self.key,
            nonce=transaction.nonce,
            fee_percent=100 + DEARER_PERCENT * len(transaction.signed),
            replaced=transaction.newest.raw,
        )

    def _broadcast(self, web3: Web3, transaction: Transaction) -> bool:
        try:
            broadcast(web3, transaction.newest)
        except ChainError as error:
            # It is recorded: the next round tries again.
            self._tell_once(error)
            self.shortage = str(error) if isinstance(error, InsufficientFundsError) else None
            return False
        self._told = self.shortage = None
        return True

    def _ended(
        self,
        transaction: Transaction,
        end: End,
        signed: Signed,
        *,
        receipt: Receipt | None = None,
        reason: str | None = None,
    ) -> Ended:
        facts = {"reason": reason} if reason else {}
        level = log.info if end == "mined" else log.warning
        shown = "0x" + signed.hash.hex()
        level("transaction_ended", end=end, does=transaction.shown, hash=shown, **facts)
        return Ended(transaction.model_copy(update={"end": end, "signed": (signed,)}), receipt)

    def _form(self, signed: SignedTransaction) -> Signed:
        return Signed(hash=signed.hash, raw=signed.raw, at=int(self.clock()))

    def _mined_count(self, web3: Web3, sender: bytes) -> int:
        shown = "0x" + sender.hex()
        return quantity(request(web3, "eth_getTransactionCount", [shown, "latest"]))

    def _tell_once(self, error: ChainError) -> None:
        if self._told != str(error):
            log.warning("transaction_not_sent", reason=str(error), advice="it is tried again")
        self._told = str(error)
