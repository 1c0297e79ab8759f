"""Tells an operator what is wrong, wherever apprise reaches them: Discord, Telegram, mail, any webhook.

Whoever watches says at each look what is wrong now; what is new is told once, and once more when it is over. Telling
happens in a thread of its own, so that no receiver, however slow or dead, holds up or ends what is watched.
"""

import queue
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Thread

import structlog

from streamrp2p.errors import StreamrP2PError
from streamrp2p.keys import load_private_text

PATIENCE_SECONDS = 30.0
"""What passes by itself in less is nobody's business."""
MAX_WAITING = 100
"""Messages that wait for a slow receiver; beyond them the newest are dropped, and logged."""
STOP_SECONDS = 5.0

log = structlog.get_logger("notifications")

Troubles = Mapping[str, str]
"""What is wrong now: by a name that does not change, in words for a person."""
Send = Callable[[str, str], bool]
"""Hands over a title and a text; tells whether all receivers took it."""


class NotifyUrlsError(StreamrP2PError):
    """The file of notify URLs cannot be used; the message says why and shows none of them."""

    is_usage = True


class Notifier:
    """Tells of troubles. Its methods return at once and never raise."""

    def __init__(self, actor: str, send: Send, monotonic: Callable[[], float]) -> None:
        self._actor = actor
        self._send = send
        self._monotonic = monotonic
        self._since: dict[str, float] = {}
        self._told: dict[str, str] = {}
        self._waiting: queue.Queue[tuple[str, str] | None] = queue.Queue(MAX_WAITING)
        self._thread = Thread(target=self._run, name="notifications", daemon=True)
        self._thread.start()

    def update(self, troubles: Troubles) -> None:
        """Tell what has been wrong for PATIENCE_SECONDS and was not told yet, and what is over."""
        now = self._monotonic()
        self._since = {name: self._since.get(name, now) for name in troubles}
        for name, text in troubles.items():
            if name not in self._told and now - self._since[name] >= PATIENCE_SECONDS:
                self._told[name] = text
                self.tell(name, text)
        for name in self._told.keys() - troubles.keys():
            self.tell(f"{name} is over", self._told.pop(name))

    def tell(self, name: str, text: str) -> None:
        """Tell something that happened."""
        try:
            self._waiting.put_nowait((f"StreamrP2P {self._actor}: {name}", text))
        except queue.Full:
            log.warning("notification_dropped", name=name, reason="too many wait already")

    def close(self) -> None:
        """Hand over what waits, for STOP_SECONDS at most."""
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while (message := self._waiting.get()) is not None:
            title, text = message
            try:
                was_taken = self._send(title, text)
            except Exception as error:  # noqa: BLE001 - a receiver's library may raise anything, with its URL
                log.warning("notification_failed", title=title, error=type(error).__name__)
            else:
                if not was_taken:
                    log.warning("notification_failed", title=title, reason="a receiver refused it")


def sender(urls_file: Path) -> Send:
    """Return what tells all receivers of a file of mode 600, one apprise URL a line; `#` begins a comment.

    Raises KeystoreError for a file that others may read, NotifyUrlsError for a line that is no such URL.
    """
    # Here and not above: it takes half a second to import, and most do without.
    from apprise import Apprise  # noqa: PLC0415

    receivers = Apprise()
    for number, line in enumerate(load_private_text(urls_file).splitlines(), 1):
        url = line.strip()
        if url and not url.startswith("#") and not receivers.add(url):
            raise NotifyUrlsError(
                f"line {number} of {urls_file} is no URL that apprise knows, such as discord://…, tgram://… or "
                "mailto://…; its services are listed at https://appriseit.com/services"
            )
    if not receivers:
        raise NotifyUrlsError(f"{urls_file} holds no URL; write one a line")
    return lambda title, text: bool(receivers.notify(title=title, body=text))
