"""What the scheduler does: each job is one use case, repeated until nothing is due."""

import math
import time
from collections.abc import Callable
from dataclasses import replace

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from streamrp2p.errors import StreamrP2PError
from streamrp2p_coordinator.leadership import CONFIRM_SECONDS
from streamrp2p_coordinator.services import Services
from streamrp2p_coordinator.troubles import troubles
from streamrp2p_coordinator.use_cases.answer_demands import answer_demands
from streamrp2p_coordinator.use_cases.check_health import check_health
from streamrp2p_coordinator.use_cases.commit_epoch import commit_epoch
from streamrp2p_coordinator.use_cases.finalise_epoch import finalise_epoch
from streamrp2p_coordinator.use_cases.find_suspicions import find_suspicions
from streamrp2p_coordinator.use_cases.follow_transactions import follow_transactions
from streamrp2p_coordinator.use_cases.relay_registrations import relay_registrations
from streamrp2p_coordinator.use_cases.send_transactions import send_transactions
from streamrp2p_coordinator.use_cases.settle_epoch import settle_epoch
from streamrp2p_coordinator.use_cases.sync_headers import sync_headers
from streamrp2p_coordinator.use_cases.sync_pools import sync_pools

log = structlog.get_logger()

PROBE_SECONDS = 1
"""How often it is looked whether a probe is due."""
SUSPICIONS_SECONDS = 60
"""How often the leader looks for suspicions."""
OBSERVE_SECONDS = 10
"""How often what an operator watches is looked at, tick or no tick."""


def make_scheduler(services: Services, tick_seconds: float) -> BackgroundScheduler:
    """Make the scheduler, not yet started. A job that still runs is not started a second time."""
    scheduler = BackgroundScheduler(
        timezone="UTC",
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    scheduler.add_job(run_epochs, "interval", [services], seconds=tick_seconds)
    # Beside the jobs: a round may take longer than a leader may be silent.
    scheduler.add_job(run_confirmation, "interval", [services], seconds=CONFIRM_SECONDS)
    scheduler.add_job(run_health, "interval", [services], seconds=tick_seconds)
    scheduler.add_job(run_probes, "interval", [services], seconds=PROBE_SECONDS)
    scheduler.add_job(run_observation, "interval", [services], seconds=OBSERVE_SECONDS)
    return scheduler


def run_confirmation(services: Services) -> None:
    """Show that the leader lives."""
    services.leadership.confirm()


def run_health(services: Services) -> None:
    """Look which nodes are up."""
    _step("health", services, _check_health)


def run_probes(services: Services) -> None:
    """Send the probes that are due, if this process leads; they go on in threads of their own."""
    if services.leadership.term is not None:
        _step("probe", services, _probe)


def run_observation(services: Services) -> None:
    """Look where database and chain stand, for the metrics."""
    _step("observe", services, _observe)


def run_epochs(services: Services) -> None:
    """Do all that is due on epochs and chain, if this process leads or can."""
    services.busy_since = time.monotonic()
    try:
        _step("lead", services, _run_epochs_as_leader)
    finally:
        services.busy_since = None


def _run_epochs_as_leader(services: Services) -> None:
    term = services.leadership.take()
    if term is None:
        # What failed here is another process's work now, and that tells of it.
        for name, _ in JOBS:
            services.failures.pop(name, None)
        return
    fenced = replace(services, database=services.database.in_term(term))
    for name, job in JOBS:
        if services.leadership.term != term:
            return
        _step(name, fenced, job)


def _step(name: str, services: Services, job: Callable[[Services], None]) -> None:
    """Run a job; an expected failure is logged and met again at the next tick, and holds up no other job."""
    begun, outcome = time.perf_counter(), "failed"
    try:
        with services.traces.span(f"job {name}"):
            job(services)
    except StreamrP2PError as error:
        reason = str(error)
        # A tick is short: the same failure again is no news.
        if services.failures.get(name) != reason:
            level = log.warning if error.retryable else log.error
            level("job_failed", job=name, reason=reason, error=type(error).__name__)
        services.failures[name] = reason
    except Exception:
        # A bug in one job must not silence the others; it is told with its traceback.
        outcome = "crashed"
        services.failures[name] = "crashed: its log has the traceback"
        log.exception("job_crashed", job=name)
    else:
        outcome = "done"
        if services.failures.pop(name, None) is not None:
            log.info("job_recovered", job=name)
    finally:
        services.metrics.ran(name, outcome, time.perf_counter() - begun)


def _sync_pools(services: Services) -> None:
    sync_pools(
        database=services.database,
        chain=services.chain,
        network=services.network,
        clock=services.clock,
    )


def _sync_headers(services: Services) -> None:
    voided = sync_headers(database=services.database, chain=services.chain)
    if voided:
        services.metrics.voided(len(voided))
        _tell(
            services,
            "headers voided",
            f"the chain holds no header of ours for epochs {voided} any more",
        )
        log.warning("headers_voided", epochs=voided, advice="they are settled again")


def _follow(services: Services) -> None:
    for changed in follow_transactions(database=services.database, chain=services.chain):
        told = log.bind(
            purpose=changed.purpose,
            subject=changed.subject,
            state=changed.state,
            hash="0x" + changed.signed.hash.hex(),
        )
        if changed.state == "live":
            told.warning(
                "transaction_unmined", advice="the chain was reorganised; it is sent again"
            )
            continue
        services.metrics.ended(changed.purpose, changed.state)
        told.info("transaction_ended")
        if changed.state == "taken":
            reason = f"nonce {changed.signed.nonce} of the poster was used by a transaction that was not made here"
            _tell(services, "poster's key used elsewhere", reason)
            log.warning(
                "nonce_taken",
                reason=reason,
                advice="what it was for is sent anew; if the other was not yours, the key is known to others",
            )


def _send(services: Services) -> None:
    send_transactions(
        database=services.database,
        chain=services.chain,
        poster=services.poster,
        clock=services.clock,
    )


def _answer(services: Services) -> None:
    made = answer_demands(
        database=services.database,
        chain=services.chain,
        bundles=services.bundles,
        poster=services.poster,
        clock=services.clock,
    )
    if made:
        _tell(services, "data demanded", f"{made} demands for data are being answered")
        log.warning("demands_answered", count=made, advice="their bonds are credited to the poster")


def _settle(services: Services) -> None:
    while (
        header := settle_epoch(
            database=services.database,
            chain=services.chain,
            network=services.network,
            bundles=services.bundles,
            poster=services.poster.address,
            clock=services.clock,
        )
    ) is not None:
        log.info(
            "epoch_settled",
            epoch=header.epoch,
            header_hash="0x" + header.hash().hex(),
            weight=header.weight,
            accounts=header.claim_count,
        )


def _commit(services: Services) -> None:
    purpose = commit_epoch(
        database=services.database,
        chain=services.chain,
        network=services.network,
        poster=services.poster,
        clock=services.clock,
    )
    if purpose is not None:
        log.info("transaction_sent", purpose=purpose)


def _finalise(services: Services) -> None:
    epoch = finalise_epoch(
        database=services.database,
        chain=services.chain,
        network=services.network,
        poster=services.poster,
        clock=services.clock,
    )
    if epoch is not None:
        log.info("transaction_sent", purpose="finalise", epoch=epoch)


def _relay(services: Services) -> None:
    made = relay_registrations(
        database=services.database,
        chain=services.chain,
        poster=services.poster,
        clock=services.clock,
    )
    if made:
        log.info("registrations_relayed", count=made)


def _observe(services: Services) -> None:
    try:
        services.observed = services.observe()
        services.metrics.show(services.observed)
    finally:
        # When chain or database is silent, the jobs that fail for it are told of, beside what was wrong before.
        if services.notifier is not None:
            failures, low_wei = services.failures, services.low_balance_wei
            services.notifier.update(troubles(services.observed, failures, low_wei))


def _find_suspicions(services: Services) -> None:
    now = services.clock()
    # A clock that was set back must not keep the job from its work.
    if 0 <= now - services.ran_at.get("find_suspicions", -math.inf) < SUSPICIONS_SECONDS:
        return
    services.ran_at["find_suspicions"] = now
    new = find_suspicions(
        database=services.database, network=services.network, clock=services.clock
    )
    for suspicion in new:
        log.warning(
            "node_suspected",
            node="0x" + suspicion.node.hex(),
            pool=suspicion.pool_id,
            code=suspicion.code.name,
            refuses=suspicion.refuses,
            **{"evidence_" + name: fact for name, fact in suspicion.evidence.items()},
        )
    if any(suspicion.refuses for suspicion in new):
        _tell(services, "node suspected", "records of a node are refused; see /v1/admin/suspicions")


def _tell(services: Services, name: str, text: str) -> None:
    if services.notifier is not None:
        services.notifier.tell(name, text)


def _probe(services: Services) -> None:
    if services.prober is not None:
        services.prober.tick()


def _check_health(services: Services) -> None:
    check_health(
        database=services.database,
        probe=services.probe,
        clock=services.clock,
        every_seconds=services.health_seconds,
        misses=services.misses,
    )


JOBS: tuple[tuple[str, Callable[[Services], None]], ...] = (
    # What was recorded before a crash is followed up before anything new is made.
    ("follow", _follow),
    ("send", _send),
    # An answer has a deadline, and settling may take long.
    ("answer", _answer),
    ("sync_pools", _sync_pools),
    ("sync_headers", _sync_headers),
    ("settle", _settle),
    ("commit", _commit),
    ("finalise", _finalise),
    ("relay", _relay),
    ("find_suspicions", _find_suspicions),
)
