"""A node is registered only where viewers reach it; else it is relay-only, says why, and looks again."""

from dataclasses import dataclass, field, replace

import httpx
import pytest
from structlog.testing import capture_logs

from streamrp2p import api
from streamrp2p.client import ApiError
from streamrp2p.signatures import check_signer
from streamrp2p_node.background import Background
from streamrp2p_node.errors import NotReachableError
from streamrp2p_node.port_mapping import PortMapping, PortMappingError, endpoint_of
from streamrp2p_node.presence import Presence, Reach
from tests.node.conftest import World, somewhere
from tests.node.fakes import DOMAIN, ENDPOINT, NODE, NODE_KEY
from tests.node.fakes import problem as a_problem
from tests.node.test_background import background, run_until  # noqa: F401 - a fixture

CLOSED = api.CheckStep(
    step="tcp", ok=False, code="tcp-timeout", detail="nothing answers", fix="forward the port"
)
OPEN = api.CheckStep(step="tcp", ok=True, code="ok", detail="open")


@dataclass
class FakeMapper:
    """A router that answers as it is told."""

    answers: list[PortMapping | PortMappingError]
    removed: int = 0
    asked: int = field(default=0)

    async def ensure(self) -> PortMapping:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if isinstance(answer, PortMappingError):
            raise answer
        return answer

    async def remove(self) -> None:
        self.removed += 1


def found(world: World, *steps: api.CheckStep) -> None:
    world.coordinator.look = lambda endpoint: list(steps)


async def test_a_reachable_node_is_registered_and_the_question_is_signed(world: World) -> None:
    found(world, OPEN)
    await world.presence.update()
    assert world.presence.state is Reach.REACHABLE
    assert world.coordinator.nodes[NODE].endpoint == ENDPOINT
    (asked,) = world.coordinator.checks
    check_signer(asked.check.message().digest(DOMAIN), asked.signature, NODE, "the node")
    assert asked.check.requested_at == int(world.clock())


async def test_an_unreachable_node_is_not_registered_until_it_is_reached(world: World) -> None:
    found(world, CLOSED)
    with capture_logs() as logs:
        await world.presence.update()
        await world.presence.update()
    (warning,) = [log for log in logs if log["log_level"] == "warning"]
    assert warning["event"] == "node_unreachable"
    assert "192.168.1.20 port 8200" in warning["fix"]
    assert world.presence.state is Reach.RELAY_ONLY
    assert world.coordinator.nodes == {}
    found(world, OPEN)
    await world.presence.update()
    assert world.coordinator.nodes[NODE].endpoint == ENDPOINT


async def test_the_loop_looks_again_until_the_node_is_reached(
    world: World,
    background: Background,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streamrp2p_node.presence.RECHECK_SECONDS", dict.fromkeys(Reach, 0.01))

    def look(endpoint: str) -> list[api.CheckStep]:
        return [CLOSED] if len(world.coordinator.checks) < 4 else [OPEN]

    world.coordinator.look = look
    await run_until(background, lambda: NODE in world.coordinator.nodes)
    assert len(world.coordinator.checks) == 4


async def test_it_looks_again_soon_and_then_less_often(world: World) -> None:
    found(world, CLOSED)
    waits = []
    for _ in range(5):
        await world.presence.update()
        waits.append(world.presence.next_look_seconds())
    assert waits == [5, 10, 20, 30, 30]
    found(world, OPEN)
    await world.presence.update()
    assert world.presence.next_look_seconds() == 300


async def test_status_tells_what_to_fix(world: World) -> None:
    found(world, OPEN, CLOSED)
    await world.presence.update()
    status = (await world.http.get("/v1/status")).json()["reachability"]
    assert (status["state"], status["endpoint"]) == ("relay-only", ENDPOINT)
    assert status["checkedAt"] == int(world.clock())
    assert [step["code"] for step in status["steps"]] == ["ok", "tcp-timeout"]


@pytest.mark.parametrize(
    "answer", [(404, "not-found"), (405, "method-not-allowed"), (429, "too-often"), (503, "unavailable")]
)  # fmt: skip
async def test_a_coordinator_that_cannot_look_keeps_no_node_out(
    world: World, answer: tuple[int, str]
) -> None:
    def fails(path: str) -> httpx.Response | None:
        status, body = a_problem(*answer)
        return httpx.Response(status, content=body) if path == "/v1/reachability" else None

    world.coordinator.fails = fails
    await world.presence.update()
    assert world.presence.state is Reach.UNCHECKED
    assert NODE in world.coordinator.nodes


async def test_a_node_that_was_not_reached_stays_so_while_nobody_can_look(world: World) -> None:
    found(world, CLOSED)
    await world.presence.update()
    world.coordinator.look = None
    await world.presence.update()
    assert world.presence.state is Reach.RELAY_ONLY
    assert [step.code for step in world.presence.steps] == ["tcp-timeout"]
    assert world.coordinator.nodes == {}


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"null", b'{"endpoint":"x","isReachable":true,"steps":[{}],"checkedAt":1}']
)
async def test_an_answer_that_is_none_is_not_believed(world: World, body: bytes) -> None:
    world.coordinator.fails = lambda path: (
        httpx.Response(200, content=body) if path == "/v1/reachability" else None
    )
    with pytest.raises(ApiError):
        await world.presence.update()
    assert world.coordinator.nodes == {}


async def test_what_a_coordinator_writes_is_fit_for_a_terminal(world: World) -> None:
    hostile = CLOSED.model_copy(update={"detail": "\x1b[2J\u202egone\n", "code": "\x07"})
    found(world, hostile)
    await world.presence.update()
    (step,) = world.presence.steps
    assert (step.detail.isprintable(), step.code.isprintable()) == (True, True)


def with_upnp(
    world: World, *answers: PortMapping | PortMappingError, endpoint: str | None = None
) -> Presence:
    return Presence(
        replace(world.settings, endpoint=endpoint, upnp=True),
        world.client,
        world.view,
        NODE,
        NODE_KEY,
        FakeMapper(list(answers)),
        somewhere,
    )


GIVEN = PortMapping("198.51.100.7", 8203, "192.168.1.20")
REFUSED = PortMappingError("upnp-refused", "the router refuses", "switch UPnP on")


async def test_the_endpoint_is_made_of_what_the_router_gave(world: World) -> None:
    found(world, OPEN)
    presence = with_upnp(world, GIVEN)
    await presence.update()
    assert world.coordinator.nodes[NODE].endpoint == "http://198.51.100.7:8203"


async def test_a_new_external_address_is_registered_by_itself(world: World) -> None:
    found(world, OPEN)
    presence = with_upnp(world, GIVEN, replace(GIVEN, external_address="198.51.100.8"))
    await presence.update()
    await presence.update()
    assert world.coordinator.nodes[NODE].endpoint == "http://198.51.100.8:8203"
    assert len(world.coordinator.registrations) == 2


async def test_without_a_mapping_and_an_endpoint_the_node_is_relay_only(world: World) -> None:
    found(world, OPEN)
    presence = with_upnp(world, REFUSED, GIVEN)
    await presence.update()
    assert (presence.state, presence.endpoint) == (Reach.RELAY_ONLY, None)
    assert [step.code for step in presence.steps] == ["upnp-refused"]
    with pytest.raises(NotReachableError):
        await presence.register()
    assert world.coordinator.checks == []
    await presence.update()
    assert presence.state is Reach.REACHABLE


async def test_behind_a_second_router_the_node_is_relay_only_and_says_so(world: World) -> None:
    found(world, OPEN)
    presence = with_upnp(world, replace(GIVEN, external_address="100.64.3.2", why_not_public="is shared"))  # fmt: skip
    with capture_logs() as logs:
        await presence.update()
    assert presence.state is Reach.RELAY_ONLY
    assert presence.steps[0].code == "double-nat"
    assert "public IPv4" in next(log["fix"] for log in logs if "fix" in log)


async def test_a_router_that_fails_does_not_matter_where_the_endpoint_is_reached(
    world: World,
) -> None:
    found(world, OPEN)
    presence = with_upnp(world, REFUSED, endpoint=ENDPOINT)
    await presence.update()
    assert presence.state is Reach.REACHABLE
    assert [step.code for step in presence.steps] == ["upnp-refused", "ok"]


async def test_the_mapping_is_given_back(world: World) -> None:
    presence = with_upnp(world, GIVEN)
    await presence.close()
    assert isinstance(presence.mapper, FakeMapper)
    assert presence.mapper.removed == 1


@pytest.mark.parametrize(
    ("wanted", "endpoint"),
    [
        (None, "http://198.51.100.7:8203"),
        ("http://node.example:8203", "http://node.example:8203"),
        ("http://node.example:8200", "http://node.example:8203"),
        ("https://node.example", "https://node.example:8203"),
        ("https://node.example/under", "https://node.example:8203/under"),
        ("http://[2001:db8::1]:8200", "http://[2001:db8::1]:8203"),
    ],
)
def test_an_endpoint_has_the_port_that_the_router_gave(wanted: str | None, endpoint: str) -> None:
    assert endpoint_of(wanted, GIVEN) == endpoint


def test_without_a_mapping_an_endpoint_is_as_it_was_wanted() -> None:
    assert endpoint_of(ENDPOINT, None) == ENDPOINT
    assert endpoint_of(None, None) is None


async def test_the_node_proves_itself_by_any_nonce(world: World) -> None:
    nonce = bytes(range(32))
    answer = (await world.http.get(f"/v1/identity?nonce=0x{nonce.hex()}")).json()
    signed = api.SignedIdentity.model_validate(answer)
    assert (signed.identity.node, signed.identity.nonce) == (NODE, nonce)
    assert signed.identity.signed_at == int(world.clock())
    check_signer(signed.identity.message().digest(DOMAIN), signed.signature, NODE, "the node")


@pytest.mark.parametrize("nonce", ["", "0x", "0x12", "12" * 32, "0x" + "gg" * 32, "0x" + "0" * 65])
async def test_what_is_no_nonce_is_refused(world: World, nonce: str) -> None:
    answer = await world.http.get("/v1/identity", params={"nonce": nonce})
    assert (answer.status_code, answer.json()["type"]) == (
        422,
        "urn:streamrp2p:problem:bad-request",
    )
