"""Alerts and what is remembered: nothing is lost or shown that should not be."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from streamrp2p.durable import StorageError
from streamrp2p.numbers import Address
from streamrp2p.typed_data import Domain
from streamrp2p_auditor.alerts import Bell
from streamrp2p_auditor.errors import (
    StateInUseError,
    StateOfOtherChainError,
    WebhookError,
    WebhookUrlError,
)
from streamrp2p_auditor.state import Case, Due, Found, State
from streamrp2p_auditor.watch_report import cases_json, exit_code_of_cases
from streamrp2p_auditor.webhook import Webhook

DOMAIN = Domain(31337, Address(bytes([1]) * 20))
FOUND = Found(proof="BadReward", row="pool 1", field="reward", expected="1", found="2")
CASE = Case(
    epoch=7,
    digest=bytes(28),
    committed_at=100,
    challenge_ends_at=200,
    header_hash=bytes(32),
    verdict="wrong",
    difference=FOUND,
    since=101,
)
URL = "https://user:password@hooks.example/secret?token=secret"


class Receiver:
    """A webhook that answers with these statuses, the last one for ever."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.bodies: list[dict[str, object]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(json.loads(request.read()))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return httpx.Response(status, headers={"Location": "https://elsewhere.example/"})

    def webhook(self) -> Webhook:
        return Webhook(URL, transport=httpx.MockTransport(self))


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State(tmp_path)
    with state.locked(DOMAIN):
        pass
    return state


def bell(state: State, receiver: Receiver, now: Callable[[], float] = lambda: 0.0) -> Bell:
    return Bell(state, receiver.webhook(), monotonic=now)


def test_an_alert_is_raised_once_and_delivered_once(state: State) -> None:
    receiver = Receiver(204)
    ringing = bell(state, receiver)
    case = ringing.ring(CASE, "wrong", "it is wrong")
    assert ringing.ring(case, "wrong", "it is wrong") == case
    ringing.deliver()
    ringing.deliver()
    (body,) = receiver.bodies
    assert body == {
        "id": f"7-{'00' * 28}-100-wrong",
        "kind": "wrong",
        "text": "it is wrong",
        "epoch": 7,
        "headerHash": "0x" + "00" * 32,
        "committedAt": 100,
        "challengeEndsAt": 200,
        "verdict": "wrong",
        "difference": dict(FOUND),
        "reason": None,
    }
    assert state.cases() == [case]


def test_an_alert_that_is_not_acknowledged_is_kept_and_sent_less_and_less_often(
    state: State,
) -> None:
    receiver, now = Receiver(500, 302, 404, 200), [0.0]
    ringing = bell(state, receiver, lambda: now[0])
    ringing.ring(CASE, "wrong", "")
    sent = []
    for now[0] in (0, 1.9, 2, 5.9, 6, 13.9, 14, 15):
        ringing.deliver()
        sent.append(len(receiver.bodies))
    assert sent == [1, 1, 2, 2, 3, 3, 4, 4]
    assert ringing.is_silent


def test_a_crash_after_the_acknowledgement_sends_the_same_alert_again(state: State) -> None:
    first, second = Receiver(204), Receiver(204)
    bell(state, first).ring(CASE, "wrong", "")
    (due,) = state.due()
    bell(state, first).deliver()
    state.put_due(due)  # as if it had not been removed yet
    bell(state, second).deliver()
    assert first.bodies == second.bodies


def test_alerts_are_delivered_in_their_order(state: State) -> None:
    receiver = Receiver(204)
    for number in (3, 1, 2):
        state.put_due(Due(id=str(number), body={"kind": "wrong"}))
    bell(state, receiver).deliver()
    assert [body["id"] for body in receiver.bodies] == ["3", "1", "2"]


@pytest.mark.parametrize(
    "url", ["ftp://hooks.example/", "file:///etc/passwd", "hooks.example", "https://", "http://a b/", "http://h:x/"]
)  # fmt: skip
def test_only_http_is_spoken(url: str) -> None:
    with pytest.raises(WebhookUrlError):
        Webhook(url)


def test_failures_show_no_secret() -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"no route to {request.url}")

    for transport in (httpx.MockTransport(fail), httpx.MockTransport(Receiver(500))):
        webhook = Webhook(URL, transport=transport)
        with pytest.raises(WebhookError) as caught:
            webhook.post({})
        assert webhook.shown == "https://hooks.example"
        assert not {"secret", "password"} & set(str(caught.value).replace("/", " ").split())
        assert "secret" not in str(caught.value)
        assert caught.value.__cause__ is None


def test_a_folder_is_held_by_one_and_of_one_chain(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    with State(folder).locked(DOMAIN), pytest.raises(StateInUseError), State(folder).locked(DOMAIN):
        pass
    other = Domain(1, DOMAIN.epoch_book)
    with pytest.raises(StateOfOtherChainError), State(folder).locked(other):
        pass
    assert folder.stat().st_mode & 0o077 == 0


def test_what_a_write_left_that_did_not_end_is_removed(state: State, tmp_path: Path) -> None:
    state.put_case(CASE)
    (tmp_path / "cases" / ".x.json.0123456789abcdef.tmp").write_text("half")
    with State(tmp_path).locked(DOMAIN):
        assert State(tmp_path).cases() == [CASE]
    assert [path.suffix for path in (tmp_path / "cases").iterdir()] == [".json"]


def test_a_damaged_file_is_named(state: State, tmp_path: Path) -> None:
    (tmp_path / "cases" / "1.json").write_text("{")
    with pytest.raises(StorageError, match=r"1\.json is damaged"):
        state.cases()


def test_what_was_wrong_outweighs_all_and_what_fell_unjudged_counts_nothing() -> None:
    right = CASE.model_copy(update={"verdict": "byte-identical", "difference": None})
    later = right.model_copy(update={"verdict": "unjudged", "reason": "down", "retryable": True})
    never = later.model_copy(update={"retryable": False})
    fallen = never.model_copy(update={"fate": "void"})
    assert exit_code_of_cases([]) == 0
    assert exit_code_of_cases([right, fallen]) == 0
    assert exit_code_of_cases([right, later]) == 3
    assert exit_code_of_cases([never, later]) == 2
    assert exit_code_of_cases([never, CASE.model_copy(update={"fate": "void"})]) == 1
    (shown,) = cases_json([later])["epochs"]
    assert shown["error"] == {"reason": "down", "retryable": True}
