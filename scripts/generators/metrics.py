"""docs/metrics.md: every metric of every actor, from the registries themselves."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from prometheus_client import CollectorRegistry

from streamrp2p.monitoring import registry_of
from streamrp2p_auditor.metrics import READINGS as AUDITOR
from streamrp2p_coordinator.metrics import Metrics
from streamrp2p_node.metrics import READINGS as NODE
from streamrp2p_signer.metrics import READINGS as SIGNER

INTRODUCTION = """\
# Metrics

What each actor shows at `/metrics` of its operator's port ([operation.md](guides/operation.md)), in Prometheus' format.
A counter starts at zero with its process; a histogram has `_bucket`, `_sum` and `_count`. Beside these there are
`process_cpu_seconds_total`, `process_resident_memory_bytes`, `process_open_fds`, `process_max_fds`,
`process_start_time_seconds` and `process_virtual_memory_bytes`. No label names a viewer, a session, a node or an
address: the longest list is that of the pools.

This page is generated from the code.
"""


class Shown(NamedTuple):
    """One metric as its actor describes it; `name` is that of its samples, but for a histogram's suffix."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str


def registries() -> dict[str, CollectorRegistry]:
    """Return a registry of each actor, of a process that does nothing."""
    return {
        "coordinator": Metrics().registry,
        "node": registry_of(NODE, dict),
        "auditor": registry_of(AUDITOR, dict),
        "signer": registry_of(SIGNER, dict),
    }


def shown(registry: CollectorRegistry) -> Iterator[Shown]:
    """List what a registry shows, as it was registered."""
    # The library tells labels to nobody while there are no samples.
    for collector in registry._collector_to_names:  # noqa: SLF001
        describe = getattr(collector, "describe", collector.collect)
        for metric in describe():
            labels = getattr(collector, "_labelnames", getattr(metric, "_labelnames", ()))
            suffix = "_total" if metric.type == "counter" else ""
            yield Shown(metric.name + suffix, metric.type, tuple(labels), metric.documentation)


def files() -> dict[Path, bytes]:
    """Write one table per actor."""
    text = INTRODUCTION
    for actor, registry in registries().items():
        text += (
            f"\n## {actor.capitalize()}\n\n| metric | kind | labels | means |\n|---|---|---|---|\n"
        )
        text += "".join(
            f"| `{one.name}` | {one.kind} | {', '.join(one.labels)} | {one.help} |\n"
            for one in sorted(shown(registry))
            if not one.name.startswith("process_")
        )
    return {Path("docs/metrics.md"): text.encode()}
