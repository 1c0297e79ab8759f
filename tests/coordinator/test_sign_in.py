"""Accounts sign in once for an hour, and see what is their own alone."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from streamrp2p import api
from streamrp2p.chain import connect
from streamrp2p.chain.contract_accounts import is_valid_signature
from streamrp2p.chain.rpc import request
from streamrp2p.numbers import Address, Hash
from streamrp2p.sign_in import MAX_SECONDS, checksummed, signed_digest
from streamrp2p.signatures import address_of, sign
from streamrp2p_coordinator.tables import SignInNonceRow, SignInRow, table_of
from streamrp2p_coordinator.use_cases.sign_in import SIGNED_IN_SECONDS
from tests.coordinator.actors import known_key
from tests.coordinator.world import World

ORIGIN = "https://dash.example"
KEY, OTHER_KEY = known_key(50), known_key(51)
ACCOUNT = address_of(KEY)


@pytest.fixture
def dashboard(world: World) -> World:
    """Let accounts sign in from one dashboard."""
    world.services.dashboard_origins = (ORIGIN,)
    return world


def nonce(world: World) -> str:
    return str(world.request("POST", "/v1/sign-in/nonce").json()["nonce"])


def message(world: World, **changes: object) -> str:
    issued_at = datetime.fromtimestamp(world.clock.now, UTC)
    says = {
        "domain": "dash.example",
        "chain_id": 31337,
        "nonce": changes.get("nonce") or nonce(world),
        **changes,
    }
    return (
        f"{says['domain']} wants you to sign in with your Ethereum account:\n{checksummed(ACCOUNT)}\n\n\n"
        f"URI: {ORIGIN}/me\nVersion: 1\nChain ID: {says['chain_id']}\nNonce: {says['nonce']}\n"
        f"Issued At: {issued_at:%Y-%m-%dT%H:%M:%SZ}"
    )


def sent(world: World, text: str, signature: bytes | None = None) -> httpx.Response:
    signed = sign(signed_digest(text), KEY) if signature is None else signature
    return world.request("POST", "/v1/sign-in", api.SignInRequest(message=text, signature=signed))


def bearer(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def me(world: World, headers: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
    answer = world.request("GET", "/v1/me", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json()


def test_an_account_sees_its_nodes_refusals_and_pools(dashboard: World) -> None:
    node = dashboard.node(payout=ACCOUNT)
    dashboard.node(OTHER_KEY, payout=address_of(OTHER_KEY))
    early = dashboard.viewer(node.address).record(1, 10**10)
    dashboard.submit(node.batch(1, [early]))
    dashboard.chain.add_pool(2, address_of(KEY), streamer=ACCOUNT)
    dashboard.sync()
    answer = sent(dashboard, message(dashboard))

    shown = me(dashboard, bearer(answer))

    assert answer.json()["account"] == shown["account"] == "0x" + ACCOUNT.hex()
    assert shown["expiresAt"] == dashboard.clock.now + SIGNED_IN_SECONDS
    (own,) = shown["nodes"]
    assert own["node"] == "0x" + node.address.hex()
    assert (own["isHealthy"], own["checkedAt"]) == (True, dashboard.clock.now)
    (refused,) = own["refusals"]
    assert (refused["epoch"], refused["count"]) == (1, 1)
    assert len(dashboard.get(refused["explanation"])["refusals"]) == 1
    assert shown["pools"] == [{"poolId": 2, "nodes": []}]


def test_a_message_is_good_once(dashboard: World) -> None:
    text = message(dashboard)
    assert sent(dashboard, text).status_code == 200
    again = sent(dashboard, text)
    assert (again.status_code, again.json()["type"][-15:]) == (422, "invalid-sign-in")
    assert "nonce was used" in again.json()["detail"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"domain": "evil.example"}, "a page of evil.example"),
        ({"chain_id": 1}, "sign in on chain 31337"),
        ({"nonce": "madeUpByMyself"}, "nonce was used or is too old"),
    ],
)
def test_a_message_for_another_page_or_chain_or_with_an_own_nonce(
    dashboard: World, changes: dict[str, object], told: str
) -> None:
    answer = sent(dashboard, message(dashboard, **changes))
    assert (answer.status_code, told in answer.json()["detail"]) == (422, True)


def test_a_message_and_its_nonce_expire(dashboard: World) -> None:
    text, kept = message(dashboard), nonce(dashboard)
    dashboard.travel_to(dashboard.clock.now + MAX_SECONDS)
    assert "too old" in sent(dashboard, text).json()["detail"]
    assert "nonce" in sent(dashboard, message(dashboard, nonce=kept)).json()["detail"]


def test_another_keys_signature_uses_the_nonce_up(dashboard: World) -> None:
    text = message(dashboard)
    wrong = sent(dashboard, text, sign(signed_digest(text), OTHER_KEY))
    assert (wrong.status_code, "not signed by" in wrong.json()["detail"]) == (422, True)
    assert "nonce was used" in sent(dashboard, text).json()["detail"]
    assert sent(dashboard, "hello").status_code == 422


def test_a_contract_signs_in_by_its_own_word(dashboard: World) -> None:
    text = message(dashboard)
    dashboard.chain.contract_signatures.add((ACCOUNT, signed_digest(text), b"any form"))
    assert me(dashboard, bearer(sent(dashboard, text, b"any form")))["nodes"] == []


def test_a_token_ends_with_its_hour_or_by_signing_out_and_is_kept_nowhere(
    dashboard: World,
) -> None:
    out, late = (bearer(sent(dashboard, message(dashboard))) for _ in range(2))
    with dashboard.database.engine.connect() as connection:
        rows = connection.execute(table_of(SignInRow).select()).all()
    assert len(rows) == 2
    assert not [token for token in (out, late) if token["Authorization"][7:] in repr(rows)]

    assert dashboard.request("POST", "/v1/sign-out", headers=out).status_code == 200
    assert dashboard.request("GET", "/v1/me", headers=out).status_code == 401
    me(dashboard, late)
    dashboard.travel_to(dashboard.clock.now + SIGNED_IN_SECONDS)
    refused = dashboard.request("GET", "/v1/me", headers=late)
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert dashboard.request("GET", "/v1/me").status_code == 401
    nonce(dashboard)
    with dashboard.database.engine.connect() as connection:
        assert connection.execute(table_of(SignInRow).select()).all() == []
        assert len(connection.execute(table_of(SignInNonceRow).select()).all()) == 1


def test_without_a_dashboard_nobody_signs_in(world: World) -> None:
    answer = world.request("POST", "/v1/sign-in/nonce")
    assert (answer.status_code, "dashboard_origins" in answer.json()["detail"]) == (404, True)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("code", "accepts"),
    [
        ("631626ba7e60e01b60005260206000f3", True),  # returns the magic value
        ("600160005260206000f3", False),  # returns 1
        ("60006000fd", False),  # reverts
        ("", False),  # no contract
    ],
)
def test_a_contracts_word_on_the_chain(anvil: str, code: str, accepts: bool) -> None:
    web3, account = connect(anvil), Address(b"\x77" * 20)
    request(web3, "anvil_setCode", ["0x" + account.hex(), "0x" + code])
    assert is_valid_signature(web3, account, Hash(b"\x01" * 32), b"any form") is accepts
