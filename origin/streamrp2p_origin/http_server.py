"""uvicorn as part of a program that has its own way to end, and the socket that it listens on."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from streamrp2p_origin.errors import OriginSetupError


class HttpServer(uvicorn.Server):
    """Leaves the signals to the program: uvicorn would raise them again once it ended, in the midst of a shutdown."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signal."""
        yield


@contextmanager
def bound(host: str, port: int, option: str) -> Iterator[socket.socket]:
    """Hold a TCP port; raises OriginSetupError, which names the option that changes it."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # Who connects from now on waits for the server to begin, and is not turned away.
        listener.listen()
    except OSError as error:
        listener.close()
        raise OriginSetupError(
            f"the HTTP port {port} on {host} cannot be used ({error.strerror or error}): "
            f"stop what listens there, or choose another with {option}"
        ) from error
    with listener:
        yield listener
