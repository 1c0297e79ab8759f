"""deploy/grafana: one dashboard per actor, each panel a title, a unit and what it asks Prometheus."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path("deploy/grafana/dashboards")
COLUMNS, WIDTH, HEIGHT = 3, 8, 8
"""Of Grafana's grid of 24 columns."""
DATASOURCE = {"type": "prometheus", "uid": "prometheus"}
C, N = "streamrp2p_coordinator_", "streamrp2p_node_"
A, S = "streamrp2p_auditor_", "streamrp2p_signer_"


class Panel(NamedTuple):
    """One graph; `queries` are pairs of a legend and PromQL. `unit` is Grafana's name of one."""

    title: str
    unit: str
    queries: Sequence[tuple[str, str]]


def _rate(metric: str, *by: str) -> str:
    return _sum(f"rate({metric}[$__rate_interval])", by)


def _increase(metric: str, *by: str) -> str:
    return _sum(f"increase({metric}[$__rate_interval])", by)


def _sum(query: str, by: tuple[str, ...]) -> str:
    return f"sum by ({', '.join(by)}) ({query})" if by else f"sum({query})"


def _quantile(share: float, metric: str, *by: str) -> str:
    return f"histogram_quantile({share}, {_rate(metric + '_bucket', 'le', *by)})"


PROCESS = (
    Panel("Processor", "percentunit", [
        ("{{instance}}", 'rate(process_cpu_seconds_total{job="$actor"}[$__rate_interval])'),
    ]),
    Panel("Memory", "bytes", [("{{instance}}", 'process_resident_memory_bytes{job="$actor"}')]),
    Panel("Open files", "short", [("{{instance}}", 'process_open_fds{job="$actor"}')]),
)  # fmt: skip
COORDINATOR = (
    Panel("Epochs behind", "short", [("not {{stage}}", f"max by (stage) ({C}lag_epochs)")]),
    Panel("Records a second", "ops", [("{{code}}", _rate(C + "records_total", "code"))]),
    Panel("Nodes and viewers", "short", [
        ("{{health}} nodes", f"max by (health) ({C}nodes)"), ("sessions", f"max({C}sessions_open)"),
    ]),
    Panel("Requests a second", "reqps", [("{{method}} {{route}}", _rate(C + "requests_total", "method", "route"))]),
    Panel("Tickets asked for a second", "ops", [("{{outcome}}", _rate(C + "ticket_asks_total", "outcome"))]),
    Panel("Answers by status", "reqps", [("{{status}}", _rate(C + "requests_total", "status"))]),
    Panel("Time of an answer", "s", [
        ("p50 {{route}}", _quantile(0.5, C + "request_seconds", "route")),
        ("p99 {{route}}", _quantile(0.99, C + "request_seconds", "route")),
    ]),
    Panel("Job failures", "short", [
        ("{{name}} {{outcome}}", _increase(C + 'job_runs_total{outcome!="done"}', "name", "outcome")),
    ]),
    Panel("Since each job was done", "s", [("{{name}}", f"time() - max by (name) ({C}job_success_timestamp_seconds)")]),
    Panel("Time that jobs take", "percentunit", [("{{name}}", _rate(C + "job_seconds_total", "name"))]),
    Panel("Poster, in ether", "short", [
        ("balance", f"max({C}poster_balance_wei) / 1e18"), ("bond", f"max({C}bond_wei) / 1e18"),
        ("required bond", f"max({C}bond_required_wei) / 1e18"),
    ]),
    Panel("Transactions that wait", "short", [("{{purpose}}", f"max by (purpose) ({C}transactions_live)")]),
    Panel("Transactions that ended", "short", [
        ("{{purpose}} {{state}}", _increase(C + "transactions_total", "purpose", "state")),
        ("headers voided", _increase(C + "headers_voided_total")),
    ]),
    Panel("Behind the chain", "s", [
        ("age of the newest block", f"max({C}block_age_seconds)"), ("blocks not read", f"max({C}block_lag_blocks)"),
    ]),
    Panel("Writes of the database", "s", [
        ("p50", _quantile(0.5, C + "database_write_seconds")), ("p99", _quantile(0.99, C + "database_write_seconds")),
    ]),
    Panel("Room on disk", "bytes", [("{{folder}}", f"min by (folder) ({C}disk_free_bytes)")]),
    Panel("Hidden probes", "short", [("{{outcome}}", _increase(C + "probes_total", "outcome"))]),
    Panel("Bytes that probes got", "bytes", [("", _increase(C + "probe_bytes_total"))]),
    Panel("Suspicions and appeals", "short", [
        ("{{code}}", f"max by (code) ({C}suspicions)"), ("appeals that wait", f"max({C}appeals_waiting)"),
    ]),
)  # fmt: skip
NODE = (
    Panel("Sent to viewers", "Bps", [("pool {{pool}}", _rate(N + "sent_bytes_total", "pool"))]),
    Panel("Fetched", "Bps", [("pool {{pool}}, {{upstream}}", _rate(N + "fetched_bytes_total", "pool", "upstream"))]),
    Panel("Taken off the origin", "percentunit", [
        ("", f"1 - {_rate(N + 'fetched_bytes_total{upstream=`origin`}')} / {_rate(N + 'sent_bytes_total')}"),
    ]),
    Panel("Sessions", "short", [
        ("pool {{pool}}", f"sum by (pool) ({N}sessions_open)"), ("stopped", f"sum({N}sessions_stopped)"),
    ]),
    Panel("Unpaid", "bytes", [("pool {{pool}}", f"sum by (pool) ({N}unpaid_bytes)")]),
    Panel("Refusals a second", "reqps", [("{{reason}}", _rate(N + "refusals_total", "reason"))]),
    Panel("Receipts that wait", "short", [("{{instance}}", f"{N}receipts_due")]),
    Panel("Since all was handed in", "s", [("{{instance}}", f"{N}backlog_seconds")]),
    Panel("Batches", "short", [("{{outcome}}", _increase(N + "batches_total", "outcome"))]),
    Panel("Records judged", "short", [("{{code}}", _increase(N + "records_total", "code"))]),
    Panel("Cache", "bytes", [
        ("{{instance}} {{tier}}", f"{N}cache_bytes"), ("{{instance}} limit", f"{N}cache_limit_bytes"),
    ]),
    Panel("This month", "bytes", [
        ("{{instance}}", f"{N}month_bytes"), ("{{instance}} limit", f"{N}month_limit_bytes"),
    ]),
    Panel("Doors and reachability", "short", [
        ("{{instance}} open", f"{N}doors_open"), ("{{instance}} {{state}}", f"{N}reachability == 1"),
    ]),
    Panel("Since the coordinator answered", "s", [("{{instance}}", f"{N}coordinator_age_seconds")]),
    Panel("Clock ahead by", "s", [("{{instance}}", f"{N}clock_skew_seconds")]),
)  # fmt: skip
AUDITOR = (
    Panel("Highest verified epoch", "short", [("{{instance}}", f"{A}verified_epoch")]),
    Panel("Headers by verdict and fate", "short", [("{{verdict}}, {{fate}}", f"max by (verdict, fate) ({A}headers)")]),
    Panel("Rounds", "short", [("{{outcome}}", _increase(A + "rounds_total", "outcome"))]),
    Panel("Age of the block that was read", "s", [("{{instance}}", f"{A}block_age_seconds")]),
    Panel("Transactions", "short", [
        ("{{purpose}} {{end}}", f"sum by (purpose, end) ({A}transactions_total)"),
        ("waiting", f"sum({A}transaction_live)"),
    ]),
    Panel("Alerts that wait", "short", [("{{instance}}", f"{A}alerts_due")]),
)  # fmt: skip
SIGNER = (
    Panel("Answers a second", "ops", [("{{outcome}}", _rate(S + "answers_total", "outcome"))]),
    Panel("The epoch's budget used", "percentunit", [("pool {{pool}}", f"{S}epoch_worth / {S}epoch_budget")]),
    Panel("The day's budget used", "percentunit", [("pool {{pool}}", f"{S}day_worth / {S}day_budget")]),
    Panel("Open sessions", "short", [("pool {{pool}}", f"{S}sessions_open")]),
)  # fmt: skip
DASHBOARDS = {"coordinator": COORDINATOR, "node": NODE, "auditor": AUDITOR, "signer": SIGNER}


def files() -> dict[Path, bytes]:
    """Write the dashboards as Grafana imports them."""
    return {
        FOLDER / f"{actor}.json": json.dumps(_dashboard(actor, panels), indent=1).encode() + b"\n"
        for actor, panels in DASHBOARDS.items()
    }


def _dashboard(actor: str, panels: Sequence[Panel]) -> dict[str, Any]:
    return {
        "uid": f"streamrp2p-{actor}",
        "title": f"StreamrP2P {actor}",
        "tags": ["streamrp2p"],
        "schemaVersion": 39,
        "timezone": "utc",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [{"name": "actor", "type": "constant", "query": actor, "hide": 2}]},
        "panels": list(_panels([*panels, *PROCESS])),
    }


def _panels(panels: Sequence[Panel]) -> Iterator[dict[str, Any]]:
    for number, panel in enumerate(panels):
        row, column = divmod(number, COLUMNS)
        yield {
            "id": number + 1,
            "type": "timeseries",
            "title": panel.title,
            "datasource": DATASOURCE,
            "gridPos": {"x": column * WIDTH, "y": row * HEIGHT, "w": WIDTH, "h": HEIGHT},
            "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
            "targets": [
                {"refId": chr(ord("A") + at), "expr": query, "legendFormat": legend}
                for at, (legend, query) in enumerate(panel.queries)
            ],
        }
