"""`streamrp2p node appeal`: what it signs and sends, and how answers are shown."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from streamrp2p import api
from streamrp2p.keys import create_keystore
from streamrp2p.signatures import check_signer
from streamrp2p.verify import Code
from streamrp2p_node.cli import app
from tests.node.fakes import DOMAIN, NODE, NODE_KEY
from tests.node.servers import serving
from tests.node.test_explain import CONFIG, answer

pytestmark = pytest.mark.integration


class Clerk:
    """A coordinator that files appeals."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.filed: list[api.SignedAppeal] = []
        self.url = ""

    def respond(self, _method: str, path: str, body: bytes) -> tuple[int, bytes]:
        if path == "/v1/config":
            return 200, CONFIG.model_dump_json(by_alias=True).encode()
        if path == "/v1/appeals":
            self.filed.append(api.SignedAppeal.model_validate_json(body))
            return 200, json.dumps(self.shown()[-1]).encode()
        if path.endswith("/appeals"):
            return 200, json.dumps({"appeals": self.shown()}).encode()
        return 200, json.dumps(answer(account=NODE)).encode()

    def shown(self) -> list[dict[str, Any]]:
        return [
            api.FiledAppeal(
                id=number, appeal=one.appeal, filed_at=1, answer="it stays", answered_at=2
            ).dump()
            for number, one in enumerate(self.filed)
        ]

    def run(self, *options: str) -> Result:
        password = self.folder.with_suffix(".password")
        arguments = [
            *("appeal", "--dir", str(self.folder), "--coordinator", self.url),
            *("--password-file", str(password), *options),
        ]
        return CliRunner().invoke(app, arguments)


@pytest.fixture
def clerk(tmp_path: Path) -> Iterator[Clerk]:
    clerk = Clerk(tmp_path / "node")
    clerk.folder.mkdir()
    create_keystore(clerk.folder / "node.keystore.json", "correct horse", NODE_KEY, scrypt_n=2)
    clerk.folder.with_suffix(".password").write_text("correct horse\n")
    with serving(clerk.respond) as clerk.url:
        yield clerk


def test_an_appeal_names_the_refusal_and_is_signed_by_the_node(clerk: Clerk) -> None:
    done = clerk.run("--epoch", "7", "--text", "the clock was right")
    assert done.exit_code == 0, done.output
    (filed,) = clerk.filed
    message = filed.appeal.message()
    assert (message.node, message.session_id, message.sequence) == (NODE, bytes([7] * 32), 3)
    assert (message.code, message.text) == (Code.OVER_RATE, "the clock was right")
    check_signer(message.digest(DOMAIN), filed.signature, NODE, "the node")

    assert clerk.run().output.splitlines() == [
        f"appeal 0: OVER_RATE of session 0x{'07' * 32}, sequence 3",
        "  objection  the clock was right",
        "  answer     it stays",
    ]
    assert json.loads(clerk.run("--json").output)[0]["answer"] == "it stays"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--epoch", "7"), "say why with --text"),
        (("--text", "x"), "name the epoch of the refusals with --epoch"),
        (("--session", "0x" + "aa" * 32), "name the epoch of the refusals with --epoch"),
        (("--epoch", "7", "--text", "x", "--session", "0x12"), "64 hex digits"),
        (("--epoch", "7", "--text", "x", "--session", "0x" + "aa" * 32), "no such refusal"),
    ],
)
def test_what_cannot_be_meant_is_told(clerk: Clerk, options: tuple[str, ...], said: str) -> None:
    done = clerk.run(*options)
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())
    assert clerk.filed == []
