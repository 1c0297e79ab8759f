"""Asking the coordinator how a node looks from outside, and making its advice fit this machine."""

from streamrp2p import api
from streamrp2p.client import CoordinatorClient
from streamrp2p.foreign_text import printable
from streamrp2p.numbers import Address
from streamrp2p.reachability import NodeCheck
from streamrp2p.signatures import sign
from streamrp2p.typed_data import Domain
from streamrp2p_node.place import Place


def check_from_outside(
    client: CoordinatorClient, *, key: bytes, node: Address, endpoint: str, domain: Domain, now: int
) -> api.Reachability:
    """Let the coordinator look at an endpoint. Raises ApiError, 404 where it has no such look, or UnreachableError."""
    message = NodeCheck(node, endpoint, now)
    check = api.NodeCheck(node=node, endpoint=endpoint, requested_at=now)
    answer = client.check_node(
        api.SignedNodeCheck(check=check, signature=sign(message.digest(domain), key))
    )
    steps = [_printable(step) for step in answer.steps]
    return answer.model_copy(update={"steps": steps})


def with_own_advice(step: api.CheckStep, place: Place) -> api.CheckStep:
    """Return a step whose `fix` names this machine's address and port, where the coordinator cannot know them."""
    fix = _ADVICE.get(step.code)
    return step if fix is None or step.ok else step.model_copy(update={"fix": fix(place)})


def _forward(place: Place) -> str:
    to = f"{place.lan_address or 'this machine'} port {place.port}"
    forward = f"forward TCP port {place.public_port} of your router to {to}, or use --upnp"
    if place.is_local_alone:
        return f"the node listens on {place.host} alone: give it --host 0.0.0.0; then {forward}"
    return f"{forward}; and let this machine's firewall pass it (for example: ufw allow {place.port}/tcp)"


def _own_address(place: Place) -> str:
    seen = f"; the coordinator sees this machine at {place.seen_from}" if place.seen_from else ""
    return (
        f"--endpoint must be reachable from the internet, and this is an address of an inner network{seen}. If your "
        "provider gives you no public address, use a tunnel: docs/guides/node-operator.md, Be reachable"
    )


_ADVICE = {
    "tcp-timeout": _forward,
    "tcp-refused": _forward,
    "tcp-failed": _forward,
    "address-not-public": _own_address,
}


def _printable(step: api.CheckStep) -> api.CheckStep:
    return step.model_copy(
        update={
            "step": printable(step.step),
            "code": printable(step.code),
            "detail": printable(step.detail),
            "fix": None if step.fix is None else printable(step.fix),
        }
    )
