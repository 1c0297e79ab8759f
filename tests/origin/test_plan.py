"""Copy or transcode: decided from what ffmpeg says of its input."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p_origin.errors import UnusableInputError
from streamrp2p_origin.ladder import parse
from streamrp2p_origin.packager import packaging_command
from streamrp2p_origin.plan import Plan, Rendition, plan_for

LADDER = parse("source,480p:1200,240p:400")
HEAD = ["Input #0, live_flv, from 'rtmp://127.0.0.1:1935/live/stream':", "  Duration: 00:00:00.00"]
H264 = "  Stream #0:0: Video: h264 (High), yuv420p(tv, bt709, progressive), 1920x1080, 30 fps"
AAC = "  Stream #0:1: Audio: aac (LC), 48000 Hz, stereo, fltp, 128 kb/s"


def test_h264_and_aac_are_copied() -> None:
    assert plan_for([*HEAD, H264, AAC], LADDER) == Plan(
        (
            Rendition("source", None, None),
            Rendition("480p", 480, 1200),
            Rendition("240p", 240, 400),
        ),
        "copy",
        "H.264 and AAC are taken as they are",
    )


def test_order_language_and_ids_of_streams_do_not_matter() -> None:
    video = "  Stream #0:1[0x101](und): Video: h264 (Constrained Baseline), yuv420p, 640x360"
    audio = "  Stream #0:0(eng): Audio: aac (LC), 44100 Hz, mono, fltp"
    assert plan_for([*HEAD, audio, video], LADDER).video == "copy"


def test_stream_without_sound_is_taken() -> None:
    assert plan_for([*HEAD, H264], LADDER).audio is None


def test_sound_that_is_not_aac_is_transcoded_alone() -> None:
    mp3 = "  Stream #0:1: Audio: mp3 (mp3float), 44100 Hz, mono, fltp"
    plan = plan_for([*HEAD, H264, mp3], LADDER)
    assert (plan.video, plan.audio) == ("copy", "transcode")
    assert plan.reason == "audio is mp3, browsers play AAC"


def test_sound_of_mpeg_ts_is_transcoded_since_it_describes_itself_too_late() -> None:
    adts = "  Stream #0:1[0x101]: Audio: aac (LC) ([15][0][0][0] / 0x000F), 48000 Hz, mono, fltp"
    plan = plan_for([*HEAD, H264, adts], LADDER)
    assert (plan.video, plan.audio) == ("copy", "transcode")
    assert plan.reason == "audio is AAC as MPEG-TS carries it, which describes itself too late"


@pytest.mark.parametrize(
    ("video", "reason"),
    [
        ("hevc (Main), yuv420p(tv), 1920x1080", "video is hevc Main, browsers play H.264"),
        ("flv1, yuv420p, 320x180, 200 kb/s", "video is flv1, browsers play H.264"),
        ("h264 (High 10), yuv420p10le, 1920x1080 [SAR 1:1 DAR 16:9]", "video is h264 High 10, browsers play H.264"),
        ("h264 (High 4:4:4 Predictive), yuv444p, 64x64", "video is h264 High 4:4:4 Predictive, browsers play H.264"),
    ],
)  # fmt: skip
def test_video_that_browsers_do_not_play_is_transcoded(video: str, reason: str) -> None:
    plan = plan_for([*HEAD, f"  Stream #0:0: Video: {video}", AAC], LADDER)
    assert (plan.video, plan.audio, plan.reason) == ("transcode", "copy", reason)


def test_key_frames_too_far_apart_are_transcoded() -> None:
    plan = plan_for([*HEAD, H264, AAC], LADDER, has_sparse_key_frames=True)
    assert plan.reason == "the encoder's key frames were too far apart for segments"
    # 1920 x 1080 pixels, 0.1 bits for each, 30 times a second.
    assert plan.renditions[0] == Rendition("source", 1080, 6220)


def test_stated_bit_rate_of_the_source_holds_when_it_is_transcoded() -> None:
    ladder = parse("source:3000,240p:400")
    assert plan_for([H264], ladder).renditions[0].kbit is None
    transcoded = plan_for([H264], ladder, has_sparse_key_frames=True)
    assert transcoded.renditions[0] == Rendition("source", 1080, 3000)


def test_renditions_that_players_watch_are_kept_when_the_source_shrinks() -> None:
    small = "  Stream #0:0: Video: h264 (Main), yuv420p(progressive), 640x360, 30 fps"
    names = [each.name for each in plan_for([small], LADDER).renditions]
    assert names == ["source", "240p"]
    kept = plan_for([small], LADDER, kept={"source", "480p", "240p"}).renditions
    assert kept[1] == Rendition("480p", 360, 1200)


@pytest.mark.parametrize("lines", [[], HEAD, [*HEAD, AAC], ["Stream mapping:"]])
def test_stream_without_a_picture_is_refused_with_what_to_do(lines: list[str]) -> None:
    with pytest.raises(UnusableInputError, match=r"add a video source, encoded as H\.264"):
        plan_for(lines, LADDER)


@given(st.lists(st.text(max_size=80)))
def test_any_words_of_ffmpeg_are_read_or_refused(lines: list[str]) -> None:
    try:
        plan_for(lines, LADDER)
    except UnusableInputError:
        return


def value(command: list[str], option: str) -> str:
    return command[command.index(option) + 1]


def test_packager_copies_or_encodes_as_planned() -> None:
    copied = plan_for([*HEAD, H264, AAC], parse("source,240p:400"))
    copying = packaging_command("/ffmpeg", copied, 2.0, 12.5, [5, 7], 9)
    assert [each for each in copying if each.startswith("pipe:")] == [
        "pipe:0", "pipe:5", "pipe:7", "pipe:9",
    ]  # fmt: skip
    assert (value(copying, "-c:v"), value(copying, "-c:a")) == ("copy", "copy")
    assert value(copying, "-force_key_frames") == "source"
    assert value(copying, "-itsoffset") == "12.500"
    assert (value(copying, "-vf"), value(copying, "-b:v")) == ("scale=-2:240", "400k")
    other = plan_for([*HEAD, H264.replace("High", "High 10"), AAC.replace("aac", "mp3")], LADDER)
    encoding = packaging_command("/ffmpeg", other, 1.5, 12.5, [5, 7, 9], 11)
    assert (value(encoding, "-c:v"), value(encoding, "-c:a")) == ("libx264", "aac")
    assert encoding.count("expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+1.499))") == 3
    silent = packaging_command("/ffmpeg", plan_for([H264], LADDER), 2.0, 12.5, [5, 7, 9], 11)
    assert "pipe:11" not in silent
