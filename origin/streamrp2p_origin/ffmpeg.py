"""The ffmpeg that comes with the package."""

import os

from streamrp2p_origin.errors import OriginSetupError


def executable() -> str:
    """Return ffmpeg's path; raises OriginSetupError when there is none."""
    try:
        import imageio_ffmpeg  # noqa: PLC0415 - the error below must be this command's own
    except ModuleNotFoundError as error:
        raise OriginSetupError(
            "ffmpeg is missing: install the extra [origin], in the checkout: "
            'pip install ".[origin]", or set IMAGEIO_FFMPEG_EXE to an ffmpeg of yours'
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
            "or reinstall: pip install --force-reinstall imageio-ffmpeg"
        )
    return path
