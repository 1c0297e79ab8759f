"""The operator's routes: closed to everybody else, and a suspended node gets no viewers."""

from pathlib import Path

import httpx
import pytest

from streamrp2p import api
from streamrp2p.keys import KeystoreError
from streamrp2p.signatures import address_of
from streamrp2p_coordinator.assembly import admin_token
from streamrp2p_coordinator.errors import ConfigurationError
from streamrp2p_coordinator.jobs import run_health
from streamrp2p_coordinator.settings import Settings
from tests.coordinator.world import VIEWER_KEY, World

TOKEN = "0123456789abcdef" * 4
STATUS = "/v1/admin/status"


def admin(world: World, method: str, path: str, token: str = TOKEN) -> httpx.Response:
    return world.request(method, path, headers={"Authorization": f"Bearer {token}"})


def settings(file: Path) -> Settings:
    return Settings(
        rpc_url="http://rpc.example",
        deployment=file,
        poster_keystore=file,
        ticket_signer_keystore=file,
        admin_token_file=file,
    )


def test_without_a_token_in_the_settings_there_are_no_such_routes(world: World) -> None:
    assert world.request("GET", STATUS).status_code == 404
    assert admin(world, "GET", STATUS, "").status_code == 404


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer ", "Bearer", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", "Bearer ü"],
)  # fmt: skip
def test_nobody_without_the_token_comes_in(world: World, header: str | None) -> None:
    world.services.admin_token = TOKEN
    node = "0x" + world.node().address.hex()
    headers = (
        {} if header is None else {"Authorization": header.encode("latin-1").decode("latin-1")}
    )
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    for method, path in (("GET", STATUS), ("POST", f"/v1/admin/nodes/{node}/suspend")):
        answer = world.request(method, path, headers=raw)  # type: ignore[arg-type]
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert TOKEN not in answer.text
    assert world.get(f"/v1/nodes/{node}")["isHealthy"]


def test_a_suspended_node_gets_no_viewers_until_it_is_resumed(world: World) -> None:
    world.services.admin_token = TOKEN
    node = world.node()
    shown = "0x" + node.address.hex()
    watch = api.SessionRequest(pool_id=1, viewer=address_of(VIEWER_KEY))
    assert world.request("POST", "/v1/sessions", watch).status_code == 200

    suspended = admin(world, "POST", f"/v1/admin/nodes/{shown}/suspend")
    assert (suspended.status_code, suspended.json()["isHealthy"]) == (200, False)
    run_health(world.services)
    # Nor after it registers anew, at another endpoint.
    world.node(nonce=1, endpoint="http://127.0.0.1:8300")
    assert world.request("POST", "/v1/sessions", watch).status_code == 503
    assert admin(world, "GET", STATUS).json()["suspendedNodes"] == [shown]

    # What it has is paid all the same.
    answer = world.submit(node.batch(1, [world.viewer(node.address).record(1, 10)]))
    assert answer.ack.accepted == 1

    assert admin(world, "POST", f"/v1/admin/nodes/{shown}/resume").json()["isHealthy"]
    assert world.request("POST", "/v1/sessions", watch).status_code == 200
    assert admin(world, "GET", STATUS).json()["suspendedNodes"] == []


def test_a_node_that_never_registered_is_not_found(world: World) -> None:
    world.services.admin_token = TOKEN
    path = f"/v1/admin/nodes/0x{'ab' * 20}/suspend"
    assert admin(world, "POST", path).status_code == 404


def test_the_status_tells_where_things_stand(world: World) -> None:
    world.services.admin_token = TOKEN
    world.services.failures["settle"] = "the bundle is gone"
    status = admin(world, "GET", STATUS).json()
    assert (status["ended"], status["committed"], status["isBonded"]) == (1, 0, True)
    assert status["posterBalanceWei"] == str(10**18)
    assert status["failingJobs"] == {"settle": "the bundle is gone"}


def test_the_token_comes_from_a_file_that_nobody_else_reads(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    file.chmod(0o644)
    with pytest.raises(KeystoreError, match="chmod 600"):
        admin_token(settings(file))
    file.chmod(0o600)
    assert admin_token(settings(file)) == TOKEN
    file.write_text("too short")
    with pytest.raises(ConfigurationError, match="at least 32") as refused:
        admin_token(settings(file))
    assert "too short" not in str(refused.value)
