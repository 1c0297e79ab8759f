"""Alerts: a line in the log at once, and to the webhook at least once, also over a restart."""

from collections.abc import Callable
from typing import Literal

import structlog

from streamrp2p_auditor.errors import WebhookError
from streamrp2p_auditor.state import Case, Due, State
from streamrp2p_auditor.webhook import Webhook

FIRST_WAIT_SECONDS = 2.0
MAX_WAIT_SECONDS = 600.0

Kind = Literal["wrong", "unjudged", "window-ends", "right", "void", "final", "unproven"]
"""`right` and `void` end what an alert began; `final` is a wrong header that nobody stopped; `unproven` one that is
wrong but that this watchman can do nothing more about."""

log = structlog.get_logger("audit")

_LEVELS: dict[Kind, str] = {
    "wrong": "error",
    "unjudged": "warning",
    "window-ends": "error",
    "right": "info",
    "void": "info",
    "final": "critical",
    "unproven": "error",
}


class Bell:
    """Raises alerts. Each kind is raised once in a case."""

    def __init__(
        self, state: State, webhook: Webhook | None, *, monotonic: Callable[[], float]
    ) -> None:
        self._state = state
        self._webhook = webhook
        self._monotonic = monotonic
        self._wait_seconds = FIRST_WAIT_SECONDS
        self._not_before = 0.0
        self._told: str | None = None

    @property
    def is_silent(self) -> bool:
        """Tell whether no alert is due."""
        return self._webhook is None or not self._state.due()

    def due_count(self) -> int:
        """Return how many alerts the webhook has not taken yet."""
        return 0 if self._webhook is None else self._state.due_count()

    def ring(self, case: Case, kind: Kind, text: str) -> Case:
        """Raise an alert, and return the case that remembers it."""
        if kind in case.alerts:
            return case
        difference = {} if case.difference is None else dict(case.difference)
        getattr(log, _LEVELS[kind])(
            "alert",
            kind=kind,
            epoch=case.epoch,
            header="0x" + (case.header_hash or case.digest).hex(),
            text=text,
            **difference,
        )
        if self._webhook is not None:
            # Before the case: a crash between the two raises it again, with the same id.
            self._state.put_due(Due(id=f"{case.key}-{kind}", body=_body(case, kind, text)))
        case = case.model_copy(update={"alerts": (*case.alerts, kind)})
        self._state.put_case(case)
        return case

    def deliver(self) -> None:
        """Hand over what is due, oldest first; after a failure waits longer each time."""
        if self._webhook is None or self._monotonic() < self._not_before:
            return
        for due in self._state.due():
            try:
                self._webhook.post({"id": due.id, **due.body})
            except WebhookError as error:
                self._not_before = self._monotonic() + self._wait_seconds
                self._wait_seconds = min(self._wait_seconds * 2, MAX_WAIT_SECONDS)
                if self._told != str(error):
                    log.warning("alert_not_delivered", reason=str(error), advice="it is kept")
                self._told = str(error)
                return
            self._state.drop_due(due)
            log.info("alert_delivered", id=due.id, webhook=self._webhook.shown)
        self._wait_seconds = FIRST_WAIT_SECONDS
        self._told = None


def _body(case: Case, kind: Kind, text: str) -> dict[str, str | int | dict[str, str] | None]:
    return {
        "kind": kind,
        "text": text,
        "epoch": case.epoch,
        "headerHash": None if case.header_hash is None else "0x" + case.header_hash.hex(),
        "committedAt": case.committed_at,
        "challengeEndsAt": case.challenge_ends_at,
        "verdict": case.verdict,
        "difference": None if case.difference is None else dict(case.difference),
        "reason": case.reason,
    }
