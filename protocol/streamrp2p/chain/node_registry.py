"""`NodeRegistry`: where nodes are reached and paid."""

from dataclasses import dataclass

from streamrp2p.chain.contract import Contract
from streamrp2p.chain.rpc import Block
from streamrp2p.chain.transactions import Call
from streamrp2p.numbers import Address, Signature
from streamrp2p.typed_data import NodeRegistration


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """What the chain says of a node. `nonce` is what its next registration must have; 0: it never registered.

    `pending_payout` holds from `pending_payout_at` (Unix seconds) on; both None while no change is under way.
    """

    payout: Address
    pending_payout: Address | None
    pending_payout_at: int | None
    nonce: int
    endpoint: str


class NodeRegistryContract(Contract):
    """Typed access to one `NodeRegistry`."""

    ARTIFACT = "NodeRegistry"

    def node(self, node: Address, block: Block | None = None) -> NodeRecord:
        """Return what is known of a node; of one that never registered, itself as the payout address."""
        payout, pending, pending_at, nonce, endpoint = self._read("nodeOf", node, block=block)
        return NodeRecord(
            payout,
            pending if pending_at else None,
            pending_at or None,
            nonce,
            endpoint,
        )

    def payout_of(self, node: Address, block: Block | None = None) -> Address:
        """Return where the node's claims are paid now."""
        return Address(self._read("payoutOf", node, block=block))

    def payout_delay_seconds(self) -> int:
        """Return how long an announced payout address waits."""
        return int(self._read("payoutDelaySeconds"))

    def register_call(self, registration: NodeRegistration, signature: Signature) -> Call:
        """Register a node, or change its endpoint or payout address; anyone may send what the node signed."""
        words = (
            registration.node,
            registration.payout,
            registration.endpoint,
            registration.nonce,
            registration.deadline,
        )
        return self._call("register", words, signature)

    def cancel_payout_change_call(self, node: Address) -> Call:
        """Call an announced payout address off; only the node or its current payout address."""
        return self._call("cancelPayoutChange", node)
