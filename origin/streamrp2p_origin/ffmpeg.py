"""The ffmpeg that comes with the package, run so that it never outlives its parent."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from streamrp2p_origin.errors import OriginSetupError

_TETHER = Path(__file__).with_name("tether.py")


def executable() -> str:
    """Return ffmpeg's path; raises OriginSetupError when there is none."""
    try:
        import imageio_ffmpeg  # noqa: PLC0415 - the error below must be this command's own
    except ModuleNotFoundError as error:
        raise OriginSetupError(
            "ffmpeg is missing: install the extra [origin], "
            'pip install "streamrp2p[origin]", or set IMAGEIO_FFMPEG_EXE to an ffmpeg of yours'
        ) from error
    try:
        path = str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise OriginSetupError(
            "there is no ffmpeg for this platform: install one and set IMAGEIO_FFMPEG_EXE to its path"
        ) from error
    if not os.access(path, os.X_OK):
        raise OriginSetupError(
            f"{path} is not an executable ffmpeg: check IMAGEIO_FFMPEG_EXE, "
            'or reinstall: pip install --force-reinstall "streamrp2p[origin]"'
        )
    return path


def tethered(command: Sequence[str]) -> list[str]:
    """Return the command that runs `command`, which begins with a full path, tied to this process."""
    return [sys.executable, "-I", "-S", str(_TETHER), str(os.getpid()), *command]
