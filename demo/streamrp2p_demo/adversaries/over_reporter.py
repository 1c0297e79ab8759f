"""A viewer that watches honestly for some seconds, then signs for its ticket's whole credit at once.

The relay cannot tell it from a greedy relay's friend, so it is the coordinator that must refuse.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from streamrp2p import api
from streamrp2p.client import CoordinatorClient
from streamrp2p.durable import write_atomically
from streamrp2p.http_api import ApiError, UnreachableError
from streamrp2p.keys import new_private_key
from streamrp2p.node_client import NodeClient
from streamrp2p.numbers import Address, SessionId
from streamrp2p.playlist import matches, verify_media_playlist, verify_multivariant_playlist
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import Domain, Receipt, SessionTicket
from streamrp2p_demo.facts import OverReport

POLL_SECONDS = 0.4
PATIENCE_SECONDS = 60.0
"""How long the relay may take to have the stream and a free ticket."""


@dataclass(slots=True)
class Watching:
    """One session at one relay: fetches what is new and signs for it."""

    relay: NodeClient
    ticket: SessionTicket
    key: bytes
    domain: Domain
    origin: Address
    sequence: int = 0
    delivered: int = 0
    media_sequence: int = 0
    seen: set[int] = field(default_factory=set)

    def watch_once(self) -> None:
        """Fetch and check the segments that are new, then sign for all so far."""
        session_id = self.ticket.session_id
        pool_id = self.ticket.pool_id
        multivariant = verify_multivariant_playlist(
            self.relay.multivariant_playlist(pool_id, session_id).data,
            pool_id=pool_id,
            domain=self.domain,
            origin=self.origin,
        )
        rendition = multivariant.variants[0].rendition
        playlist = verify_media_playlist(
            self.relay.media_playlist(pool_id, rendition, session_id).data,
            pool_id=pool_id,
            rendition=rendition,
            domain=self.domain,
            origin=self.origin,
        )
        for segment in playlist.segments:
            if segment.media_sequence in self.seen:
                continue
            data = self.relay.fetch(pool_id, segment.object.name, session_id)
            self.seen.add(segment.media_sequence)
            if matches(segment.object, data):
                self.delivered += len(data)
                self.media_sequence = segment.media_sequence
            self.sign_for(self.delivered)

    def sign_for(self, delivered: int) -> None:
        """Hand the relay the next receipt, for this many bytes, all of them on time."""
        self.sequence += 1
        receipt = Receipt(
            self.ticket.session_id,
            self.sequence,
            delivered,
            delivered,
            self.media_sequence,
            int(time.time()),
        )
        self.relay.send_receipt(
            api.SignedReceipt(
                receipt=api.Receipt(
                    session_id=receipt.session_id,
                    sequence=receipt.sequence,
                    bytes_delivered=receipt.bytes_delivered,
                    bytes_on_time=receipt.bytes_on_time,
                    media_sequence=receipt.media_sequence,
                    signed_at=receipt.signed_at,
                ),
                signature=sign(receipt.digest(self.domain), self.key),
            )
        )


def open_watching(coordinator: CoordinatorClient, pool_id: int, node: Address) -> Watching:
    """Get a ticket to this relay, by excluding all others, and open the session there."""
    config, pool = coordinator.config(), coordinator.pool(pool_id)
    key = new_private_key()
    others = [known.node for known in coordinator.nodes() if known.node != node]
    session = coordinator.open_session(
        api.SessionRequest(pool_id=pool_id, viewer=address_of(key), excluded_nodes=others)
    )
    relay = NodeClient(session.endpoint)
    relay.open_session(api.OpenSession(ticket=session.ticket, signature=session.signature))
    domain = Domain(config.chain_id, Address(config.epoch_book))
    return Watching(relay, session.ticket.message(), key, domain, Address(pool.origin_key))


def open_patiently(coordinator: CoordinatorClient, pool_id: int, node: Address) -> Watching:
    """Do the same, trying again for PATIENCE_SECONDS while the refusal is one that may pass."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return open_watching(coordinator, pool_id, node)
        except (ApiError, UnreachableError) as error:
            if not error.retryable or time.monotonic() > deadline:
                raise
        time.sleep(POLL_SECONDS)


def over_report(
    watching: Watching, honest_seconds: float, wait: Callable[[float], None]
) -> OverReport:
    """Watch honestly for some seconds, then claim the ticket's whole credit."""
    until = time.monotonic() + honest_seconds
    while time.monotonic() < until or watching.delivered == 0:
        watching.watch_once()
        wait(POLL_SECONDS)
    honest_sequence, honest_bytes = watching.sequence, watching.delivered
    watching.sign_for(watching.ticket.max_bytes)
    return OverReport(
        watching.ticket.session_id,
        watching.ticket.node,
        watching.ticket.epoch,
        honest_sequence,
        honest_bytes,
        watching.sequence,
        watching.ticket.max_bytes,
    )


def read_report(path: Path) -> OverReport | None:
    """Return what the process did; None if it did not come so far."""
    if not path.exists():
        return None
    fields = json.loads(path.read_text())
    session_id = SessionId(bytes.fromhex(fields.pop("session_id")))
    node = Address(bytes.fromhex(fields.pop("node")))
    return OverReport(session_id=session_id, node=node, **fields)


def write_report(path: Path, done: OverReport) -> None:
    """Write what was done, for `read_report`."""
    fields = {**asdict(done), "session_id": done.session_id.hex(), "node": done.node.hex()}
    write_atomically(path, json.dumps(fields).encode())


def command(
    coordinator: str, pool_id: int, node: Address, report: Path, *, honest_seconds: float
) -> list[str]:
    """Return the command line of a process that over-reports at the relay with this address."""
    return [
        *(sys.executable, "-m", __name__, "--coordinator", coordinator, "--pool", str(pool_id)),
        *("--node", node.hex(), "--report", str(report)),
        *("--honest-seconds", str(honest_seconds)),
    ]


def main() -> None:
    """Try until the relay takes a session, then over-report once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--coordinator", required=True)
    parser.add_argument("--pool", type=int, required=True)
    parser.add_argument("--node", required=True, help="the relay's address")
    parser.add_argument("--honest-seconds", type=float, required=True)
    parser.add_argument("--report", type=Path, required=True)
    arguments = parser.parse_args()
    node = Address(bytes.fromhex(arguments.node))
    with CoordinatorClient(arguments.coordinator) as coordinator:
        watching = open_patiently(coordinator, arguments.pool, node)
        with watching.relay:
            done = over_report(watching, arguments.honest_seconds, time.sleep)
    write_report(arguments.report, done)


if __name__ == "__main__":
    main()
