"""`streamrp2p node status`: ask the running node and show its answer."""

from pathlib import Path

import typer
from pydantic import ValidationError

from streamrp2p.cli_options import print_result
from streamrp2p.node_client import NodeClient
from streamrp2p_node.errors import NotRunningError, SettingsError
from streamrp2p_node.folder import Folder
from streamrp2p_node.presence import Reach, ReachStatus
from streamrp2p_node.running import Running
from streamrp2p_node.status import NodeStatus


def status(directory: Path | None, url: str | None, *, as_json: bool) -> None:
    """Show the report of the node at `url`, or of the one that runs in `directory`."""
    if (directory is None) == (url is None):
        raise SettingsError("name the node with either --dir or --url")
    with NodeClient(url) if url else _client_of(Folder(directory or Path())) as client:
        report = client.status()
    try:
        found = NodeStatus.model_validate(report)
    except ValidationError as error:
        raise SettingsError(
            "what answers there is not a node of this version; check the URL"
        ) from error
    print_result(found.dump(), _lines(found), as_json=as_json)
    for pool in [] if as_json else found.pools:
        typer.echo(
            f"Pool {pool.pool_id}: fed by {pool.upstream or 'nobody now'}"
            f"{f', relay {len(pool.path)} of the row' if pool.path else ''}; {pool.bytes_served} bytes served, "
            f"{pool.sessions} sessions, {pool.unpaid_bytes} bytes unpaid, "
            f"{pool.origin.bytes_received} bytes from the origin, "
            f"{pool.relays.bytes_received} bytes from relays"
        )


def _client_of(folder: Folder) -> NodeClient:
    running = Running.read(folder.running)
    if running is None:
        raise NotRunningError(
            f"no node runs in {folder.root}; start it with: streamrp2p node run --dir {folder.root}"
        )
    return running.client()


def _lines(found: NodeStatus) -> dict[str, object]:
    ack, cache = found.last_ack, found.cache
    acknowledged = (
        "none yet"
        if ack is None
        else f"batch {ack.batch_number} of epoch {ack.epoch}: {ack.accepted} receipts"
    )
    return {
        "Node": "0x" + found.node.hex(),
        "Endpoint": found.endpoint or "none yet",
        **_reachability(found.reachability),
        "Coordinator": f"{found.coordinator} ({'known' if found.is_ready else 'not reached yet'})",
        "Epoch": "none" if found.epoch is None else found.epoch,
        "Sessions": f"{found.sessions}, {found.stopped_sessions} of them stopped",
        "Open": "yes" if found.closed_because is None else f"no: {found.closed_because}",
        "Served": f"{found.bytes_served} bytes",
        "This month": f"{found.month.bytes_served} bytes"
        + ("" if found.month.max_bytes is None else f", at most {found.month.max_bytes}"),
        "Unpaid": f"{found.unpaid_bytes} bytes, at most {found.credit_bytes} per session",
        "Unsubmitted": f"{found.unsubmitted_receipts} receipts",
        "Last ack": acknowledged,
        "Last error": found.last_error or "none",
        "Clock": f"{found.clock_skew_seconds:+.1f} s against the coordinator",
        "Disk cache": f"{cache.disk_bytes} of {cache.max_disk_bytes} bytes, {cache.disk_segments} segments"
        + (" (the disk is full)" if cache.has_full_disk else ""),
    }


def _reachability(found: ReachStatus) -> dict[str, object]:
    wrong = [step for step in found.steps if not step.ok or step.fix]
    lines: dict[str, object] = {"Reachable": _REACH[found.state]}
    for step in wrong:
        lines[f"  {step.step}"] = f"{step.detail}. Fix: {step.fix}" if step.fix else step.detail
    return lines


_REACH = {
    Reach.CHECKING: "not looked at yet",
    Reach.REACHABLE: "yes, the coordinator reaches it",
    Reach.UNCHECKED: "unknown: the coordinator could not look; registered all the same",
    Reach.RELAY_ONLY: "no (relay-only): it is offered to no viewer until the coordinator reaches it",
}
