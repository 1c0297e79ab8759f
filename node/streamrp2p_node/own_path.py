"""The path that this node signs: which relays its streams come through."""

from dataclasses import dataclass, field

from streamrp2p import api
from streamrp2p.numbers import Address
from streamrp2p.relay_path import sign_path
from streamrp2p_node.coordinator_view import CoordinatorView
from streamrp2p_node.errors import Reason, RefusedError
from streamrp2p_node.streams import Streams


@dataclass(frozen=True, slots=True)
class OwnPath:
    """Answers who stands between the origin and the viewers of this node. Anybody may ask: the answer is public."""

    node: Address
    view: CoordinatorView
    streams: Streams
    _key: bytes = field(repr=False)
    _signed: dict[int, tuple[tuple[Address, ...], api.RelayPath]] = field(default_factory=dict)

    def of(self, pool_id: int) -> api.RelayPath:
        """Return the signed path of a pool's stream; of one that is not relayed now, this node alone.

        Raises RefusedError for a pool that there is not, or before the coordinator's first answer.
        """
        if not self.view.is_known or pool_id not in self.view.pools:
            raise RefusedError(Reason.POOL_UNKNOWN, f"the coordinator knows no pool {pool_id}")
        stream = self.streams.find(pool_id)
        upstream = () if stream is None else stream.upstream.path
        known = self._signed.get(pool_id)
        # One signature a second serves all who ask.
        if known is None or known[0] != upstream or known[1].signed_at != self.view.now():
            known = self._signed[pool_id] = upstream, self._sign(pool_id, upstream)
        return known[1]

    def _sign(self, pool_id: int, upstream: tuple[Address, ...]) -> api.RelayPath:
        message, signature = sign_path(
            upstream,
            self.node,
            pool_id=pool_id,
            signed_at=self.view.now(),
            domain=self.view.domain,
            node_key=self._key,
        )
        return api.RelayPath(path=[*message.path], signed_at=message.signed_at, signature=signature)
