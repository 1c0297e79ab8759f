"""Secrets in files of one line that only their owner may read."""

from pathlib import Path

from streamrp2p.keys import is_open_to_others
from streamrp2p_origin.errors import OriginSetupError


def read_secret(path: Path, how_to_make: str) -> str:
    """Return the one line of a file that only its owner can read.

    Raises OriginSetupError otherwise, which never repeats what stands in the file; `how_to_make` is the command that
    makes a missing one.
    """
    try:
        if is_open_to_others(path.stat().st_mode):
            raise OriginSetupError(f"{path} is open to other users: chmod 600 {path}")
        return path.read_text().strip()
    except FileNotFoundError:
        raise OriginSetupError(f"{path} does not exist: make it first, {how_to_make}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise OriginSetupError(f"{path} cannot be read: {type(error).__name__}") from None
