"""Did an RTMP encoder show the stream key? Read from what ffmpeg logs while it listens; pure.

ffmpeg's listener takes any stream name. It only warns of one that is not in its own address, and so tells it: the
address gets a random placeholder, and the name in the warning must be the stream key. The name comes from a stranger,
line breaks and all, so only a line that is the warning and nothing else counts, and any other that mentions it is a
refusal.
"""

import re
from collections.abc import Callable

from streamrp2p_origin.errors import StreamKeyRefusedError

_MENTION = "Unexpected stream "


class NameCheck:
    """Follows ffmpeg's messages about one peer; `opens` tells whether a name is the stream key."""

    def __init__(self, placeholder: str, opens: Callable[[str], bool]) -> None:
        self._warning = re.compile(
            rf"\[rtmp @ 0x[0-9a-f]+\] {_MENTION}(.*), expecting {re.escape(placeholder)}"
        )
        self._opens = opens
        self._name: str | None = None

    def see(self, line: str) -> None:
        """Take ffmpeg's next line; raises StreamKeyRefusedError at a name that is not the key."""
        if _MENTION not in line:
            return
        warning = self._warning.fullmatch(line)
        name = warning[1] if warning else ""
        if not self._opens(name):
            raise StreamKeyRefusedError(len(name))
        self._name = name

    def conclude(self) -> None:
        """End the check before anything is packaged; raises StreamKeyRefusedError when the key was not shown.

        It may have been rotated since it was.
        """
        if self._name is None or not self._opens(self._name):
            raise StreamKeyRefusedError(len(self._name or ""))
