"""Who publishes on the ingest server: nobody without the stream key, and one at a time."""

import asyncio
import ipaddress
from dataclasses import dataclass, field

from streamrp2p_origin.callbacks import Callback, Wish
from streamrp2p_origin.errors import CallbackRefusedError, StreamKeyRefusedError
from streamrp2p_origin.stream_key import StreamKey


@dataclass(slots=True, eq=False)
class Publication:
    """One encoder on the ingest server; `ended` is set once it left, or was replaced or given up."""

    key: str = field(repr=False)
    client: str
    is_live: bool = False
    """Whether it is being packaged."""
    was_live: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Publications:
    """Answers the server's callbacks about one `app`, and hands its encoders to whoever packages them."""

    def __init__(self, app: str, key: StreamKey) -> None:
        self._app = app
        self._key = key
        self._current: Publication | None = None
        self._arrived = asyncio.Event()

    def answer(self, callback: Callback) -> None:
        """Permit what the callback asks for by returning; raises StreamKeyRefusedError or CallbackRefusedError."""
        if callback.app != self._app:
            raise CallbackRefusedError(f"this origin takes the application {self._app} alone")
        if not callback.client and callback.wish is not Wish.PLAY:
            raise CallbackRefusedError("the server does not say which connection it speaks of")
        match callback.wish:
            case Wish.PUBLISH:
                self._publish(callback)
            case Wish.GO_ON:
                self._go_on(callback)
            case Wish.LEAVE:
                self._leave(callback)
            case Wish.PLAY:
                self._play(callback)

    async def next(self) -> Publication:
        """Wait for an encoder; the same one again until it has ended."""
        while self._current is None:
            self._arrived.clear()
            await self._arrived.wait()
        return self._current

    def end(self, publication: Publication) -> None:
        """Let go of an encoder: another may come."""
        publication.ended.set()
        if self._current is publication:
            self._current = None

    def _publish(self, callback: Callback) -> None:
        if not self._key.opens(callback.name):
            raise StreamKeyRefusedError(len(callback.name))
        current = self._current
        if current is not None:
            if current.is_live and current.client != callback.client:
                raise CallbackRefusedError("another encoder is live")
            if current.client == callback.client:
                return
            # It came to nothing, or its server forgot to say that it left.
            self.end(current)
        self._current = Publication(callback.name, callback.client)
        self._arrived.set()

    def _go_on(self, callback: Callback) -> None:
        """Let the encoder stay that is live, after a rotation too; take one that was there before the origin."""
        if self._is_current(callback):
            return
        self._publish(callback)

    def _leave(self, callback: Callback) -> None:
        if self._current is not None and self._is_current(callback):
            self.end(self._current)

    def _play(self, callback: Callback) -> None:
        try:
            is_local = ipaddress.ip_address(callback.address).is_loopback
        except ValueError:
            is_local = False
        if not is_local:
            raise CallbackRefusedError("only the origin itself, on this machine, plays from here")

    def _is_current(self, callback: Callback) -> bool:
        current = self._current
        return current is not None and current.client == callback.client
