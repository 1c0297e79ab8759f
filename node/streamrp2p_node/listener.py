"""The socket that the node listens on, held before anything else is begun."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from streamrp2p_node.errors import PortInUseError, SettingsError

BACKLOG = 1024


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Hold a listening socket; raises PortInUseError, or SettingsError for an address that this machine has not."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        # A port whose last connections are still closing is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortInUseError(
                    f"port {port} of {host} is in use; stop what listens there, or give another --port"
                ) from error
            raise SettingsError(
                f"cannot listen on {host} port {port}: {error.strerror or error}; check --host and --port"
            ) from error
        listener.listen(BACKLOG)
        yield listener
