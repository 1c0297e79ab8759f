"""What an operator is shown of a coordinator: counts of the right things, and nothing that names anybody."""

import time

import pytest
from prometheus_client.exposition import generate_latest
from prometheus_client.samples import Sample

from streamrp2p.errors import StreamrP2PError
from streamrp2p_coordinator import health
from streamrp2p_coordinator.jobs import run_epochs, run_observation
from tests.coordinator.world import GENESIS, World

P = "streamrp2p_coordinator_"


class DownError(StreamrP2PError):
    retryable = True


def samples(world: World) -> list[Sample]:
    return [
        sample for family in world.services.metrics.registry.collect() for sample in family.samples
    ]


def value(world: World, metric: str, /, **labels: str) -> float | None:
    found = [one for one in samples(world) if (one.name, one.labels) == (P + metric, labels)]
    assert len(found) <= 1
    return found[0].value if found else None


def test_requests_are_counted_by_template_and_never_by_path(world: World) -> None:
    for path in ("/v1/pools/1", "/v1/pools/7", "/v1/pools/x", "/v1/secret-path", "/v1/pools/1"):
        world.request("GET", path)
    world.request("BREW", "/v1/pools")
    pool = {"method": "GET", "route": "/v1/pools/{poolId}"}
    assert value(world, "requests_total", **pool, status="200") == 2
    assert value(world, "requests_total", **pool, status="404") == 1
    assert value(world, "requests_total", **pool, status="422") == 1
    assert value(world, "request_seconds_count", **pool) == 4
    unknown = {"method": "unknown", "route": "unknown"}
    assert value(world, "requests_total", **unknown, status="404") == 1
    shown = generate_latest(world.services.metrics.registry).decode()
    assert "secret-path" not in shown
    assert "BREW" not in shown


def test_records_are_counted_by_what_became_of_them_and_once(world: World) -> None:
    node = world.node()
    good, early = world.viewer(node.address), world.viewer(node.address, nonce=1)
    batch = node.batch(1, [good.record(1, 10), early.record(1, 10**10)])
    world.submit(batch)
    world.submit(batch)
    assert value(world, "records_total", code="accepted") == 1
    assert value(world, "records_total", code="over_credit") == 1
    names = {sample.labels["code"] for sample in samples(world) if "code" in sample.labels}
    assert names == {"accepted", "over_credit"}


def test_jobs_are_counted_by_their_outcome(world: World) -> None:
    def down() -> None:
        raise DownError("the chain is silent")

    before = time.time()
    run_epochs(world.services)
    assert value(world, "job_runs_total", name="settle", outcome="done") == 1
    done_at = value(world, "job_success_timestamp_seconds", name="settle")
    assert done_at is not None
    assert done_at >= before
    world.chain.head = down  # type: ignore[method-assign, assignment]
    run_epochs(world.services)
    assert value(world, "job_runs_total", name="sync_pools", outcome="failed") == 1
    assert value(world, "job_runs_total", name="sync_pools", outcome="done") == 1
    world.chain.head = lambda: 1 // 0  # type: ignore[method-assign, assignment, return-value]
    run_epochs(world.services)
    assert value(world, "job_runs_total", name="sync_pools", outcome="crashed") == 1


def test_nothing_is_shown_as_zero_before_it_was_observed(world: World) -> None:
    assert value(world, "poster_balance_wei") is None
    run_observation(world.services)
    assert value(world, "poster_balance_wei") == 10**18


def test_stages_of_epochs_and_their_lag_are_shown(world: World) -> None:
    world.node()
    world.travel_to(GENESIS + 320)
    run_observation(world.services)
    stages = ("ended", "settled", "committed", "final")
    assert [value(world, "epochs", stage=stage) for stage in stages] == [3, 0, 0, 0]
    assert value(world, "lag_epochs", stage="committed") == 3
    world.tick()
    run_observation(world.services)
    assert value(world, "epochs", stage="settled") == 3
    assert value(world, "lag_epochs", stage="settled") == 0
    assert value(world, "nodes", health="healthy") == 1
    assert value(world, "block_lag_blocks") == 0
    world.chain.now += 1
    run_observation(world.services)
    assert value(world, "block_lag_blocks") == 1
    assert value(world, "disk_free_bytes", folder="bundles")


def test_transactions_are_shown_while_they_wait_and_counted_when_they_end(world: World) -> None:
    world.travel_to(GENESIS + 220)
    run_epochs(world.services)
    run_observation(world.services)
    assert value(world, "transactions_live", purpose="commit") == 1
    world.chain.mine()
    run_epochs(world.services)
    assert value(world, "transactions_total", purpose="commit", state="mined") == 1


def test_writes_of_the_database_are_measured(world: World) -> None:
    world.database.writing = world.services.metrics.writing
    world.node()
    count = value(world, "database_write_seconds_count")
    assert count is not None
    assert count > 0


def test_no_label_names_anybody(world: World) -> None:
    node = world.node()
    world.submit(node.batch(1, [world.viewer(node.address).record(1, 10)]))
    world.travel_to(GENESIS + 220)
    world.tick()
    run_observation(world.services)
    labels = {name: text for sample in samples(world) for name, text in sample.labels.items()}
    assert labels.keys() <= {
        "method", "route", "status", "code", "name", "outcome", "purpose", "state", "stage",
        "health", "folder", "le",
    }  # fmt: skip
    assert not [text for text in labels.values() if "0x" in text]


def test_a_round_of_jobs_that_hangs_makes_the_process_unhealthy(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.get("/healthz") == {"status": "ok"}
    world.services.busy_since = time.monotonic() - health.STUCK_SECONDS - 1
    assert world.request("GET", "/healthz").status_code == 503
    assert "restart" in (health.health(world.services)["jobs"] or "")
    run_epochs(world.services)
    assert world.request("GET", "/healthz").status_code == 200


def test_readiness_ends_when_the_chain_was_not_read_for_long(world: World) -> None:
    assert world.get("/readyz") == {"status": "ready"}
    world.clock.now += health.BEHIND_SECONDS + 1
    assert world.request("GET", "/readyz").status_code == 503
    assert "301 s ago" in (health.readiness(world.services)["database"] or "")
    world.chain.now = world.clock.now
    world.tick()
    assert world.get("/readyz") == {"status": "ready"}


def test_whether_this_process_leads_is_shown_though_it_observes_nothing(world: World) -> None:
    services = world.services
    services.metrics.leads = lambda: services.leadership.term is not None
    assert (value(world, "leader"), health.leadership(services)) == (0, {"isLeader": False})
    run_epochs(services)
    assert value(world, "leader") == 1
    name = services.leadership.name
    assert health.leadership(services) == {"isLeader": True, "leader": name, "leaderTerm": 1}
    services.leadership.resign()
    assert value(world, "leader") == 0
    assert health.leadership(services)["isLeader"] is False
