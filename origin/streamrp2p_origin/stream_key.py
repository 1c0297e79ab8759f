"""The stream key, which an encoder must show to publish.

It stands in a file that is read anew for every encoder, so a running origin follows a rotation at once. An encoder
that is live goes on after one, unless it is asked to be dropped.
"""

import hmac
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from streamrp2p.durable import write_atomically
from streamrp2p_origin.errors import OriginSetupError
from streamrp2p_origin.secret_file import read_secret

STREAM_KEY_FILE = "stream.key"
_DROP_FILE = "drop.request"
_KEY_BYTES = 20
_KEY = re.compile(r"[A-Za-z0-9_-]{22,79}")
"""At least 128 random bits, at most what SRT takes as a passphrase, and nothing that a URL or a server would alter."""


@dataclass(frozen=True, slots=True)
class StreamKey:
    """The stream key of the origin in `folder`; holds no secret itself."""

    folder: Path

    @property
    def path(self) -> Path:
        """The file with the key in its one line."""
        return self.folder / STREAM_KEY_FILE

    def create(self) -> None:
        """Make the first key; raises FileAlreadyExistsError rather than replace one."""
        self._write(overwrite=False)

    def rotate(self) -> None:
        """Replace the key: from now on the old one opens nothing."""
        self._write(overwrite=True)

    def read(self) -> str:
        """Return the key; raises OriginSetupError that names the file, never what stands in it."""
        rotate = f"streamrp2p origin key rotate --dir {self.folder}"
        key = read_secret(self.path, rotate)
        if not _KEY.fullmatch(key):
            raise OriginSetupError(
                f"{self.path} must hold a stream key of 22 to 79 letters, digits, - and _: "
                f"make a new one, {rotate}"
            )
        return key

    def opens(self, offered: str) -> bool:
        """Tell whether `offered` is the key; the time taken tells nothing of it. Raises OriginSetupError."""
        return hmac.compare_digest(offered.encode(errors="replace"), self.read().encode())

    def request_drop(self) -> None:
        """Ask the origin that runs in the folder to end the visit of the encoder that is live."""
        write_atomically(self.folder / _DROP_FILE, b"", mode=0o600)

    def is_drop_requested(self) -> bool:
        """Tell whether a request waits for the origin."""
        return (self.folder / _DROP_FILE).exists()

    def take_drop_request(self) -> bool:
        """Take the request that waits, if one does: it is answered by whoever takes it."""
        try:
            (self.folder / _DROP_FILE).unlink()
        except FileNotFoundError:
            return False
        return True

    def _write(self, *, overwrite: bool) -> None:
        text = secrets.token_hex(_KEY_BYTES) + "\n"
        write_atomically(self.path, text.encode(), mode=0o600, overwrite=overwrite)
