"""`streamrp2p signer`, killed as by `kill -9` as soon as a ticket is logged, before its signature is made."""

import os
import signal

from streamrp2p.numbers import Signature
from streamrp2p.typed_data import SessionTicket
from streamrp2p_signer.cli import app
from streamrp2p_signer.desk import Desk


def die(self: Desk, ticket: SessionTicket) -> Signature:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


if __name__ == "__main__":
    Desk._signed = die  # type: ignore[method-assign]
    app()
