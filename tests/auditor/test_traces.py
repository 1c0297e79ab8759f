"""A watchman's verdicts and transactions become spans, if a collector is named, and say nothing that is secret."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
from typer.testing import CliRunner
from web3 import Web3

from streamrp2p.bundle_store import BundleStore
from streamrp2p.chain import Call, Chain, InsufficientFundsError
from streamrp2p.client import UnreachableError
from streamrp2p.numbers import ZERO_ADDRESS, Hash
from streamrp2p.typed_data import Domain
from streamrp2p_auditor import watch
from streamrp2p_auditor.alerts import Bell
from streamrp2p_auditor.cli import app
from streamrp2p_auditor.followed_book import FollowedBook
from streamrp2p_auditor.prosecutor import Prosecution
from streamrp2p_auditor.run import Sources
from streamrp2p_auditor.state import Case, Purpose, State
from streamrp2p_auditor.steps import Limits
from streamrp2p_auditor.wallet import Wallet
from streamrp2p_auditor.watch import WatchOptions
from streamrp2p_auditor.watchman import Watchman
from tests.auditor.fakes import FakeBook
from tests.auditor.test_watchman import ALL
from tests.support.epochs import DOMAIN
from tests.support.fraud import FIRST, HONEST
from tests.support.spans import KeptTraces, attributes

SECRET = "key-5f0c"
CALL = Call(ZERO_ADDRESS, b"", 0)


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State(tmp_path)
    with state.locked(DOMAIN):
        pass
    return state


@pytest.fixture
def kept() -> Iterator[KeptTraces]:
    traces = KeptTraces("auditor")
    yield traces
    traces.close()


@dataclass
class Shelf:
    """A source of the first epoch's bundle alone, whose URL is a secret."""

    name: str = f"https://mirror.example/{SECRET}"

    def read(self, data_hash: Hash) -> bytes:
        if data_hash != FIRST.header.data_hash:
            raise UnreachableError(f"{self.name} does not answer")
        return ALL[data_hash]


@dataclass
class Purse:
    """A wallet that sends nothing; `answer` is what the chain says of it."""

    answer: bool | InsufficientFundsError = True
    sent: list[tuple[Purpose, str | None]] = field(default_factory=list)

    def send(
        self, web3: Web3, call: Call, purpose: Purpose, *, case: str | None, shown: str
    ) -> bool:
        if isinstance(self.answer, InsufficientFundsError):
            raise self.answer
        self.sent.append((purpose, case))
        return self.answer


def test_each_epoch_that_is_audited_is_a_span_with_its_verdict(
    state: State, kept: KeptTraces
) -> None:
    watchman = Watchman(
        state=state,
        bell=Bell(state, None, monotonic=lambda: 0.0),
        bundles=BundleStore([Shelf()], kept=1),
        batches=None,
        first=None,
        is_patient=True,
        prosecutor=None,
        monotonic=lambda: 0.0,
        traces=kept,
    )
    watchman.load()
    watchman.round(FakeBook(headers=[FIRST.header, HONEST.header]).chain())
    right, unjudged = kept.spans("audit epoch")
    size = len(FIRST.bundle.encode())
    assert attributes(right) == {"epoch": 0, "verdict": "byte-identical", "bundle.bytes": size}
    assert attributes(unjudged) == {"epoch": 1, "verdict": "unjudged"}
    assert (right.status.is_ok, unjudged.status.is_ok) == (True, False)
    assert right.resource.attributes["service.name"] == "streamrp2p-auditor"
    reasons = [case.reason for case in state.cases() if case.reason]
    assert SECRET in reasons[0]
    assert SECRET not in kept.said()


@dataclass
class OneEpoch:
    """Where a watch finds a chain with one epoch, and its bundle."""

    batches: None = None
    domain: Domain = DOMAIN
    bundles: BundleStore = field(default_factory=lambda: BundleStore([Shelf()]))

    def prepare(self, _: type[FollowedBook]) -> "OneEpoch":
        return self

    def connect(self) -> Chain:
        return FakeBook(headers=[FIRST.header]).chain()


def test_a_watch_sends_its_traces_to_the_endpoint_that_was_named(
    tmp_path: Path, kept: KeptTraces, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str | None, str]] = []

    def traces_to(endpoint: str | None, actor: str) -> KeptTraces:
        asked.append((endpoint, actor))
        return kept

    monkeypatch.setattr(watch, "traces_to", traces_to)
    options = WatchOptions(tmp_path, once=True, traces_endpoint="http://127.0.0.1:4318/v1/traces")
    watch.watch(cast("Sources", OneEpoch()), options)
    assert asked == [("http://127.0.0.1:4318/v1/traces", "auditor")]
    assert attributes(kept.one("audit epoch"))["epoch"] == 0
    with kept.span("after the end"):
        pass
    assert kept.spans("after the end") == []


def prosecution(state: State, kept: KeptTraces, purse: Purse) -> Prosecution:
    return Prosecution(
        wallet=cast("Wallet", purse),
        state=state,
        bell=Bell(state, None, monotonic=lambda: 0.0),
        bundles=BundleStore([]),
        batches=None,
        limits=Limits(ZERO_ADDRESS, None),
        withdraw=False,
        monotonic=lambda: 0.0,
        traces=kept,
    )


CASE = Case(
    epoch=7,
    digest=b"d" * 28,
    committed_at=1000,
    challenge_ends_at=5000,
    verdict="wrong",
    since=1000,
)


@pytest.mark.parametrize("is_taken", [True, False])
def test_each_challenge_that_is_sent_is_a_span_with_its_epoch(
    state: State, kept: KeptTraces, is_taken: bool
) -> None:
    purse = Purse(is_taken)
    shown = f"challenge epoch 7: {SECRET}"
    prosecution(state, kept, purse)._send(FakeBook().chain(), CALL, "challenge", CASE, shown)
    assert purse.sent == [("challenge", CASE.key)]
    span = kept.one("send challenge")
    assert (attributes(span), span.status.is_ok) == ({"epoch": 7}, is_taken)
    assert SECRET not in kept.said()


def test_a_challenge_that_cannot_be_paid_is_a_failed_span_without_the_reason(
    state: State, kept: KeptTraces
) -> None:
    purse = Purse(InsufficientFundsError(f"https://rpc.example/{SECRET}: too little ether"))
    with pytest.raises(InsufficientFundsError):
        prosecution(state, kept, purse)._send(FakeBook().chain(), CALL, "withdraw", None, "")
    span = kept.one("send withdraw")
    assert (attributes(span), span.status.is_ok) == ({}, False)
    assert SECRET not in kept.said()


def test_watch_refuses_what_is_no_collectors_url(tmp_path: Path) -> None:
    arguments = [
        "watch", "--rpc", "http://127.0.0.1:9", "--deployment", "deployment.json", "--state", str(tmp_path),
        "--traces-endpoint", "127.0.0.1:4318",
    ]  # fmt: skip
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, "such as http://127.0.0.1:4318/v1/traces" in result.stderr) == (
        2,
        True,
    )
