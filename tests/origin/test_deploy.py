"""compose.yaml and the ingest servers' settings agree with the origin, as far as can be told without their servers."""

import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from scripts.stack.settings import nginx_settings
from streamrp2p_origin import cli
from streamrp2p_origin.callbacks import READERS
from tests.support.nginx import require_nginx

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "nginx": ROOT / "deploy/nginx.conf",
    "srs": ROOT / "deploy/srs.conf",
    "mediamtx": ROOT / "deploy/mediamtx.yml",
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return document


def directives(text: str) -> list[tuple[str, ...]]:
    """Parse the syntax that nginx and SRS share: words up to `;`, or a block in braces."""
    found, words, depth = [], list[str](), 0
    for word in re.findall(r"[{};]|[^\s{};]+", re.sub(r"#.*", "", text)):
        if word in "{;":
            assert words, "a directive has a name"
            found.append(tuple(words))
            words = []
            depth += word == "{"
        elif word == "}":
            assert not words, "a directive ends with ;"
            depth -= 1
            assert depth >= 0
        else:
            words.append(word)
    assert (depth, words) == (0, [])
    return found


def test_every_server_has_a_profile_beside_the_origin(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for server in READERS:
        assert services[server]["profiles"] == [server]
        assert services[server]["network_mode"] == "service:origin"
    assert sorted(services["origin"]["profiles"]) == sorted(READERS)
    assert services["embedded"]["profiles"] == ["embedded"]


def test_images_are_pinned_by_version(compose: dict[str, Any]) -> None:
    images = [service["image"] for service in compose["services"].values()]
    bases = [
        base
        for path in (ROOT / "deploy").glob("*.Containerfile")
        for base in re.findall(r"^FROM (\S+)", path.read_text(), re.MULTILINE)
    ]
    assert len(bases) == 5
    for image in (*images, *bases):
        assert re.search(r":v?\d+\.\d+", image), image


def test_files_that_compose_names_are_there(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        if "build" in service:
            assert (ROOT / service["build"]["dockerfile"]).is_file()
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (
                (ROOT / source).exists()
                if source.startswith("./")
                else (source in compose["volumes"])
            )


@pytest.mark.parametrize("service", ["origin", "embedded"])
def test_origins_options_in_compose_exist(compose: dict[str, Any], service: str) -> None:
    command = compose["services"][service]["command"].split()
    help_text = CliRunner(env={"COLUMNS": "200"}).invoke(cli.app, [command[0], "--help"]).output
    for option in (word for word in command if word.startswith("--")):
        assert option in help_text


@pytest.mark.parametrize("server", READERS)
def test_servers_ask_where_the_origin_answers(compose: dict[str, Any], server: str) -> None:
    command = compose["services"]["origin"]["command"]
    port = re.search(r"--callback-port (\d+)", command)
    assert port is not None
    urls = re.findall(r"http://\S+?(?=[;\s])", SETTINGS[server].read_text())
    assert set(urls) == {f"http://127.0.0.1:{port[1]}/{server}"}


def test_nginx_lets_the_origin_alone_play_and_logs_no_names() -> None:
    found = directives(SETTINGS["nginx"].read_text())
    plays = [each for each in found if each[1:2] == ("play",)]
    assert plays == [("allow", "play", "127.0.0.1"), ("deny", "play", "all")]
    assert ("access_log", "off") in found
    assert ("error_log", "stderr", "warn") in found


def test_srs_asks_for_each_publish_and_play_and_shows_nothing() -> None:
    found = directives(SETTINGS["srs"].read_text())
    hooks = Counter(each[0] for each in found if each[0].startswith("on_"))
    assert hooks == {"on_publish": 1, "on_unpublish": 1, "on_play": 1}
    assert found.count(("enabled", "off")) == 2, "neither http_api nor http_server"
    assert ("allow", "play", "127.0.0.1") in found
    assert ("deny", "play", "all") in found
    assert ("srs_log_level", "warn") in found


def test_mediamtx_takes_rtmp_alone_and_asks_for_everything() -> None:
    settings = yaml.safe_load(SETTINGS["mediamtx"].read_text())
    assert settings["authMethod"] == "http"
    assert settings["authHTTPExclude"] == []
    protocols = ("rtmp", "rtsp", "hls", "webrtc", "srt", "api", "metrics", "pprof", "playback")
    assert [name for name in protocols if settings[name]] == ["rtmp"]
    assert settings["logLevel"] == "warn"
    (path,) = settings["paths"]
    assert re.fullmatch(path.removeprefix("~"), "live/4f0b5c8e9a7d6e3f2a1b0c9d8e7f6a5b4c3d2e1f")
    assert not re.fullmatch(path.removeprefix("~"), "live/x/y")


@pytest.mark.integration
def test_nginx_takes_its_settings(tmp_path: Path) -> None:
    require_nginx()
    config = tmp_path / "nginx.conf"
    config.write_text(nginx_settings(tmp_path, 1935, {"live": 8090}))
    run = subprocess.run(
        ["nginx", "-t", "-p", tmp_path, "-c", config, "-e", "stderr"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "test is successful" in run.stderr, run.stderr
