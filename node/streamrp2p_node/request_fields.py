"""What requests for a stream name, read from text."""

import re
from collections.abc import Iterable
from functools import lru_cache

from streamrp2p import api
from streamrp2p.errors import MalformedError
from streamrp2p.numbers import SessionId
from streamrp2p.playlist import Reload, read_reload
from streamrp2p_node.errors import Reason, RefusedError

PLAYLIST_SUFFIX = ".m3u8"
_SESSION = re.compile(r"0x[0-9a-fA-F]{64}")
_POOL = re.compile(r"[0-9]{1,10}")


@lru_cache(maxsize=10_000)
def read_session_id(given: str | None) -> SessionId:
    """Return the session that the header names; raises RefusedError."""
    if given is None:
        raise RefusedError(
            Reason.SESSION_MISSING,
            f"name the session in the header {api.SESSION_HEADER}; open one with POST /v1/sessions",
        )
    if not _SESSION.fullmatch(given):
        raise RefusedError(
            Reason.BAD_REQUEST, f"{api.SESSION_HEADER} must be 0x followed by 64 hex digits"
        )
    return SessionId(bytes.fromhex(given[2:]))


def read_pool_id(given: str) -> int:
    """Return the pool that the path names; raises RefusedError."""
    if not _POOL.fullmatch(given):
        raise RefusedError(Reason.POOL_UNKNOWN, "a pool's id is a decimal number")
    return int(given)


def read_directives(pairs: Iterable[tuple[str, str]]) -> Reload:
    """Return how a media playlist is asked for; raises RefusedError."""
    try:
        return read_reload(pairs)
    except MalformedError as error:
        raise RefusedError(Reason.BAD_QUERY, str(error)) from error
