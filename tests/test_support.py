"""The services that the suites start are real; the rules that every test obeys are enforced."""

import socket
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import pytest_socket

from tests.support.anvil import AnvilError, running_anvil
from tests.support.ports import find_free_port

CHAIN_ID_CALL = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}'

pytest_plugins = ["pytester"]


def chain_id(url: str) -> bytes:
    with closing(HTTPConnection(urlsplit(url).netloc, timeout=5)) as connection:
        connection.request("POST", "/", CHAIN_ID_CALL, {"Content-Type": "application/json"})
        return connection.getresponse().read()


@pytest.mark.integration
def test_anvil_answers_with_its_chain_id(anvil: str) -> None:
    assert chain_id(anvil) == b'{"jsonrpc":"2.0","id":1,"result":"0x7a69"}'


@pytest.mark.integration
def test_anvil_is_gone_after_its_test(tmp_path: Path) -> None:
    with running_anvil(tmp_path) as url:
        chain_id(url)
    with pytest.raises(ConnectionRefusedError):
        chain_id(url)


@pytest.mark.integration
def test_anvil_that_does_not_start_says_why(tmp_path: Path) -> None:
    with (
        pytest.raises(AnvilError, match="unexpected argument"),
        running_anvil(tmp_path, "--no-such-option"),
    ):
        pass


@pytest.mark.integration
def test_postgres_keeps_wide_integers_exactly(postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("postgresql+psycopg", "postgresql")) as connection:
        row = connection.execute("SELECT (10::numeric(78,0) ^ 27 + 1)::numeric(78,0)").fetchone()
    assert row is not None
    assert int(row[0]) == 10**27 + 1


@pytest.mark.integration
def test_free_port_can_be_listened_on(free_port: int) -> None:
    with socket.create_server(("127.0.0.1", free_port)) as server:
        assert server.getsockname() == ("127.0.0.1", free_port)


def test_unit_test_gets_no_socket() -> None:
    with (
        pytest.warns(UserWarning, match="socket.socket"),
        pytest.raises(pytest_socket.SocketBlockedError),
    ):
        socket.socket()


INI = """
    [pytest]
    asyncio_default_fixture_loop_scope = function
    markers = slow
"""
RULES = "tests.support.rules"
BUSY = """
    import time
    import pytest

    {mark}
    def test_busy():
        end = time.process_time() + 0.2
        while time.process_time() < end:
            pass
"""


@pytest.fixture
def run_busy_test(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], str]:
    def run(mark: str) -> str:
        pytester.makeini(INI)
        pytester.makepyfile(BUSY.format(mark=mark))
        with monkeypatch.context() as patch:
            patch.setattr(f"{RULES}.UNIT_TEST_CPU_SECONDS", 0.1)
            return str(pytester.runpytest_inprocess("-p", RULES, "-p", "no:ape_test").stdout)

    return run


def test_slow_unit_test_fails(run_busy_test: Callable[[str], str]) -> None:
    output = run_busy_test("")
    assert "1 failed" in output
    assert "mark it slow, integration or e2e" in output


def test_slow_test_that_says_so_passes(run_busy_test: Callable[[str], str]) -> None:
    assert "1 passed" in run_busy_test("@pytest.mark.slow")


@pytest.mark.integration
def test_free_ports_are_different_and_none_that_an_outgoing_connection_may_take() -> None:
    ports = [find_free_port() for _ in range(50)]

    assert len(set(ports)) == 50
    assert all(port < 32_768 for port in ports)
