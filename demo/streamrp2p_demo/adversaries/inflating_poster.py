"""A coordinator that posts one wrong header: in one epoch it pays a relay for a byte that no viewer signed for.

It is the real coordinator with another settlement. Everything above the changed receipt is computed by the rules, and
the bundle is published: only the viewer's signature shows the lie. Once it has lied it settles honestly.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from streamrp2p import cli, settlement
from streamrp2p.durable import write_atomically
from streamrp2p.numbers import Address, Hash, SessionId
from streamrp2p.records import SignedRejection
from streamrp2p.settlement import Parent, PoolInput, Settlement
from streamrp2p.typed_data import Domain
from streamrp2p.verify import Checked
from streamrp2p_demo.facts import Inflation

EXTRA_BYTES = 1


@dataclass(frozen=True, slots=True)
class InflatingPoster:
    """Settles as `honest` does, except once; `report` remembers that, also through a restart."""

    report: Path
    honest: Callable[..., Settlement] = settlement.settle

    def settle(
        self,
        domain: Domain,
        epoch: int,
        parent: Parent,
        pools: Sequence[PoolInput],
        sessions: Iterable[Checked],
        rejections: Iterable[SignedRejection] = (),
    ) -> Settlement:
        """Settle, and lie in the first epoch that has a session after one that was paid."""
        honest = list(sessions)
        lied = honest if self.report.exists() or not parent.claims else inflated(honest)
        settled = self.honest(domain, epoch, parent, pools, lied, rejections)
        for before, after in zip(honest, lied, strict=True):
            if before != after:
                write_report(self.report, _inflation(before, after, settled))
        return settled


def inflated(sessions: Sequence[Checked]) -> list[Checked]:
    """Return the sessions, the first that its credit allows with a byte more, delivered and on time."""
    changed = list(sessions)
    for index, session in enumerate(changed):
        record = session.record
        delivered = record.receipt.bytes_delivered + EXTRA_BYTES
        if delivered <= record.ticket.max_bytes:
            on_time = record.receipt.bytes_on_time + EXTRA_BYTES
            receipt = replace(record.receipt, bytes_delivered=delivered, bytes_on_time=on_time)
            changed[index] = Checked(replace(record, receipt=receipt))
            break
    return changed


def read_report(path: Path) -> Inflation | None:
    """Return what was settled wrongly; None if nothing was yet."""
    if not path.exists():
        return None
    fields = json.loads(path.read_text())
    return Inflation(
        fields["epoch"],
        Address(bytes.fromhex(fields["node"])),
        SessionId(bytes.fromhex(fields["session_id"])),
        fields["signed_bytes"],
        fields["settled_bytes"],
        Hash(bytes.fromhex(fields["header_hash"])),
    )


def write_report(path: Path, done: Inflation) -> None:
    """Write what was settled wrongly, for `read_report`."""
    fields = {
        name: value.hex() if isinstance(value, bytes) else value
        for name, value in asdict(done).items()
    }
    write_atomically(path, json.dumps(fields).encode())


def command(config: Path, report: Path) -> list[str]:
    """Return the command line of the coordinator that lies once."""
    return [
        *(sys.executable, "-m", __name__, "--config", str(config)),
        *("--report", str(report)),
    ]


def main() -> None:
    """Run `streamrp2p coordinator run` with the other settlement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--report", type=Path, required=True)
    arguments = parser.parse_args()
    # The command imports the coordinator only when it runs, and so with this settlement.
    vars(settlement)["settle"] = InflatingPoster(arguments.report).settle
    sys.argv = ["streamrp2p", "coordinator", "run", "--config", str(arguments.config)]
    cli.main()


def _inflation(before: Checked, after: Checked, settled: Settlement) -> Inflation:
    ticket = before.record.ticket
    return Inflation(
        ticket.epoch,
        ticket.node,
        before.session_id,
        before.record.receipt.bytes_delivered,
        after.record.receipt.bytes_delivered,
        settled.header.hash(),
    )


if __name__ == "__main__":
    main()
