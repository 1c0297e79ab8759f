"""The route that carries nearly all of a node's bytes, before the routing of all others, which costs as much as it."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from streamrp2p import api
from streamrp2p.byte_range import RangeError
from streamrp2p.durable import StorageError
from streamrp2p.numbers import SessionId
from streamrp2p.playlist import PATH_NAME
from streamrp2p_node.cross_origin import cross_origin
from streamrp2p_node.errors import OriginError, RefusedError
from streamrp2p_node.pace import Pace
from streamrp2p_node.problems import HANDLERS
from streamrp2p_node.relay import Relay
from streamrp2p_node.request_fields import PLAYLIST_SUFFIX, read_pool_id, read_session_id
from streamrp2p_node.segment_response import send_object

_OBJECT = re.compile(
    rf"/v1/streams/([^/]+)/((?!{PATH_NAME}$)[^/]+)(?<!{re.escape(PLAYLIST_SUFFIX)})"
)
_SESSION_HEADER = api.SESSION_HEADER.lower().encode()


class Wanted(NamedTuple):
    """What a GET asks for, in the order in which the relay takes it; `part` is the header `Range`."""

    session_id: SessionId
    pool_id: int
    name: str
    part: str | None


def wanted_object(path: str, headers: Mapping[bytes, bytes]) -> Wanted | None:
    """Return which object is asked for, None for a path of another kind; raises RefusedError."""
    found = _OBJECT.fullmatch(path)
    if found is None:
        return None
    session_id = read_session_id(_text(headers.get(_SESSION_HEADER)))
    return Wanted(session_id, read_pool_id(found[1]), found[2], _text(headers.get(b"range")))


class ObjectRoute:
    """Answers `GET /v1/streams/{pool_id}/{object}` and hands all else on."""

    def __init__(self, app: ASGIApp, relay: Relay, pace: Pace | None) -> None:
        self._app = app
        self._relay = relay
        self._pace = pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        try:
            # Of a header that comes twice the first counts, as for all routes.
            wanted = wanted_object(scope["path"], dict(reversed(scope["headers"])))
            if wanted is None:
                await self._app(scope, receive, send)
                return
            served = await self._relay.object(*wanted)
        except (RefusedError, RangeError, OriginError, StorageError) as error:
            handler = next(HANDLERS[kind] for kind in type(error).mro() if kind in HANDLERS)
            answer = await handler(Request(scope), error)
            await cross_origin(answer)(scope, receive, send)
            return
        await send_object(served, wanted.name, receive, send, self._pace)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
