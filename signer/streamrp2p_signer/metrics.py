"""What a running signer shows to its operator's Prometheus. No label names a viewer, a session or an address."""

from collections import Counter
from collections.abc import Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from streamrp2p.monitoring import Reading, Values
from streamrp2p_signer.budget import Limits
from streamrp2p_signer.ticket_log import Account

_P = "streamrp2p_signer_"


def _gauge(name: str, help_text: str) -> Reading:
    return Reading(GaugeMetricFamily, _P + name, help_text, ("pool",))


READINGS = (
    Reading(
        CounterMetricFamily,
        _P + "answers_total",
        "Requests for tickets: signed (again, too), or the reason of the refusal.",
        ("outcome",),
    ),
    _gauge("epoch_worth", "What this epoch's tickets can be worth, base units."),
    _gauge("epoch_budget", "What they may be worth, base units."),
    _gauge("day_worth", "What the tickets of this day (UTC) can be worth, base units."),
    _gauge("day_budget", "What they may be worth, base units."),
    _gauge("sessions_open", "Tickets that have not expired."),
)


def read(
    counts: Counter[str], account: Account, limits: Mapping[int, Limits]
) -> Mapping[str, Values]:
    """Return the numbers by the names of READINGS."""
    used = {(str(pool_id),): used for pool_id, used in account.used.items()}
    allowed = {(str(pool_id),): limit for pool_id, limit in limits.items()}
    values: dict[str, Values] = {
        "answers_total": {(outcome,): count for outcome, count in counts.copy().items()},
        "epoch_worth": {pool: one.epoch_worth for pool, one in used.items()},
        "epoch_budget": {pool: one.epoch_budget for pool, one in allowed.items()},
        "day_worth": {pool: one.day_worth for pool, one in used.items()},
        "day_budget": {pool: one.day_budget for pool, one in allowed.items()},
        "sessions_open": {pool: one.open_sessions for pool, one in used.items()},
    }
    return {_P + name: value for name, value in values.items()}
