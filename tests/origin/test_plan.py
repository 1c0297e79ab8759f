"""Copy or transcode: decided from what ffmpeg says of its input."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p_origin.errors import UnusableInputError
from streamrp2p_origin.packager import packaging_command
from streamrp2p_origin.plan import Plan, plan_for

HEAD = ["Input #0, live_flv, from 'rtmp://127.0.0.1:1935/live/stream':", "  Duration: 00:00:00.00"]
H264 = "  Stream #0:0: Video: h264 (High), yuv420p(tv, bt709, progressive), 1920x1080, 30 fps"
AAC = "  Stream #0:1: Audio: aac (LC), 48000 Hz, stereo, fltp, 128 kb/s"


def test_h264_and_aac_are_copied() -> None:
    assert plan_for([*HEAD, H264, AAC]) == Plan(
        "copy", "copy", "H.264 and AAC are taken as they are"
    )


def test_order_language_and_ids_of_streams_do_not_matter() -> None:
    video = "  Stream #0:1[0x101](und): Video: h264 (Constrained Baseline), yuv420p, 640x360"
    audio = "  Stream #0:0(eng): Audio: aac (LC), 44100 Hz, mono, fltp"
    assert plan_for([*HEAD, audio, video]).video == "copy"


def test_stream_without_sound_is_taken() -> None:
    assert plan_for([*HEAD, H264]).audio is None


def test_sound_that_is_not_aac_is_transcoded_alone() -> None:
    plan = plan_for([*HEAD, H264, "  Stream #0:1: Audio: mp3 (mp3float), 44100 Hz, mono, fltp"])
    assert plan == Plan("copy", "transcode", "audio is mp3, browsers play AAC")


@pytest.mark.parametrize(
    ("video", "reason"),
    [
        ("hevc (Main), yuv420p(tv), 1920x1080", "video is hevc Main, browsers play H.264"),
        ("flv1, yuv420p, 320x180, 200 kb/s", "video is flv1, browsers play H.264"),
        ("h264 (High 10), yuv420p10le, 1920x1080", "video is h264 High 10, browsers play H.264"),
        ("h264 (High 4:4:4 Predictive), yuv444p", "video is h264 High 4:4:4 Predictive, browsers play H.264"),
    ],
)  # fmt: skip
def test_video_that_browsers_do_not_play_is_transcoded(video: str, reason: str) -> None:
    plan = plan_for([*HEAD, f"  Stream #0:0: Video: {video}", AAC])
    assert plan == Plan("transcode", "copy", reason)


def test_key_frames_too_far_apart_are_transcoded() -> None:
    plan = plan_for([*HEAD, H264, AAC], has_sparse_key_frames=True)
    assert plan == Plan(
        "transcode", "copy", "the encoder's key frames were too far apart for segments"
    )


@pytest.mark.parametrize("lines", [[], HEAD, [*HEAD, AAC], ["Stream mapping:"]])
def test_stream_without_a_picture_is_refused_with_what_to_do(lines: list[str]) -> None:
    with pytest.raises(UnusableInputError, match=r"add a video source, encoded as H\.264"):
        plan_for(lines)


@given(st.lists(st.text(max_size=80)))
def test_any_words_of_ffmpeg_are_read_or_refused(lines: list[str]) -> None:
    try:
        plan_for(lines)
    except UnusableInputError:
        return


def value(command: list[str], option: str) -> str:
    return command[command.index(option) + 1]


def test_packager_copies_or_encodes_as_planned() -> None:
    copying = packaging_command("/ffmpeg", Plan("copy", "copy", ""), 2.0, Path("/in"))
    assert (value(copying, "-c:v"), value(copying, "-c:a")) == ("copy", "copy")
    assert (value(copying, "-segment_time"), copying[-1]) == ("2", "/in/%08d.ts")
    encoding = packaging_command("/ffmpeg", Plan("transcode", "transcode", ""), 1.5, Path("/in"))
    assert (value(encoding, "-c:v"), value(encoding, "-c:a")) == ("libx264", "aac")
    assert value(encoding, "-force_key_frames") == "expr:gte(t,n_forced*1.5)"
