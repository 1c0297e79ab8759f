"""The coordinator's client: exact requests, typed answers, bounded and repeated only where that is safe."""

import json
from collections.abc import Callable, Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrp2p import api
from streamrp2p.client import ApiError, BadAnswerError, CoordinatorClient, UnreachableError
from streamrp2p.errors import MalformedError
from streamrp2p.http_api import check_base_url
from streamrp2p.keccak import keccak
from streamrp2p.node_client import NodeClient

NODE = bytes(range(20))
NODE_HEX = "0x" + NODE.hex()
NODE_JSON = {
    "node": NODE_HEX,
    "payout": NODE_HEX,
    "endpoint": "http://127.0.0.1:8200",
    "nonce": 0,
    "registration": "done",
    "isHealthy": True,
    "openSessions": 3,
}
Handler = Callable[[httpx.Request], httpx.Response]


class Server:
    """Answers from a script and remembers the requests."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, base_url: str = "http://127.0.0.1:8000") -> CoordinatorClient:
        return CoordinatorClient(
            base_url, transport=httpx.MockTransport(self), sleep=self.slept.append
        )


def problem(status: int, slug: str, detail: str, **headers: str) -> httpx.Response:
    body = {
        "type": f"urn:streamrp2p:problem:{slug}",
        "title": "Refused",
        "status": status,
        "detail": detail,
    }
    headers["Content-Type"] = "application/problem+json"
    return httpx.Response(status, json=body, headers=headers)


def batch() -> api.Batch:
    submission = api.ReceiptSubmission(
        node=NODE, epoch=4, batch_number=2, batch_root=bytes(32), count=0
    )
    return api.Batch(submission=submission, signature=bytes(65), records=b"")


def answer_to_batch() -> dict[str, object]:
    ack = api.BatchAck(
        node=NODE, epoch=4, batch_number=2, accepted_root=bytes(32), accepted=0, received_at=9
    )
    return api.BatchAnswer(ack=ack, signature=bytes(65), rejections=[]).dump()


def registration() -> api.SignedRegistration:
    wanted = api.NodeRegistration(
        node=NODE, payout=NODE, endpoint="http://127.0.0.1:8200", nonce=0, deadline=9
    )
    return api.SignedRegistration(registration=wanted, signature=bytes(65))


def test_node_is_read_from_its_own_url() -> None:
    server = Server(httpx.Response(200, json=NODE_JSON))
    node = server.client("http://127.0.0.1:8000/").node(NODE)
    assert (node.node, node.open_sessions, node.is_healthy) == (NODE, 3, True)
    assert str(server.requests[0].url) == f"http://127.0.0.1:8000/v1/nodes/{NODE_HEX}"


def test_base_url_may_have_a_path() -> None:
    server = Server(httpx.Response(200, json={"nodes": [NODE_JSON]}))
    assert len(server.client("https://example.org/settle").nodes()) == 1
    assert str(server.requests[0].url) == "https://example.org/settle/v1/nodes"


def test_query_names_only_what_is_given() -> None:
    server = Server(*(httpx.Response(200, json={"epochs": []}) for _ in range(2)))
    client = server.client()
    client.epochs()
    client.epochs(limit=5)
    assert [str(request.url.query, "ascii") for request in server.requests] == ["", "limit=5"]


def test_batch_is_posted_in_its_wire_form() -> None:
    server = Server(httpx.Response(200, json=answer_to_batch()))
    answer = server.client().submit(batch())
    assert answer.ack.batch_number == 2
    request = server.requests[0]
    assert (request.method, request.url.path) == ("POST", "/v1/batches")
    assert json.loads(request.content)["submission"]["batchNumber"] == 2
    assert json.loads(request.content)["records"] == "0x"


def test_claim_of_an_epoch_is_asked_for() -> None:
    server = Server(problem(404, "no-claim", "nothing was earned yet"))
    with pytest.raises(ApiError, match="nothing was earned yet") as caught:
        server.client().claim(NODE, 7)
    assert (caught.value.status, caught.value.slug, caught.value.retryable) == (
        404,
        "no-claim",
        False,
    )
    assert str(server.requests[0].url) == (
        f"http://127.0.0.1:8000/v1/accounts/{NODE_HEX}/claim?epoch=7"
    )


def test_transient_failures_of_a_get_are_repeated_with_growing_pauses() -> None:
    server = Server(
        httpx.ConnectError("refused"),
        problem(503, "settling", "try again"),
        httpx.Response(200, json={"pools": []}),
    )
    assert server.client().pools() == []
    assert server.slept == [0.25, 0.5]


def test_pause_that_the_server_asks_for_is_kept_but_bounded() -> None:
    server = Server(
        problem(429, "too-many", "slow down", **{"Retry-After": "2"}),
        problem(429, "too-many", "slow down", **{"Retry-After": "9999"}),
        httpx.Response(200, json={"pools": []}),
    )
    assert server.client().pools() == []
    assert server.slept == [2.0, 5.0]


def test_batch_is_repeated_because_it_is_idempotent() -> None:
    server = Server(httpx.ReadTimeout("slow"), httpx.Response(200, json=answer_to_batch()))
    server.client().submit(batch())
    first, second = server.requests
    assert first.content == second.content


def test_registration_is_sent_once_only() -> None:
    server = Server(httpx.ReadTimeout("slow"))
    with pytest.raises(UnreachableError, match="did not answer in time"):
        server.client().register(registration())
    assert len(server.requests) == 1


def test_refusal_is_not_repeated() -> None:
    server = Server(problem(404, "unknown-pool", "there is no pool 9; see /v1/pools"))
    with pytest.raises(ApiError, match="there is no pool 9"):
        server.client().pool(9)
    assert len(server.requests) == 1


def test_silence_is_retryable_and_names_the_server() -> None:
    server = Server(*(httpx.ConnectError("refused") for _ in range(3)))
    with pytest.raises(
        UnreachableError, match=r"http://127\.0\.0\.1:8000 is not reachable"
    ) as caught:
        server.client().config()
    assert caught.value.retryable
    assert len(server.requests) == 3


def test_lasting_overload_is_retryable() -> None:
    server = Server(*(problem(503, "settling", "wait a little") for _ in range(3)))
    with pytest.raises(ApiError, match="wait a little") as caught:
        server.client().config()
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"not json", "Config"),
        (b"[]", "Config"),
        (b"{}", "chainId"),
        (b'{"pools": ', "Config"),
        (b"[" * 100_000, "Config"),
        (b"\xff\xfe", "Config"),
    ],
)
def test_answer_of_another_shape_is_named(body: bytes, said: str) -> None:
    server = Server(httpx.Response(200, content=body))
    with pytest.raises(BadAnswerError, match=said) as caught:
        server.client().config()
    assert not caught.value.retryable


def test_answer_with_a_number_out_of_range_is_refused() -> None:
    server = Server(httpx.Response(200, json=NODE_JSON | {"nonce": 1 << 64}))
    with pytest.raises(BadAnswerError, match="nonce"):
        server.client().node(NODE)


def test_redirect_is_not_followed() -> None:
    server = Server(httpx.Response(307, headers={"Location": "http://evil.example/v1/config"}))
    with pytest.raises(BadAnswerError, match=r"redirects to http://evil\.example/v1/config"):
        server.client().config()
    assert len(server.requests) == 1


def test_declared_size_beyond_the_bound_is_refused_before_it_is_read() -> None:
    read: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            read.append(1)
            yield b"x" * 1000

    answer = httpx.Response(200, content=endless(), headers={"Content-Length": "99999999999"})
    with pytest.raises(BadAnswerError, match="exceeds"):
        Server(answer).client().config()
    assert read == []


def test_endless_answer_is_cut_off() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * (1 << 20)

    with pytest.raises(BadAnswerError, match="exceeds 16777216 bytes"):
        Server(httpx.Response(200, content=endless())).client().config()


@pytest.mark.parametrize("encoding", ["gzip", "GZIP ", "deflate", "gzip, gzip", "identity, gzip"])
def test_compressed_answer_is_refused_before_any_of_it_is_read(encoding: str) -> None:
    read: list[int] = []

    def bomb() -> Iterator[bytes]:
        read.append(1)
        yield b"a kilobyte may become a gigabyte"

    answer = httpx.Response(200, content=bomb(), headers={"Content-Encoding": encoding})
    server = Server(answer)
    with pytest.raises(BadAnswerError, match="encoded"):
        server.client().config()
    assert read == []
    assert server.requests[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("location", ["http://xn--0/", "http:x", "http://[::g]/"])
def test_redirect_to_no_address_is_a_failure_like_another(location: str) -> None:
    server = Server(httpx.Response(302, headers={"Location": location}))
    with pytest.raises(UnreachableError):
        NodeClient("http://n:1", transport=httpx.MockTransport(server)).status()


def test_bundle_comes_with_its_hash() -> None:
    data = b"SRP2PB01 and more"
    server = Server(httpx.Response(200, content=data))
    assert server.client().bundle(keccak(data)) == data
    assert server.requests[0].url.path == f"/v1/bundles/0x{keccak(data).hex()}"


def test_bundle_of_other_bytes_is_refused() -> None:
    with pytest.raises(BadAnswerError, match="whose hash is not"):
        Server(httpx.Response(200, content=b"forged")).client().bundle(keccak(b"true"))


def test_bundle_beyond_the_callers_bound_is_refused() -> None:
    data = bytes(1001)
    with pytest.raises(BadAnswerError, match="exceeds 1000 bytes"):
        Server(httpx.Response(200, content=data)).client().bundle(keccak(data), max_bytes=1000)


@pytest.mark.parametrize("body", [b"<html>\x1b[31mBad gateway\x07</html>", b"", b"\xff" * 5000])
def test_error_that_is_no_problem_is_excerpted_without_control_characters(body: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        Server(httpx.Response(403, content=body)).client().config()
    assert caught.value.slug == "http-403"
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


def test_readiness_is_a_yes_or_no() -> None:
    assert Server(httpx.Response(200)).client().ready()
    assert not Server(problem(503, "no-chain", "the RPC is down")).client().ready()
    assert not Server(httpx.ConnectError("refused")).client().ready()


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:8000", "ftp://host", "http://", "http://user:pass@host", "http://host?x=1",
     "http://host/#f", "http://host:99999", "http://ho st", "file:///etc/passwd", "http://host\n",
     "http://a..b", "http://.", "http://xn--0", "http://xn--a:80", "http://999.1.1.1", "http://[v1.x]",
     "http://" + "a" * 64],
)  # fmt: skip
def test_url_that_is_no_base_url_is_refused(url: str) -> None:
    with pytest.raises(MalformedError, match="a server's URL is like"):
        check_base_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://h",
        "https://relay.example:8200/base",
        "http://127.0.0.1:1",
        "http://[::1]:8100",
        "http://büro.example",
    ],
)
def test_base_url_is_kept_as_it_is(url: str) -> None:
    assert check_base_url(url) == url


@given(st.binary(max_size=300), st.sampled_from([200, 201, 204, 302, 400, 402, 404, 500, 599]))
def test_every_answer_is_a_value_or_an_expected_error(body: bytes, status: int) -> None:
    calls: list[Callable[[CoordinatorClient], object]] = [
        lambda client: client.config(),
        lambda client: client.epochs(),
        lambda client: client.claim(NODE),
        lambda client: client.submit(batch()),
        lambda client: client.bundle(bytes(32)),
        lambda client: client.ready(),
    ]
    for call in calls:
        server = Server(*(httpx.Response(status, content=body) for _ in range(3)))
        try:
            call(server.client())
        except ApiError as error:
            shown = str(error)
        else:
            shown = "fine"
        assert shown.isprintable()


def test_registration_and_session_are_posted_in_their_wire_forms() -> None:
    server = Server(
        httpx.Response(200, json=NODE_JSON),
        problem(409, "no-relay", "no node is healthy; try again", **{"Retry-After": "1"}),
    )
    client = server.client()
    assert client.register(registration()).nonce == 0
    with pytest.raises(ApiError, match="no node is healthy"):
        client.open_session(api.SessionRequest(pool_id=3, viewer=NODE, excluded_nodes=[NODE]))
    first, second = (json.loads(request.content) for request in server.requests)
    assert first["registration"]["endpoint"] == "http://127.0.0.1:8200"
    assert second == {"poolId": 3, "viewer": NODE_HEX, "excludedNodes": [NODE_HEX]}


def test_pool_and_epoch_have_their_own_urls() -> None:
    server = Server(*(problem(404, "not-found", "there is none") for _ in range(3)))
    client = server.client()
    for call in (lambda: client.pool(7), lambda: client.epoch(8), lambda: client.earnings(NODE)):
        with pytest.raises(ApiError):
            call()
    assert [request.url.path for request in server.requests] == [
        "/v1/pools/7",
        "/v1/epochs/8",
        f"/v1/accounts/{NODE_HEX}/earnings",
    ]
