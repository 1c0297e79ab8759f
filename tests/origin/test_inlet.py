"""What ffmpeg is told, and what every user of the machine may read of it."""

from streamrp2p_origin.inlet import rtmp_listener, rtmp_pull, srt_listener
from streamrp2p_origin.receiver import receiving_command

KEY = "4f0b5c8e9a7d6e3f2a1b0c9d8e7f6a5b4c3d2e1f"


def test_rtmp_listener_listens_where_it_is_told_and_nowhere_else() -> None:
    command = receiving_command("/ffmpeg", rtmp_listener("127.0.0.1", 1935, "placeholder"))
    assert [each for each in command if "://" in each] == ["rtmp://127.0.0.1:1935/live/placeholder"]
    assert command[command.index("-listen") + 1] == "1"


def test_ipv6_addresses_are_bracketed() -> None:
    assert "rtmp://[::1]:1935/live/x" in rtmp_listener("::1", 1935, "x").options
    assert "srt://[::]:9000?" in srt_listener("::", 9000, KEY).playlist


def test_stream_key_stands_in_no_command_line() -> None:
    for inlet in (
        srt_listener("192.0.2.1", 9000, KEY),
        rtmp_pull("rtmp://127.0.0.1:1935/live", KEY),
    ):
        assert KEY not in " ".join(receiving_command("/ffmpeg", inlet))
        assert KEY in inlet.playlist


def test_playlist_names_one_address_in_ffmpegs_form() -> None:
    assert srt_listener("127.0.0.1", 9000, KEY).playlist == (
        f"ffconcat version 1.0\nfile 'srt://127.0.0.1:9000?mode=listener&passphrase={KEY}'\n"
    )
    assert rtmp_pull("rtmp://127.0.0.1:1935/live", KEY).playlist == (
        f"ffconcat version 1.0\nfile 'rtmp://127.0.0.1:1935/live/{KEY}'\noption rw_timeout 5000000\n"
    )
