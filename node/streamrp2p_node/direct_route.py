"""The shortest way out, for objects in memory: from the parser to the socket, without a task and without ASGI."""

from collections.abc import Mapping
from functools import lru_cache

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from streamrp2p.byte_range import RangeError
from streamrp2p_node.bounded_http import Answer
from streamrp2p_node.errors import RefusedError
from streamrp2p_node.object_route import wanted_object
from streamrp2p_node.relay import Relay
from streamrp2p_node.segment_response import CHUNK_BYTES, object_head


class DirectRoute:
    """Answers as ObjectRoute does where nothing must be waited for, and leaves all else to it."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def answer(self, url: bytes, headers: Mapping[bytes, bytes]) -> Answer | None:
        """Return the answer with an object that leaves in one piece; None for all else, also for what is refused."""
        try:
            # Names that are written with a query or with %xx are none that the relay knows.
            wanted = wanted_object(url.decode("latin-1"), headers)
            if wanted is None:
                return None
            served = self._relay.object_in_memory(*wanted, max_bytes=CHUNK_BYTES)
        except (RefusedError, RangeError):
            return None
        if served is None:
            return None
        return Answer(_head(wanted.name, len(served.data), served.part), served.asked)


@lru_cache(maxsize=1024)
def _head(name: str, length_bytes: int, part: range | None) -> bytes:
    """Return what is the same for all who ask for the same."""
    status, headers = object_head(name, length_bytes, part)
    lines = [key + b": " + value + b"\r\n" for key, value in headers]
    return b"".join([STATUS_LINE[status], *lines])
