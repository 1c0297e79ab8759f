"""What this machine can tell of a node's reachability by itself. Each check returns one step."""

import secrets
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from streamrp2p import api
from streamrp2p.errors import MalformedError
from streamrp2p.node_client import ApiError, UnreachableError
from streamrp2p.numbers import Address
from streamrp2p.public_address import why_not_public
from streamrp2p.reachability import MAX_SKEW_SECONDS
from streamrp2p_node.place import Place
from streamrp2p_node.running import Running

MIN_FREE_BYTES = 256 * 1024 * 1024
"""Journals and batches must always find room: they are money."""
ASK_SECONDS = 3.0


def ok(step: str, detail: str) -> api.CheckStep:
    """Return a step that went well."""
    return api.CheckStep(step=step, ok=True, code="ok", detail=detail)


def note(step: str, code: str, detail: str, fix: str) -> api.CheckStep:
    """Return a step that went well, but could go better."""
    return api.CheckStep(step=step, ok=True, code=code, detail=detail, fix=fix)


def wrong(step: str, code: str, detail: str, fix: str) -> api.CheckStep:
    """Return a step that failed."""
    return api.CheckStep(step=step, ok=False, code=code, detail=detail, fix=fix)


def check_disk(folder: Path, cache: Path, cache_bytes: int) -> api.CheckStep:
    """Look whether journals and the cache have room."""
    try:
        free = shutil.disk_usage(folder).free
        cached = sum(path.stat().st_size for path in cache.glob("*") if path.is_file())
    except OSError as error:
        return wrong(
            "disk",
            "folder-unusable",
            f"{folder}: {error.strerror}",
            f"make it with: streamrp2p node init --dir {folder}",
        )
    if free < MIN_FREE_BYTES:
        return wrong(
            "disk",
            "disk-full",
            f"{free} bytes are free in {folder}",
            f"free at least {MIN_FREE_BYTES} bytes: a node that cannot write its receipts down earns nothing",
        )
    left = max(cache_bytes - cached, 0)
    if free - MIN_FREE_BYTES < left:
        return note(
            "disk",
            "disk-small",
            f"{free} bytes are free in {folder}, the cache may take {left} more",
            f"free some, or give the node --cache-bytes {cached + free - MIN_FREE_BYTES}",
        )
    return ok("disk", f"{free} bytes are free in {folder}")


def check_clock(local_seconds: float, config: api.Config) -> api.CheckStep:
    """Compare the machine's clock with the coordinator's, which tells whole seconds."""
    ahead = local_seconds - (config.time + 0.5)
    if abs(ahead) > MAX_SKEW_SECONDS:
        return wrong(
            "clock",
            "clock-wrong",
            f"this machine's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the coordinator's",
            "set it, for example with: timedatectl set-ntp true",
        )
    return ok("clock", f"{ahead:+.0f} s against the coordinator")


def is_answered_by(node: Address, running: Running) -> bool:
    """Tell whether this node runs already and answers where it should."""
    nonce = secrets.token_bytes(32)
    try:
        with running.client(ASK_SECONDS) as client:
            answer = client.identity(nonce, max_seconds=ASK_SECONDS)
    except (ApiError, UnreachableError, MalformedError):
        return False
    return answer.identity.node == node and answer.identity.nonce == nonce


def check_port(place: Place, *, is_running: bool, is_taken: bool) -> api.CheckStep:
    """Say who listens on the node's port, and who could connect to it."""
    if is_taken:
        return wrong(
            "port",
            "port-taken",
            f"another program listens on port {place.port}, and it is not this node",
            f"see which one with: ss -ltnp 'sport = :{place.port}'; stop it, or give the node another --port",
        )
    who = (
        "the node listens"
        if is_running
        else "the node does not run now; this check answers in its place"
    )
    detail = f"{who} on {place.host} port {place.port}"
    if place.is_local_alone:
        return note(
            "port",
            "listens-locally",
            f"{detail}, where this machine alone can connect",
            "right behind a proxy or tunnel on this machine; otherwise give the node --host 0.0.0.0",
        )
    return ok(
        "port",
        f"{detail}; this machine's address in its network is {place.lan_address or 'unknown'}",
    )


def check_name(endpoint: str) -> tuple[api.CheckStep, Sequence[str]]:
    """Look the endpoint's name up from here; returns its addresses as well."""
    host = urlsplit(endpoint).hostname or ""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        step = wrong(
            "name",
            "dns-unknown",
            f"{host} has no address, seen from here",
            "correct the name in --endpoint, or make an A record (IPv4) or AAAA record (IPv6) for it",
        )
        return step, []
    addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
    for address in addresses:
        reason = why_not_public(address)
        if reason is not None:
            step = note(
                "name",
                "address-not-public",
                f"{host} is {address}, which {reason}",
                "viewers on the internet cannot use it; right only in a network of your own",
            )
            return step, addresses
    return ok("name", f"{host} is {', '.join(addresses)}"), addresses


def check_seen_from(addresses: Sequence[str], seen_from: str | None) -> api.CheckStep | None:
    """Compare the endpoint's addresses with the one that the coordinator sees; None when there is nothing to tell."""
    if seen_from is None or seen_from in addresses or ":" in seen_from:
        return None
    if why_not_public(seen_from) is not None or not any(":" not in each for each in addresses):
        return None
    return note(
        "address",
        "other-address",
        f"the endpoint leads to {', '.join(addresses)}, this machine goes out as {seen_from}",
        f"right behind a tunnel or a proxy elsewhere; otherwise let the name lead to {seen_from} (a dynamic address "
        "needs a dynamic DNS name)",
    )
