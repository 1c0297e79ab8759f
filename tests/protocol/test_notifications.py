"""Operators are told once of what is wrong, once more when it is over, and nothing that is told holds anything up."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from queue import Queue
from threading import Event
from time import monotonic

import pytest
from structlog.testing import capture_logs

from streamrp2p.keys import KeystoreError
from streamrp2p.notifications import (
    MAX_WAITING,
    PATIENCE_SECONDS,
    Notifier,
    NotifyUrlsError,
    sender,
)
from tests.support.loopback import http_server

SECRET = "token-4411af"


class Scene:
    """A notifier with a clock that is told, and what it told."""

    def __init__(self) -> None:
        self.now = 0.0
        self.told: list[str] = []
        self.notifier = Notifier("node", self.take, lambda: self.now)

    def take(self, title: str, text: str) -> bool:
        self.told.append(f"{title}: {text}")
        return True

    def after(self, seconds: float, **troubles: str) -> None:
        self.now += seconds
        self.notifier.update(troubles)

    def all_told(self) -> list[str]:
        self.notifier.close()
        return self.told


def test_a_trouble_that_lasts_is_told_once_and_when_it_is_over() -> None:
    scene = Scene()
    scene.after(0, disk="full")
    scene.after(PATIENCE_SECONDS, disk="full")
    scene.after(1000, disk="fuller")
    scene.after(1)
    scene.after(1)
    assert scene.all_told() == [
        "StreamrP2P node: disk: full",
        "StreamrP2P node: disk is over: full",
    ]


def test_what_passes_by_itself_is_not_told() -> None:
    scene = Scene()
    for _ in range(5):
        scene.after(PATIENCE_SECONDS - 1, chain="silent")
        scene.after(1)
    assert scene.all_told() == []


def test_troubles_are_told_apart() -> None:
    scene = Scene()
    scene.after(0, disk="full")
    scene.after(PATIENCE_SECONDS, disk="full", chain="silent")
    scene.after(PATIENCE_SECONDS, disk="full", chain="silent")
    scene.after(1, chain="silent")
    assert [line.split(": ")[1] for line in scene.all_told()] == ["disk", "chain", "disk is over"]


def test_a_receiver_that_raises_or_refuses_is_logged_without_its_words() -> None:
    def send(title: str, text: str) -> bool:
        if "first" in title:
            raise ValueError(f"https://hooks.example/{SECRET}")
        return False

    with capture_logs() as logs:
        notifier = Notifier("node", send, monotonic)
        notifier.tell("first", "x")
        notifier.tell("second", "x")
        notifier.close()
    assert [line["event"] for line in logs] == ["notification_failed"] * 2
    assert SECRET not in str(logs)


def test_a_receiver_that_hangs_holds_nobody_up() -> None:
    free, took = Event(), Event()

    def hang(_title: str, _text: str) -> bool:
        took.set()
        return free.wait(60)

    notifier = Notifier("node", hang, monotonic)
    notifier.tell("first", "it hangs")
    assert took.wait(60)
    with capture_logs() as logs:
        for number in range(MAX_WAITING + 3):
            notifier.tell(str(number), "")
    assert [line["event"] for line in logs] == ["notification_dropped"] * 3
    free.set()
    notifier.close()


def urls_file(folder: Path, *lines: str, mode: int = 0o600) -> Path:
    file = folder / "urls"
    file.write_text("\n".join(lines))
    file.chmod(mode)
    return file


@pytest.mark.parametrize(
    "lines", [(f"nonsense://{SECRET}",), (SECRET,), (), ("# only words",), ("json://",)]
)
def test_a_file_that_names_no_receiver_is_refused_and_not_shown(
    tmp_path: Path, lines: tuple[str, ...]
) -> None:
    with pytest.raises(NotifyUrlsError) as refused:
        sender(urls_file(tmp_path, *lines))
    assert SECRET not in str(refused.value)


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeystoreError, match="chmod 600"):
        sender(urls_file(tmp_path, "json://127.0.0.1:9", mode=0o644))


@contextmanager
def receiver(status: int, bodies: "Queue[dict[str, str]]") -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    with http_server(Handler) as url:
        yield url.replace("http://", "json://")


@pytest.mark.integration
def test_apprise_hands_it_to_a_receiver(tmp_path: Path) -> None:
    bodies: Queue[dict[str, str]] = Queue()
    with receiver(200, bodies) as url:
        send = sender(urls_file(tmp_path, "# my hook", "", f"{url}/{SECRET}"))
        notifier = Notifier("coordinator", send, monotonic)
        notifier.tell("low balance", "send it ether")
        body = bodies.get(timeout=60)
        notifier.close()
    assert (body["title"], body["message"]) == (
        "StreamrP2P coordinator: low balance",
        "send it ether",
    )


@pytest.mark.integration
def test_a_receiver_that_fails_is_no_failure(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bodies: Queue[dict[str, str]] = Queue()
    with receiver(500, bodies) as url:
        assert not sender(urls_file(tmp_path, f"{url}/{SECRET}"))("a", "b")
    captured = capfd.readouterr()
    assert SECRET not in captured.out + captured.err
