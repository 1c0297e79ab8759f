"""Answers who asks for a ticket: check, log, and only then sign."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from streamrp2p import api
from streamrp2p.epoch_clock import EpochClock
from streamrp2p.errors import SignatureError
from streamrp2p.numbers import Address, Signature
from streamrp2p.signatures import address_of, recover, sign
from streamrp2p.ticket_signing import TicketRequest
from streamrp2p.typed_data import Domain, SessionTicket
from streamrp2p_signer.budget import Limits, admit, check_age
from streamrp2p_signer.folder import Settings
from streamrp2p_signer.refusals import Reason, RefusedError
from streamrp2p_signer.ticket_log import TicketLog


@dataclass(frozen=True, slots=True)
class Desk:
    """Signs for known askers, within each pool's limits. Safe to use in several threads."""

    key: bytes = field(repr=False)
    domain: Domain
    epochs: EpochClock
    askers: frozenset[Address]
    limits: Mapping[int, Limits]
    log: TicketLog
    clock: Callable[[], int]
    """Tells the time in Unix seconds."""

    @classmethod
    def of(cls, key: bytes, settings: Settings, log: TicketLog, clock: Callable[[], int]) -> "Desk":
        """Make the desk that the settings describe."""
        return cls(
            key,
            settings.domain(),
            settings.epochs(),
            frozenset(map(Address, settings.askers)),
            {pool_id: pool.limits() for pool_id, pool in settings.pools.items()},
            log,
            clock,
        )

    def facts(self) -> api.SignerFacts:
        """Return whose key signs here, and for whom."""
        return api.SignerFacts(
            ticket_signer=address_of(self.key),
            chain_id=self.domain.chain_id,
            epoch_book=self.domain.epoch_book,
            pools=sorted(self.limits),
            askers=sorted(self.askers),
        )

    def sign(self, ask: api.TicketAsk) -> api.SignedTicket:
        """Return the ticket's signature, the same whenever it is asked for; raises RefusedError.

        The ticket is on the disk before its signature is made: a crash in between costs its budget once, and the
        signature is there for whoever asks again.
        """
        ticket = ask.ticket.message()
        asker = self._asker(ask, ticket)
        limits = self.limits.get(ticket.pool_id)
        if limits is None:
            raise RefusedError(
                Reason.POOL_NOT_SERVED,
                f"this signer has no budget for pool {ticket.pool_id}; let the streamer add [pools.{ticket.pool_id}] "
                "to its signer.toml and start it again",
            )
        with self.log.writing() as entries:
            # A clock that was set back must not open budgets again that are used up.
            now = max(self.clock(), entries.newest_at())
            check_age(ask.asked_at, now)
            if not entries.has(ticket.session_id):
                used = entries.used(ticket.pool_id, ticket.epoch, now)
                after = admit(ticket, limits, used, self.epochs, now)
                entries.add(ticket, limits.price_per_gb, after, asker, now)
        return api.SignedTicket(session_id=ticket.session_id, signature=self._signed(ticket))

    def _asker(self, ask: api.TicketAsk, ticket: SessionTicket) -> Address:
        if (ask.chain_id, ask.epoch_book) != (self.domain.chain_id, self.domain.epoch_book):
            raise RefusedError(
                Reason.OTHER_CHAIN,
                f"this signer signs for chain {self.domain.chain_id} and its EpochBook "
                f"0x{self.domain.epoch_book.hex()} alone; use the deployment file of that chain",
            )
        request = TicketRequest(ticket.session_id, ask.asked_at)
        try:
            asker = recover(request.digest(self.domain), Signature(ask.signature))
        except SignatureError as error:
            raise RefusedError(
                Reason.UNKNOWN_ASKER, f"nobody signed the request: {error}"
            ) from error
        if asker not in self.askers:
            raise RefusedError(
                Reason.UNKNOWN_ASKER,
                f"0x{asker.hex()} may not ask here; let the streamer add the poster to askers in its signer.toml and "
                "start it again",
            )
        return asker

    def _signed(self, ticket: SessionTicket) -> Signature:
        return sign(ticket.digest(self.domain), self.key)
