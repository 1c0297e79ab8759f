"""`streamrp2p node explain` against a coordinator that may lie."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from streamrp2p import api
from streamrp2p.allocation import Terms
from streamrp2p.explanation import PoolInEpoch, explain
from streamrp2p.numbers import ZERO_ADDRESS, Address
from streamrp2p.settlement import PoolInput
from streamrp2p.signatures import sign
from streamrp2p.tally import Tally
from streamrp2p.typed_data import Domain, Rejection
from streamrp2p.verify import Code
from streamrp2p_node.cli import app
from tests.node.fakes import POSTER_KEY, make_config, make_pool
from tests.node.servers import serving
from tests.support.sessions import known_key

pytestmark = pytest.mark.integration

ACCOUNT = Address(b"\x33" * 20)
CONFIG = make_config(0)
STATE = PoolInEpoch(PoolInput(1, Terms(10**18, 10**17, ZERO_ADDRESS), 10**21), 0, 4 * 10**8)


def answer(poster_key: bytes = POSTER_KEY, account: Address = ACCOUNT) -> dict[str, Any]:
    """Return an honest answer, with a refusal that the key signed."""
    message = Rejection(bytes([7] * 32), 3, Code.OVER_RATE, 1_700_000_000)  # type: ignore[arg-type]
    digest = message.digest(Domain(CONFIG.chain_id, Address(CONFIG.epoch_book)))
    rejection = api.Rejection(
        session_id=message.session_id,
        sequence=message.sequence,
        code=message.code,
        received_at=message.received_at,
    )
    refusal = api.SignedRejection(
        rejection=rejection, signature=sign(digest, poster_key), reason="Too fast."
    )
    own = Tally(1, 10**8, 10**8, 10**8)
    return api.AccountEpoch(
        state="final",
        is_settled=True,
        explanation=api.Explanation.of(explain(account, 7, [STATE], {1: own})),
        refusal_count=5,
        refusals=[refusal],
    ).dump()


@dataclass
class Teller:
    """A coordinator with one answer."""

    answer: dict[str, Any]
    url: str = ""

    def respond(self, _method: str, path: str, _body: bytes) -> tuple[int, bytes]:
        answers: dict[str, Callable[[], object]] = {
            "/v1/config": CONFIG.dump,
            "/v1/pools": api.Pools(pools=[make_pool()]).dump,
        }
        return 200, json.dumps(answers[path]() if path in answers else self.answer).encode()

    def run(self, *options: str) -> Result:
        arguments = ("explain", "--coordinator", self.url, "--epoch", "7", *options)
        environment = {"STREAMRP2P_NODE_DIR": None, "STREAMRP2P_RPC": None}
        return CliRunner().invoke(app, arguments, env=environment)


@pytest.fixture
def teller() -> Iterator[Teller]:
    teller = Teller(answer())
    with serving(teller.respond) as teller.url:
        yield teller


def test_a_settled_epoch_is_explained(teller: Teller) -> None:
    shown = teller.run("--account", "0x" + ACCOUNT.hex())
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    assert lines[0] == f"epoch 7 of 0x{ACCOUNT.hex()}: settled and final"
    assert lines[-5:] == [
        "refused OVER_RATE (9), 2023-11-14 22:13:20 UTC",
        f"  session    0x{'07' * 32}, sequence 3",
        f"  signature  {teller.answer['refusals'][0]['signature']}",
        "  Too fast.",
        "4 more refusals are in the bundle",
    ]


def test_a_refusal_that_the_poster_did_not_sign_is_told(teller: Teller) -> None:
    teller.answer = answer(known_key(1))
    shown = teller.run("--account", "0x" + ACCOUNT.hex())
    assert "NOT signed by the poster" in shown.stdout


def test_an_amount_that_does_not_follow_is_refused(teller: Teller) -> None:
    teller.answer["explanation"]["pools"][0]["reward"] = "1"
    shown = teller.run("--account", "0x" + ACCOUNT.hex(), "--json")
    assert shown.exit_code == 1
    assert "does not follow from its own figures" in shown.stderr


def test_an_answer_about_something_else_is_refused(teller: Teller) -> None:
    shown = teller.run("--account", "0x" + "44" * 20)
    assert shown.exit_code == 1
    assert "another account or epoch" in shown.stderr


def test_a_node_must_be_named(teller: Teller) -> None:
    assert teller.run().exit_code == 2
