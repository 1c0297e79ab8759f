"""Connections: the right chain or a clear reason, with real servers that misbehave; keys in URLs are never shown."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from web3 import Web3
from web3.providers.base import BaseProvider
from web3.types import RPCEndpoint, RPCResponse

from streamrp2p.chain import (
    ChainError,
    EpochBookContract,
    NoContractError,
    RewardPoolsContract,
    RpcRefusedError,
    RpcUnavailableError,
    TransactionRevertedError,
    WrongChainError,
    connect,
)
from streamrp2p.chain.rpc import RpcProvider, data_of, quantity, request, request_many, shown_url
from streamrp2p.numbers import Address
from tests.support.ports import find_free_port

SECRET = "abcdef0123456789"
BOOK = Address(bytes([1] * 20))

Json = Any
Answer = tuple[int, bytes, dict[str, str]]


class Canned(BaseProvider):
    """Gives one answer to everything."""

    def __init__(self, answer: dict[str, object]) -> None:
        super().__init__()
        self.answer = answer

    def make_request(self, method: RPCEndpoint, params: Json) -> RPCResponse:
        return self.answer  # type: ignore[return-value]


@contextmanager
def serving(answer: Callable[[Any], Answer]) -> Iterator[str]:
    """Serve JSON-RPC badly; `answer` gets the parsed request. Yields a URL with a key in its path."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                status, content, headers = answer(body)
            except BrokenPipeError:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v3/{SECRET}"
        finally:
            server.shutdown()
            thread.join()


def always(status: int, content: bytes = b"", **headers: str) -> Callable[[Any], Answer]:
    return lambda _: (status, content, headers)


def dead_url() -> str:
    return f"http://127.0.0.1:{find_free_port()}/{SECRET}"


def test_url_is_shown_without_its_key() -> None:
    assert (
        shown_url(f"https://user:pw@rpc.example:8443/v3/{SECRET}?k={SECRET}")
        == "https://rpc.example:8443"
    )


@pytest.mark.parametrize(
    "url", ["", "ws://host", "/run/geth.ipc", "http://", "http://[", "host:8545"]
)
def test_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(RpcRefusedError, match="an RPC URL is like"):
        connect([url])


def test_no_url_is_refused() -> None:
    with pytest.raises(RpcRefusedError, match="name at least one"):
        connect([])


@pytest.mark.parametrize("value", [None, 5, "5", "0x", "0xzz", "0x" + "1" * 65, ["0x1"]])
def test_what_is_no_quantity_is_refused(value: object) -> None:
    with pytest.raises(RpcRefusedError, match="where a number belongs"):
        quantity(value)


@pytest.mark.parametrize("value", [None, 5, "00", "0x0", "0xzz"])
def test_what_is_no_data_is_refused(value: object) -> None:
    with pytest.raises(RpcRefusedError, match="where bytes belong"):
        data_of(value)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"result": "0x"}, NoContractError),
        ({"result": "0x1234"}, NoContractError),
        ({"result": None}, RpcRefusedError),
        ({}, RpcRefusedError),
        ({"error": {"code": 3, "message": "execution reverted"}}, TransactionRevertedError),
    ],
)
def test_wrong_answers_to_reads_are_named(
    answer: dict[str, object], kind: type[ChainError]
) -> None:
    book = EpochBookContract(Web3(Canned(answer)), BOOK)
    with pytest.raises(kind):
        book._decoded("poster", request(book.web3, "eth_call", []))


def test_null_error_beside_a_result_is_no_error() -> None:
    assert request(Web3(Canned({"result": "0x1", "error": None})), "eth_chainId", []) == "0x1"


@pytest.mark.integration
def test_first_url_that_answers_is_taken(anvil: str) -> None:
    with serving(always(503)) as busy:
        web3 = connect([dead_url(), busy, anvil], 31337)
    assert web3.eth.chain_id == 31337


@pytest.mark.integration
def test_string_names_several_urls(anvil: str) -> None:
    assert connect(f"{dead_url()}, {anvil}", 31337).eth.chain_id == 31337


@pytest.mark.integration
def test_wrong_chain_names_both_chains(anvil: str) -> None:
    with pytest.raises(WrongChainError, match="serves chain 31337, expected chain 1") as caught:
        connect([dead_url(), anvil], 1)
    assert (caught.value.expected, caught.value.found) == (1, 31337)


@pytest.mark.integration
def test_dead_rpc_is_retryable_and_its_key_is_not_shown() -> None:
    with pytest.raises(RpcUnavailableError, match="does not answer") as caught:
        connect(dead_url())
    assert caught.value.retryable
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.integration
def test_all_dead_rpcs_are_named() -> None:
    urls = [dead_url(), dead_url()]
    with pytest.raises(RpcUnavailableError) as caught:
        connect(urls)
    assert all(shown_url(url) in str(caught.value) for url in urls)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (always(200, b"<html>"), RpcRefusedError, "did not send a JSON-RPC answer"),
        (always(200, b"[]"), RpcRefusedError, "did not send a JSON-RPC answer"),
        (always(200, b"\xff\xfe"), RpcRefusedError, "did not send a JSON-RPC answer"),
        (always(302, Location="http://127.0.0.1:1/"), RpcRefusedError, "did not send"),
        (always(401, b"no key"), RpcRefusedError, "HTTP 401; check the path and key"),
        (
            always(400, b'{"error": {"code": -32602, "message": "invalid params"}}'),
            RpcRefusedError,
            "invalid params",
        ),
        (always(429, b"slow down"), RpcUnavailableError, "HTTP 429"),
        (always(503), RpcUnavailableError, "HTTP 503"),
    ],
)
def test_server_that_is_no_rpc_or_cannot_serve_is_named(
    answer: Callable[[Any], Answer], kind: type[ChainError], said: str
) -> None:
    with serving(answer) as url, pytest.raises(kind, match=said) as caught:
        connect(url)
    assert SECRET not in str(caught.value)


@pytest.mark.integration
def test_rpc_that_refuses_batches_is_asked_one_by_one() -> None:
    def answer(body: Json) -> Answer:
        if isinstance(body, list):
            return 200, b'{"error": {"code": -32600, "message": "no batches"}}', {}
        result = {"jsonrpc": "2.0", "id": body["id"], "result": body["params"][0]}
        return 200, json.dumps(result).encode(), {}

    with serving(answer) as url:
        web3 = Web3(RpcProvider(url))
        assert request_many(web3, [("echo", ["a"]), ("echo", ["b"])]) == ["a", "b"]


@pytest.mark.integration
def test_batch_beyond_the_rpcs_limit_is_not_asked_again() -> None:
    asked: list[Json] = []

    def answer(body: Json) -> Answer:
        asked.append(body)
        return 200, b'{"error": {"code": -32005, "message": "limit exceeded"}}', {}

    with serving(answer) as url, pytest.raises(RpcUnavailableError, match="limits its users"):
        request_many(Web3(RpcProvider(url)), [("echo", ["a"]), ("echo", ["b"])])
    assert len(asked) == 1


@pytest.mark.integration
def test_batch_that_comes_back_in_another_order_is_sorted() -> None:
    def answer(body: Json) -> Answer:
        results = [{"jsonrpc": "2.0", "id": one["id"], "result": one["params"][0]} for one in body]
        return 200, json.dumps(results[::-1]).encode(), {}

    with serving(answer) as url:
        web3 = Web3(RpcProvider(url))
        assert request_many(web3, [("echo", [n]) for n in "abc"]) == ["a", "b", "c"]


@pytest.mark.integration
@pytest.mark.parametrize("content", [b"[]", b"[1, 2]", b'[{"id": 0}]', b'"no"', b"null"])
def test_batch_with_answers_missing_is_refused(content: bytes) -> None:
    with serving(always(200, content)) as url, pytest.raises(RpcRefusedError):
        request_many(Web3(RpcProvider(url)), [("echo", ["a"]), ("echo", ["b"])])


@pytest.mark.integration
def test_connection_that_breaks_once_is_no_failure() -> None:
    asked: list[Json] = []

    def answer(body: Json) -> Answer:
        asked.append(body)
        if len(asked) == 1:
            raise BrokenPipeError
        return 200, b'{"jsonrpc": "2.0", "id": 0, "result": "0x7a69"}', {}

    with serving(answer) as url:
        connect(url, 31337)
    assert len(asked) == 2


@pytest.mark.integration
def test_connection_that_breaks_again_is_retryable() -> None:
    def answer(_: Json) -> Answer:
        raise BrokenPipeError

    with serving(answer) as url, pytest.raises(RpcUnavailableError):
        connect(url)


@pytest.mark.integration
def test_slow_rpc_times_out() -> None:
    released = threading.Event()

    def answer(_: Json) -> Answer:
        released.wait(10)
        return 200, b"{}", {}

    with serving(answer) as url:
        try:
            with pytest.raises(RpcUnavailableError, match="does not answer"):
                connect(url, timeout_seconds=0.2)
        finally:
            released.set()


@pytest.mark.integration
def test_contract_that_is_not_there_is_named(anvil: str) -> None:
    pools = RewardPoolsContract(connect(anvil), BOOK)
    with pytest.raises(NoContractError, match="there is no RewardPools at 0x0101"):
        pools.pool_count()
