"""Whatever is sent, the answer is an answer or a problem (RFC 9457), and never a failure of the coordinator."""

import json
from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamrp2p import api
from streamrp2p.errors import StreamrP2PError
from streamrp2p.receipt import RECORD_LENGTH
from streamrp2p.verify import Code
from streamrp2p_coordinator.network import Policy
from streamrp2p_coordinator.web import examples
from streamrp2p_coordinator.web.limits import max_body_bytes
from tests.coordinator.actors import Node, known_key
from tests.coordinator.world import World

MANY = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ROUTES = ("/v1/nodes", "/v1/sessions", "/v1/batches")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
EXAMPLES: dict[str, Callable[[], object]] = {
    "/v1/nodes": examples.registration,
    "/v1/sessions": examples.session_request,
    "/v1/batches": examples.batch,
}


@pytest.fixture
def database_kind() -> str:
    """Name SQLite alone: these are thousands of requests, and nothing here depends on the database."""
    return "sqlite"


def check(world: World, method: str, path: str, content: bytes | None = None) -> int:
    """Send a request whose answer must be ours; its status."""
    answer = world.request(method, path, content=content)
    assert answer.status_code < 500 or answer.status_code == 503, answer.text
    if answer.status_code >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"
        problem = api.Problem.model_validate_json(answer.content)
        assert problem.type.startswith("urn:streamrp2p:problem:")
        assert problem.status == answer.status_code
        assert problem.detail
    return answer.status_code


@MANY
@given(path=st.sampled_from(ROUTES), content=st.binary(max_size=300))
def test_any_bytes(world: World, path: str, content: bytes) -> None:
    assert check(world, "POST", path, content) in (400, 422)


@MANY
@given(path=st.sampled_from(ROUTES), value=JSON)
def test_any_json(world: World, path: str, value: object) -> None:
    assert check(world, "POST", path, json.dumps(value).encode()) in (400, 422)


@MANY
@given(path=st.sampled_from(ROUTES), data=st.data())
def test_a_valid_message_with_one_wrong_part(world: World, path: str, data: st.DataObject) -> None:
    message = EXAMPLES[path]()
    holder: object = message
    while True:
        assert isinstance(holder, dict)
        name = data.draw(st.sampled_from(sorted(holder)))
        if not isinstance(holder[name], dict):
            break
        holder = holder[name]
    holder[name] = data.draw(JSON)
    check(world, "POST", path, json.dumps(message).encode())


@MANY
@given(record=st.binary(min_size=RECORD_LENGTH, max_size=RECORD_LENGTH))
def test_any_session_record_of_the_right_length_is_rejected_by_a_code(
    world: World, record: bytes
) -> None:
    node = Node(known_key(3), world.domain)
    world.post("/v1/nodes", node.registration())
    number = int.from_bytes(sha256(record).digest()[:8])
    answer = world.submit(node.batch(1, [record], number=number))
    (rejection,) = answer.rejections
    assert rejection.rejection.code in {Code.WRONG_EPOCH, Code.INTAKE_CLOSED}


@MANY
@given(place=st.integers(0, RECORD_LENGTH - 1), flip=st.integers(1, 255))
def test_a_good_record_with_any_byte_changed_is_rejected(
    world: World, place: int, flip: int
) -> None:
    node = Node(known_key(3), world.domain)
    world.post("/v1/nodes", node.registration())
    record = bytearray(world.viewer(node.address).record(1, 1_000_000, 900_000).encode())
    record[place] ^= flip
    batch = node.batch(1, [bytes(record)], number=place * 256 + flip)
    assert world.submit(batch).ack.accepted == 0


@pytest.mark.parametrize("path", ROUTES)
def test_deeply_nested_json(world: World, path: str) -> None:
    assert check(world, "POST", path, b"[" * 10_000) in (400, 422)
    assert check(world, "POST", path, b'{"a":' * 3_000) in (400, 422)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1/nothing", 404),
        ("PUT", "/v1/nodes", 405),
        ("GET", "/v1/pools/x", 422),
        ("GET", "/v1/pools/4294967296", 422),
        ("GET", "/v1/pools/7", 404),
        ("GET", "/v1/nodes/0x12", 422),
        ("GET", f"/v1/nodes/0x{'ab' * 20}", 404),
        ("GET", f"/v1/accounts/0x{'ab' * 20}/claim", 404),
        ("GET", f"/v1/accounts/0x{'ab' * 20}/claim?epoch=-1", 422),
        ("GET", f"/v1/accounts/0x{'ab' * 20}/claim?epoch=18446744073709551616", 422),
        ("GET", f"/v1/accounts/0x{'ab' * 20}/earnings", 200),
        ("GET", "/v1/epochs/99999", 404),
        ("GET", "/v1/epochs/9223372036854775807", 404),
        ("GET", "/v1/epochs/9223372036854775808", 422),
        ("GET", "/v1/epochs?limit=0", 422),
        ("GET", "/v1/epochs?limit=1000", 200),
        ("GET", f"/v1/bundles/0x{'00' * 32}", 404),
        ("GET", "/v1/bundles/..%2F..%2Fetc%2Fpasswd", 404),
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
    ],
)
def test_each_wrong_request_has_its_status(
    world: World, method: str, path: str, status: int
) -> None:
    assert check(world, method, path) == status


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(world: World) -> None:
    limit = max_body_bytes(world.services.policy.max_batch_records)
    assert check(world, "POST", "/v1/batches", b" " * limit) == 422
    assert check(world, "POST", "/v1/batches", b" " * (limit + 1)) == 413


def test_a_body_that_does_not_say_its_length_is_counted(world: World) -> None:
    answer = world.request(
        "POST",
        "/v1/batches",
        content=b" " * (max_body_bytes(50) + 1),
        headers={"Content-Length": "0"},
    )
    assert answer.status_code == 413


def test_pages_of_any_origin_may_ask(world: World) -> None:
    answer = world.request("GET", "/v1/pools", headers={"Origin": "https://player.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    preflight = world.request(
        "OPTIONS",
        "/v1/sessions",
        headers={
            "Origin": "https://player.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        },
    )
    assert preflight.status_code == 200


def test_a_silent_chain_is_a_503_that_may_be_tried_again(world: World) -> None:
    class DownError(StreamrP2PError):
        retryable = True

    def down() -> None:
        raise DownError("http://rpc.example/key-of-the-operator does not answer")

    world.chain.newest = down  # type: ignore[method-assign, assignment]
    answer = world.request("GET", "/readyz")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert "key-of-the-operator" not in answer.text


def test_a_bug_is_a_problem_that_tells_nothing_of_the_inside(world: World) -> None:
    def broken() -> int:
        raise ZeroDivisionError("secret")

    world.services.clock = broken
    answer = world.request("GET", "/v1/config")
    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "secret" not in answer.text


def test_every_example_of_the_documentation_is_a_valid_message() -> None:
    pairs = (
        (api.Config, examples.config()),
        (api.Pools, examples.pools()),
        (api.SignedRegistration, examples.registration()),
        (api.Nodes, examples.nodes()),
        (api.SessionRequest, examples.session_request()),
        (api.Session, examples.session()),
        (api.Batch, examples.batch()),
        (api.BatchAnswer, examples.batch_answer()),
        (api.SignedAppeal, examples.appeal()),
        (api.FiledAppeals, examples.filed_appeals()),
        (api.Epochs, examples.epochs()),
        (api.Earnings, examples.earnings()),
        (api.Claim, examples.claim()),
    )
    for model, example in pairs:
        assert model.model_validate(example).dump() == example
    assert api.Claim.model_validate(examples.claim()).proof().is_valid()


def test_the_limit_leaves_room_for_the_largest_batch() -> None:
    batch = examples.batch()
    overhead = len(json.dumps(batch)) - len(str(batch["records"]))
    policy = Policy()
    assert overhead < max_body_bytes(0)
    assert max_body_bytes(policy.max_batch_records) >= overhead + 2 * RECORD_LENGTH * 1000
