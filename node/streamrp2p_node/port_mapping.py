"""A router's port mapping as the node sees it: what it asks for, what it gets, what can go wrong."""

from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from streamrp2p import api
from streamrp2p_node.errors import NodeError
from streamrp2p_node.place import port_of


@dataclass(frozen=True, slots=True)
class PortMapping:
    """A router's promise: what arrives at its external address and port goes to this machine."""

    external_address: str
    external_port: int
    lan_address: str
    why_not_public: str | None = None
    """Why nobody outside reaches the external address: there is another router, or the provider's, before this one."""


class PortMappingError(NodeError):
    """The router maps no port. `code` names why, `fix` says what the operator can do."""

    retryable = True

    def __init__(self, code: str, detail: str, fix: str) -> None:
        super().__init__(f"{detail}; {fix}")
        self.code = code
        self.detail = detail
        self.fix = fix

    def step(self) -> api.CheckStep:
        """Return it as the result of a step."""
        return api.CheckStep(
            step="router", ok=False, code=self.code, detail=self.detail[:1000], fix=self.fix[:1000]
        )


class PortMapper(Protocol):
    """Keeps a port mapped."""

    async def ensure(self) -> PortMapping:
        """Map the port, or renew its mapping; raises PortMappingError. Called again and again, also after a failure."""

    async def remove(self) -> None:
        """Take the mapping back, if there is one. Never raises."""


def mapping_step(mapping: PortMapping) -> api.CheckStep:
    """Return a mapping as the result of a step: a note, where it alone does not make the node reachable."""
    detail = f"the router passes {mapping.external_address} port {mapping.external_port} on to {mapping.lan_address}"
    if mapping.why_not_public is None:
        return api.CheckStep(step="router", ok=True, code="ok", detail=detail)
    return api.CheckStep(
        step="router",
        ok=True,
        code="double-nat",
        detail=f"{detail}, but {mapping.external_address} {mapping.why_not_public}",
        fix=DOUBLE_NAT_FIX,
    )


DOUBLE_NAT_FIX = (
    "there is a second router before yours, or your provider shares one address among customers: set your router to "
    "bridge mode, forward the port on the other router too, or ask your provider for a public IPv4 address; "
    "otherwise use a tunnel: docs/guides/node-operator.md, Be reachable"
)


def endpoint_of(wanted: str | None, mapping: PortMapping | None) -> str | None:
    """Return where viewers reach the node: as it was wanted, at the port that the router gave; None for nowhere."""
    if mapping is None:
        return wanted
    if wanted is None:
        if mapping.why_not_public is not None:
            return None
        return f"http://{mapping.external_address}:{mapping.external_port}"
    if port_of(wanted) == mapping.external_port:
        return wanted
    parts = urlsplit(wanted)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return parts._replace(netloc=f"{host}:{mapping.external_port}").geturl()
