"""Finding ffmpeg, and running it so that it dies with its parent."""

import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg
import pytest

from streamrp2p.tether import tethered
from streamrp2p_origin import ffmpeg
from streamrp2p_origin.errors import OriginSetupError


def test_bundled_ffmpeg_is_found() -> None:
    assert Path(ffmpeg.executable()).is_file()


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(OriginSetupError, match=r'in the checkout: pip install "\.\[origin\]"'):
        ffmpeg.executable()


def test_platform_without_ffmpeg_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise RuntimeError("No ffmpeg exe could be found")

    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", none)
    with pytest.raises(OriginSetupError, match="set IMAGEIO_FFMPEG_EXE"):
        ffmpeg.executable()


def test_file_that_cannot_be_run_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "absent"))
    with pytest.raises(OriginSetupError, match="absent is not an executable ffmpeg"):
        ffmpeg.executable()


def test_tethered_command_runs_with_its_own_arguments_and_exit_code() -> None:
    command = [sys.executable, "-c", "import sys; print(sys.argv[1:]); sys.exit(7)", "a b", "-c"]
    run = subprocess.run(tethered(command), capture_output=True, text=True, check=False)
    assert (run.stdout, run.returncode) == ("['a b', '-c']\n", 7)


def test_tethered_command_does_not_begin_when_its_parent_is_gone() -> None:
    command = tethered([sys.executable, "-c", "print('ran')"])
    command[4] = "1"
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.stdout, run.returncode) == ("", 1)
