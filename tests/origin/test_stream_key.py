"""The stream key: made once, private, rotated, shown only when asked for."""

import json
import re
import stat
from pathlib import Path
from threading import Thread

import pytest
from typer.testing import CliRunner

from streamrp2p.durable import FileAlreadyExistsError
from streamrp2p_origin import cli
from streamrp2p_origin.errors import OriginSetupError
from streamrp2p_origin.stream_key import StreamKey


@pytest.fixture
def key(tmp_path: Path) -> StreamKey:
    made = StreamKey(tmp_path)
    made.create()
    return made


def run(*arguments: str, folder: Path) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, [*arguments, "--dir", str(folder)])
    return result.exit_code, result.output


def test_made_key_is_private_random_and_fit_for_srt(key: StreamKey, tmp_path: Path) -> None:
    assert stat.S_IMODE(key.path.stat().st_mode) == 0o600
    assert re.fullmatch("[0-9a-f]{40}", key.read())
    other = StreamKey(tmp_path / "other")
    other.folder.mkdir()
    other.create()
    assert other.read() != key.read()


def test_key_is_never_replaced_unasked(key: StreamKey) -> None:
    before = key.read()
    with pytest.raises(FileAlreadyExistsError):
        key.create()
    assert key.read() == before


def test_only_the_key_opens(key: StreamKey) -> None:
    text = key.read()
    assert key.opens(text)
    for other in ("", text[:-1], text + "\n", text.upper() + "x", "ключ", "\udcff", "x" * 10_000):
        assert not key.opens(other)


def test_rotation_closes_the_old_key_at_once(key: StreamKey) -> None:
    old = key.read()
    key.rotate()
    assert not key.opens(old)
    assert key.opens(key.read())
    assert stat.S_IMODE(key.path.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "short", "x" * 80, "a b" * 10, "ü" * 30, "x" * 22 + "\ny"])
def test_file_without_a_key_is_refused_and_not_repeated(key: StreamKey, text: str) -> None:
    key.path.write_text(text)
    with pytest.raises(OriginSetupError, match="make a new one, streamrp2p origin key rotate") as e:
        key.read()
    assert not text or text not in str(e.value)
    with pytest.raises(OriginSetupError):
        key.opens(text)


def test_key_of_ones_own_is_taken(key: StreamKey) -> None:
    key.path.write_text("My_own-stream-key-0123\n")
    assert key.opens("My_own-stream-key-0123")


def test_key_that_others_can_read_is_refused(key: StreamKey) -> None:
    key.path.chmod(0o644)
    with pytest.raises(OriginSetupError, match="chmod 600"):
        key.read()


def test_init_makes_a_key_and_does_not_print_it(tmp_path: Path) -> None:
    code, output = run("init", folder=tmp_path)
    assert code == 0
    assert "streamrp2p origin key show" in output
    assert StreamKey(tmp_path).read() not in output


def test_show_prints_the_key(key: StreamKey) -> None:
    assert run("key", "show", folder=key.folder) == (0, key.read() + "\n")
    code, output = run("key", "show", "--json", folder=key.folder)
    assert (code, json.loads(output)) == (0, {"streamKey": key.read()})


def test_folder_of_an_earlier_version_is_told_how_to_get_a_key(tmp_path: Path) -> None:
    code, output = run("key", "show", folder=tmp_path)
    assert code == 2
    assert f"streamrp2p origin key rotate --dir {tmp_path}" in output
    assert run("key", "rotate", folder=tmp_path)[0] == 0
    assert run("key", "show", folder=tmp_path)[0] == 0


def test_rotate_prints_where_the_key_is_and_not_the_key(key: StreamKey) -> None:
    old = key.read()
    code, output = run("key", "rotate", "--json", folder=key.folder)
    assert (code, json.loads(output)) == (0, {"file": str(key.path), "dropped": False})
    assert not key.opens(old)
    assert "goes on with the old one" in run("key", "rotate", folder=key.folder)[1]


def test_rotate_and_drop_says_whether_an_origin_heard_it(
    key: StreamKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamrp2p_origin.key_cli._DROP_SECONDS", 0.1)
    code, output = run("key", "rotate", "--drop", "--json", folder=key.folder)
    assert (code, json.loads(output)["dropped"]) == (0, False)
    assert not key.is_drop_requested(), "or the next encoder would be dropped"
    monkeypatch.setattr("streamrp2p_origin.key_cli._DROP_SECONDS", 30)

    def origin() -> None:
        while not key.take_drop_request():
            pass

    listening = Thread(target=origin)
    listening.start()
    code, output = run("key", "rotate", "--drop", folder=key.folder)
    listening.join()
    assert (code, "No encoder is live with the old one" in output) == (0, True)
