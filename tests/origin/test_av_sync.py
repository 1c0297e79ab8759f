"""Picture and sound stay together through a whole origin; `make av-sync` shows the same over hours."""

import subprocess
from pathlib import Path

import pytest

from benchmarks.av_sync.__main__ import LIMIT_MILLIS, measure
from benchmarks.av_sync.onsets import offsets, onsets, read_events
from benchmarks.av_sync.result import Result, verdict
from benchmarks.av_sync.source import PERIOD_SECONDS, source_command


def test_onset_is_where_a_value_rises_above_the_threshold() -> None:
    values = [(0.0, 9.0), (0.1, 1.0), (0.2, 9.0), (0.3, 9.0), (0.4, 1.0), (0.5, 6.0)]
    assert onsets(values, 5.0) == [0.2, 0.5]


def test_offset_is_from_a_flash_to_the_nearest_beep() -> None:
    assert offsets([1.0, 2.0, 3.0], [0.75, 2.25, 9.0], 1.0) == [-0.25, 0.25]
    assert offsets([1.0], [], 1.0) == []


def test_verdict_names_what_is_missing_and_what_is_too_far_apart() -> None:
    good, late, lost = Result(), Result(), Result()
    good.add(100, [0.001] * 100)
    late.add(100, [0.001] * 99 + [-0.0401])
    lost.add(90, [0.0] * 90)
    assert verdict({"good": good, "late": late, "lost": lost}, 100, 40.0) == [
        "late: an offset of 40.1 ms, 40 are allowed",
        "lost: 10 of 100 events are missing",
    ]


def test_drift_is_between_the_first_minute_and_the_last() -> None:
    result = Result()
    result.add(200, [number / 1000 for number in range(200)])
    assert result.drift_millis == pytest.approx(140.0)


@pytest.mark.integration
@pytest.mark.parametrize("late_millis", [0, 100])
def test_offset_that_is_there_is_found(tmp_path: Path, late_millis: int) -> None:
    path = str(tmp_path / "media.mp4")
    command = source_command(path, 4)
    # The second input is the sound; not in real time, and as MP4 into a file.
    command = [each for each in command if each != "-re"]
    sound = len(command) - 1 - command[::-1].index("lavfi")
    command[sound - 1 : sound - 1] = ["-itsoffset", f"{late_millis / 1000}"]
    command[-2] = "mp4"
    command[-1:-1] = ["-movflags", "frag_keyframe+empty_moov"]
    subprocess.run(command, check=True)
    flashes, beeps = read_events(Path(path).read_bytes())
    found = offsets(flashes, beeps, PERIOD_SECONDS)
    assert len(found) >= 3
    assert [each * 1000 for each in found] == pytest.approx([late_millis] * len(found), abs=5)


@pytest.mark.integration
def test_picture_and_sound_of_every_rendition_stay_together() -> None:
    seconds = 20.0
    results = measure(seconds)
    assert set(results) == {"source", "120p"}
    assert verdict(results, seconds / PERIOD_SECONDS, LIMIT_MILLIS) == []
