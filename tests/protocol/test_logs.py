"""What the daemons' common log says, and what it leaves out."""

import ast
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streamrp2p.logs import LogFormat, set_up_logs
from streamrp2p.request_id import RequestIds

ROOT = Path(__file__).parents[2]
PACKAGES = ("protocol", "coordinator", "node", "origin", "auditor")
LEVELS = ("debug", "info", "warning", "error", "exception", "critical")


def test_a_scheduler_tells_failures_but_not_each_tick_that_it_leaves_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logs("json")
    scheduler = logging.getLogger("apscheduler.scheduler")
    scheduler.warning("Execution of job skipped: maximum number of running instances reached")
    scheduler.error("Job raised an exception")

    assert "Job raised" in (told := capsys.readouterr().err)
    assert "skipped" not in told


def test_a_library_that_would_repeat_the_collectors_url_is_silent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logs("json")
    exporter = logging.getLogger("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    exporter.error("Failed to export spans batch: Max retries exceeded with url: /key-5f0c")
    assert capsys.readouterr().err == ""


def test_every_event_is_a_name_that_can_be_searched_for() -> None:
    found = [
        (path.name, call.lineno, ast.unparse(call.args[0]) if call.args else "")
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for call in log_calls(ast.parse(path.read_text()))
    ]
    assert len(found) > 80
    assert [one for one in found if not re.fullmatch(r"'[a-z]+(_[a-z]+)*'", one[2])] == []


def log_calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            is_log = isinstance(node.func.value, ast.Name) and node.func.value.id in ("log", "_log")
            if is_log and node.func.attr in LEVELS:
                yield node


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_urls_user_part_is_cut_wherever_it_stands(
    capsys: pytest.CaptureFixture[str], form: LogFormat
) -> None:
    set_up_logs(form)
    log = structlog.get_logger("test")
    log.warning("rpc_failed", url="https://operator:hunter2@rpc.example/v3", left="a@b")
    logging.getLogger("some.library").error("no answer from postgresql://me:hunter2@db/x")
    try:
        raise ValueError("cannot reach http://hunter2@rpc.example:8545")
    except ValueError:
        log.exception("look_failed")
    told = capsys.readouterr().err
    assert "hunter2" not in told
    assert "https://***@rpc.example/v3" in told
    assert "postgresql://***@db/x" in told
    assert "ValueError: cannot reach http://***@rpc.example:8545" in told
    assert "a@b" in told


def test_no_local_variable_is_shown_with_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("console", "json"):
        set_up_logs(form)
        private_key = "hunter2"
        try:
            raise ValueError(len(private_key))
        except ValueError:
            structlog.get_logger("test").exception("look_failed")
        told = capsys.readouterr().err
        assert "ValueError: 7" in told
        assert "hunter2" not in told.replace('private_key = "hunter2"', "")


async def test_lines_within_a_request_have_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        structlog.get_logger("test").info("asked")
        logging.getLogger("some.library").info("too")
        await send({"type": "http.response.start", "status": 200, "headers": []})

    set_up_logs("json")
    headers = (b"from-the-proxy-1", b"", b'x"\n{"a":1}')
    given, made, forged = [await id_of(RequestIds(app), header) for header in headers]
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert given == "from-the-proxy-1"
    assert all(re.fullmatch("[0-9a-f]{12}-[0-9a-f]+", own) for own in (made, forged))
    assert made != forged
    assert [line["request_id"] for line in lines] == [given] * 2 + [made] * 2 + [forged] * 2
    structlog.get_logger("test").info("afterwards")
    assert "request_id" not in capsys.readouterr().err


async def id_of(app: ASGIApp, header: bytes) -> str:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    headers = [(b"x-request-id", header)] if header else []
    await app({"type": "http", "headers": headers}, receive, send)
    value: bytes = dict(sent[0]["headers"])[b"x-request-id"]
    return value.decode()
