"""Tells a node's operator what is wrong, while the node runs."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from streamrp2p.client import ApiError, UnreachableError
from streamrp2p.errors import AnswerError
from streamrp2p.notifications import Notifier, sender
from streamrp2p_node.payouts import PAYOUT_READY, Payouts
from streamrp2p_node.status import Reporter
from streamrp2p_node.troubles import troubles

LOOK_SECONDS = 10.0
PAYOUT_SECONDS = 60.0
"""How often the coordinator is asked: epochs become final once an hour or so."""

_log = structlog.get_logger("telling")


@contextmanager
def telling(reporter: Reporter, payouts: Payouts, urls_file: Path | None) -> Iterator[None]:
    """Look for troubles and payouts on the event loop while the block runs; without a file tell nobody.

    Raises KeystoreError or NotifyUrlsError for a file that cannot be used.
    """
    if urls_file is None:
        yield
        return
    notifier = Notifier("node", sender(urls_file), time.monotonic)
    tasks = [
        asyncio.create_task(_look(reporter, notifier)),
        asyncio.create_task(look_for_payouts(payouts, notifier)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        notifier.close()


async def _look(reporter: Reporter, notifier: Notifier) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        notifier.update(
            troubles(
                reporter.report(),
                reporter.submitter.backlog_seconds(),
                reporter.view.answer_age_seconds,
            )
        )


async def look_for_payouts(
    payouts: Payouts, notifier: Notifier, seconds: float = PAYOUT_SECONDS
) -> None:
    """Tell of each payout, until cancelled. A coordinator that does not answer is asked again."""
    while True:
        try:
            if (news := await asyncio.to_thread(payouts.news)) is not None:
                notifier.tell(PAYOUT_READY, news)
        except (ApiError, UnreachableError, AnswerError) as error:
            _log.info("payouts_not_asked", reason=str(error))
        await asyncio.sleep(seconds)
