"""One look at a node from outside: endpoint, DNS, TCP, TLS, identity, clock. It ends at the first step that fails."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from streamrp2p import api
from streamrp2p.deadline import DeadlineTransport
from streamrp2p.errors import SignatureError
from streamrp2p.node_client import ApiError, BadAnswerError, NodeClient, UnreachableError
from streamrp2p.numbers import Address
from streamrp2p.reachability import MAX_SKEW_SECONDS
from streamrp2p.signatures import check_signer
from streamrp2p.typed_data import Domain
from streamrp2p_coordinator.network import Clock
from streamrp2p_coordinator.outside.addresses import (
    host_and_port,
    judged_addresses,
    pinned_resolver,
)
from streamrp2p_coordinator.outside.connections import look_at_tcp, look_at_tls
from streamrp2p_coordinator.outside.steps import StepFailedError, noted, passed

HTTP_SECONDS = 5.0
BAD_GATEWAY = (502, 504)
NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Outside:
    """How the coordinator looks at nodes."""

    domain: Domain
    clock: Clock
    allow_local_networks: bool = False

    def look(self, node: Address, endpoint: str) -> list[api.CheckStep]:
        """Return the steps of a look at a valid base URL, where `node` should answer.

        The last one is the only one that may not be ok. Takes about half a minute at the worst.
        """
        steps: list[api.CheckStep] = []
        names = ("endpoint", "dns", "tcp", "tls", "identity", "clock")
        found = self._steps(node, endpoint)
        for name in names:
            try:
                steps.append(next(found))
            except StepFailedError as error:
                steps.append(error.step(name))
                break
        return steps

    def _steps(self, node: Address, endpoint: str) -> Iterator[api.CheckStep]:
        host, port = host_and_port(endpoint)
        yield passed("endpoint", f"{host}, port {port}")
        addresses = judged_addresses(host, port, allow_local_networks=self.allow_local_networks)
        yield passed("dns", f"{host} is {', '.join(addresses)}")
        addresses, connected = look_at_tcp(addresses, port)
        yield connected
        if urlsplit(endpoint).scheme == "https":
            yield look_at_tls(host, addresses[0], port)
        else:
            yield noted(
                "tls",
                "not-encrypted",
                "the endpoint is http://: players on https:// pages may not load from it",
                "put TLS before the node (Caddy gets the certificate by itself) and use https:// in --endpoint",
            )
        identity = _ask(endpoint, addresses, node, self.domain)
        yield passed("identity", f"node 0x{node.hex()} answers")
        yield self._clock_step(identity.signed_at)

    def _clock_step(self, signed_at: int) -> api.CheckStep:
        ahead = signed_at - self.clock()
        if abs(ahead) > MAX_SKEW_SECONDS:
            raise StepFailedError(
                "clock-wrong",
                f"the node's clock is {abs(ahead)} s {'ahead of' if ahead > 0 else 'behind'} the coordinator's",
                "set it, for example with: timedatectl set-ntp true",
            )
        return passed("clock", f"within {MAX_SKEW_SECONDS} s of the coordinator's")


def _ask(
    endpoint: str, addresses: Sequence[str], node: Address, domain: Domain
) -> api.NodeIdentity:
    """Let the node sign a nonce; raises StepFailedError unless it is this node that answers."""
    nonce = secrets.token_bytes(32)
    transport = DeadlineTransport(pinned_resolver(addresses))
    try:
        with NodeClient(endpoint, timeout_seconds=HTTP_SECONDS, transport=transport) as client:
            answer = client.identity(nonce, max_seconds=HTTP_SECONDS)
    except UnreachableError as error:
        raise StepFailedError(
            "http-no-answer",
            f"the port is open, but no HTTP answer came in {HTTP_SECONDS:.0f} s",
            "look whether the node runs and listens behind that port, and whether http:// and https:// are not "
            "mixed up in --endpoint",
        ) from error
    except ApiError as error:
        raise _refused(error) from error
    identity = answer.identity
    if identity.node != node:
        raise StepFailedError(
            "other-node",
            f"another node answers there: 0x{identity.node.hex()}",
            "correct the port in --endpoint, or the router's forwarding: it leads to another node of yours",
        )
    try:
        if identity.nonce != nonce:
            raise SignatureError("it signed another nonce")
        check_signer(identity.message().digest(domain), answer.signature, node, "the node")
    except SignatureError as error:
        raise StepFailedError(
            "identity-not-proven",
            f"what answers there says that it is the node, but does not prove it: {error}",
            "something between keeps old answers: let the proxy cache nothing; and check that the node works for "
            "this coordinator (--coordinator)",
        ) from error
    return identity


def _refused(error: ApiError) -> StepFailedError:
    if isinstance(error, BadAnswerError) and 300 <= error.status < 400:  # noqa: PLR2004 - redirects
        return StepFailedError(
            "http-redirect",
            error.detail,
            "write the URL that it redirects to in --endpoint (often https:// instead of http://)",
        )
    if error.status in BAD_GATEWAY:
        return StepFailedError(
            "http-bad-gateway",
            f"a proxy answers, but does not reach the node (HTTP {error.status})",
            "start the node, and let the proxy pass requests on to the --host and --port that it listens on",
        )
    if error.slug == "not-ready":
        return StepFailedError(
            "node-not-ready",
            f"the node runs, but is not ready: {error.detail}",
            "wait until its log says connected; if it does not, check its --coordinator",
        )
    if error.retryable:
        return StepFailedError(
            "http-unavailable",
            f"what answers there has no time: {error.detail} (HTTP {error.status})",
            "try again in a minute; if it stays so, look at the load of the node and of what is before it",
        )
    return StepFailedError(
        "not-a-node",
        f"no node answers there: {error.detail} (HTTP {error.status})",
        "something else listens on that port (often the router's own page): forward the port to the node, and let "
        "a proxy pass all of / on to it",
    )
