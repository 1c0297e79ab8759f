"""The constants of the deployment that the coordinator serves, and the keys it signs with."""

from collections.abc import Callable
from dataclasses import dataclass, field

from streamrp2p.epoch_clock import EpochClock
from streamrp2p.numbers import Address, Signature
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import Domain, Message

Clock = Callable[[], int]
"""Tells the time in Unix seconds."""


@dataclass(frozen=True, slots=True)
class Network:
    """One deployment of the contracts."""

    domain: Domain
    epochs: EpochClock
    challenge_seconds: int
    reward_pools: Address
    node_registry: Address


@dataclass(frozen=True, slots=True)
class Signer:
    """A key with its address; it never prints the key."""

    private_key: bytes = field(repr=False)
    address: Address

    @classmethod
    def of(cls, private_key: bytes) -> "Signer":
        """Make the signer of a 32-byte private key."""
        return cls(private_key, address_of(private_key))

    def sign(self, message: Message, domain: Domain) -> Signature:
        """Sign an EIP-712 message."""
        return sign(message.digest(domain), self.private_key)


@dataclass(frozen=True, slots=True)
class Policy:
    """The coordinator's own published choices."""

    rate_slack_seconds: int = 10
    ticket_seconds: int = 300
    max_batch_records: int = 1000
    max_rejections_per_node: int = 4096
    """How many rejections of one node an epoch's bundle keeps, so that nobody can swell it."""
    max_tickets_per_network: int = 2000
    """How many open tickets to one pool a viewers' network, IPv4 /24 or IPv6 /48, may have."""
