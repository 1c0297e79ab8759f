"""Weaving: renditions open together, each with the one sound."""

import pytest

from streamrp2p_origin.cutting import CutPart, SegmentEnd
from streamrp2p_origin.errors import MalformedMediaError, PackagingError
from streamrp2p_origin.weaving import MAX_WAITING_SAMPLES, Opened, Output, Weaver
from tests.support.mp4 import audio_track, picture, sound, video_track


def weaver(*, has_audio: bool = True) -> Weaver:
    return Weaver(["source", "240p"], 2.0, 0.5, has_audio=has_audio)


def kinds(outputs: list[Output]) -> list[tuple[str, type]]:
    return [(each.rendition, type(each.event)) for each in outputs]


def test_renditions_open_once_all_pictures_and_the_sound_are_described() -> None:
    woven = weaver()
    assert woven.add_picture("source", video_track()) == []
    assert woven.add_picture("source", picture(0, key=True)) == []
    assert woven.add_sound(audio_track()) == []
    outputs = woven.add_picture("240p", video_track())
    assert kinds(outputs) == [("source", Opened), ("240p", Opened)]
    opened = outputs[0].event
    assert isinstance(opened, Opened)
    assert (opened.codecs, opened.width, opened.height) == ("avc1.4d401f,mp4a.40.2", 640, 360)


def test_pictures_that_waited_and_the_sound_reach_every_rendition() -> None:
    woven = weaver()
    for name in ("source", "240p"):
        woven.add_picture(name, video_track())
        for number in range(16):
            woven.add_picture(name, picture(number * 3000, key=number == 0))
    woven.add_sound(audio_track())
    outputs = [each for number in range(25) for each in woven.add_sound(sound(number * 1024))]
    assert kinds(outputs) == [("source", CutPart), ("240p", CutPart)]
    assert kinds(woven.end()) == [
        ("source", CutPart), ("source", SegmentEnd), ("240p", CutPart), ("240p", SegmentEnd),
    ]  # fmt: skip


def test_sound_that_came_before_the_pictures_is_kept() -> None:
    early, late = weaver(), weaver()
    early.add_sound(audio_track())
    for number in range(30):
        early.add_sound(sound(number * 1024))
    outputs = []
    for woven in (early, late):
        woven.add_picture("source", video_track())
        outputs.append(woven.add_picture("240p", video_track()))
    outputs[1] += late.add_sound(audio_track())
    for number in range(30):
        late.add_sound(sound(number * 1024))
    for number in range(16):
        for at, woven in enumerate((early, late)):
            for name in ("source", "240p"):
                outputs[at] += woven.add_picture(name, picture(number * 3000, key=number == 0))
    assert kinds(outputs[0]) == [
        ("source", Opened), ("240p", Opened), ("source", CutPart), ("240p", CutPart),
    ]  # fmt: skip
    assert outputs[0] == outputs[1]


def test_stream_without_sound_opens_without_it() -> None:
    woven = Weaver(["source"], 2.0, 0.5, has_audio=False)
    (output,) = woven.add_picture("source", video_track())
    assert isinstance(output.event, Opened)
    assert output.event.codecs == "avc1.4d401f"


def test_sound_that_was_announced_and_never_comes_is_named() -> None:
    woven = weaver()
    woven.add_picture("source", video_track())
    for number in range(MAX_WAITING_SAMPLES):
        woven.add_picture("source", picture(number * 3000))
    with pytest.raises(PackagingError, match="announced sound and sends none"):
        woven.add_picture("source", picture(MAX_WAITING_SAMPLES * 3000))


def test_pipes_that_carry_the_wrong_thing_are_refused() -> None:
    with pytest.raises(MalformedMediaError, match="carries no picture"):
        weaver().add_picture("source", audio_track())
    with pytest.raises(MalformedMediaError, match="carries no sound"):
        weaver().add_sound(video_track())


def test_pictures_that_were_announced_and_never_come_are_named() -> None:
    woven = weaver()
    woven.add_sound(audio_track())
    for number in range(MAX_WAITING_SAMPLES):
        woven.add_sound(sound(number * 1024))
    with pytest.raises(PackagingError, match="announced pictures and sends none"):
        woven.add_sound(sound(0))
