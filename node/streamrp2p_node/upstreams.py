"""Which upstream each stream gets, as the operator chose."""

from collections.abc import Callable
from dataclasses import dataclass

import httpx

from streamrp2p.traces import NO_TRACES, Traces
from streamrp2p.viewer.session import CoordinatorTime
from streamrp2p_node.coordinator_view import CoordinatorView
from streamrp2p_node.feeder import FeederContext
from streamrp2p_node.relay_upstream import RelayUpstream
from streamrp2p_node.upstream import OriginUpstream, Source, Traffic, Upstream
from streamrp2p_node.upstream_tickets import TicketDesk


@dataclass(frozen=True, slots=True)
class Upstreams:
    """Makes upstreams. `desk` is None for a node that is fed by origins alone."""

    client: httpx.AsyncClient
    view: CoordinatorView
    desk: TicketDesk | None
    monotonic: Callable[[], float]
    traces: Traces = NO_TRACES

    def of(self, source: Source, traffic: Traffic) -> Upstream:
        """Return the upstream of a stream, which counts in `traffic`."""
        origin = OriginUpstream(self.client, source, traffic.origin, self.traces)
        if self.desk is None:
            return origin
        context = FeederContext(
            client=self.client,
            source=source,
            node=self.desk.node,
            view=self.view,
            time=CoordinatorTime(self.view.now(), self.monotonic()),
            meter=traffic.relays,
            monotonic=self.monotonic,
            traces=self.traces,
        )
        return RelayUpstream(context, origin, self.desk)
