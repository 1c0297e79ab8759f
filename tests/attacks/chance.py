"""The coordinator draws nodes and nonces by `secrets`; a simulation draws them by a seed, to be repeated."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from unittest.mock import patch


@contextmanager
def seeded(seed: int) -> Iterator[Random]:
    """Let `secrets` draw from a seed, and yield what it draws from."""
    chance = Random(seed)  # noqa: S311 - it is to be repeated
    with (
        patch.object(secrets, "choice", chance.choice),
        patch.object(secrets, "randbits", chance.getrandbits),
        patch.object(secrets, "randbelow", chance.randrange),
        patch.object(secrets, "token_bytes", lambda count=32: chance.randbytes(count or 32)),
    ):
        yield chance
