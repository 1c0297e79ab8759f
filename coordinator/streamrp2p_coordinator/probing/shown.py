"""Probes as an operator sees them."""

from datetime import UTC, datetime
from typing import Any

from streamrp2p.cli_options import parse_address
from streamrp2p_coordinator.database import open_existing
from streamrp2p_coordinator.migrate import check_schema
from streamrp2p_coordinator.settings import Settings


def read_probes(settings: Settings, node: str | None, limit: int) -> list[dict[str, Any]]:
    """Return the newest probes, newest first, of one node (an address in hex) or of all."""
    address = None if node is None else parse_address(node, "--node")
    database = open_existing(settings.database_url)
    try:
        check_schema(database)
        with database.read() as store:
            found = store.probes.newest(limit, address)
    finally:
        database.close()
    return [
        {
            "startedAt": datetime.fromtimestamp(probe.started_at, UTC).isoformat(),
            "node": "0x" + probe.node.hex(),
            "poolId": probe.pool_id,
            "sessionId": "0x" + probe.session_id.hex(),
            "outcome": str(probe.outcome),
            "seconds": probe.seconds,
            "bytes": probe.bytes_received,
            "bytesPerSecond": probe.bytes_per_second,
            "evidence": probe.evidence,
        }
        for probe in found
    ]
