"""Tells a node's operator what is wrong, while the node runs."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streamrp2p.notifications import Notifier, sender
from streamrp2p_node.status import Reporter
from streamrp2p_node.troubles import troubles

LOOK_SECONDS = 10.0


@contextmanager
def telling(reporter: Reporter, urls_file: Path | None) -> Iterator[None]:
    """Look for troubles on the event loop while the block runs; without a file tell nobody.

    Raises KeystoreError or NotifyUrlsError for a file that cannot be used.
    """
    if urls_file is None:
        yield
        return
    notifier = Notifier("node", sender(urls_file), time.monotonic)
    looking = asyncio.create_task(_look(reporter, notifier))
    try:
        yield
    finally:
        looking.cancel()
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
