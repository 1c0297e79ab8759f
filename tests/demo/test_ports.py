"""Ports for the run's servers."""

import socket

import pytest

from streamrp2p_demo import ports
from streamrp2p_demo.errors import DemoError

pytestmark = pytest.mark.integration


def test_ports_are_different_and_can_be_bound() -> None:
    chosen = ports.free_ports(20)

    assert len(set(chosen)) == 20
    for port in chosen:
        with socket.socket() as server:
            server.bind(("127.0.0.1", port))


def test_ports_are_none_that_an_outgoing_connection_may_take() -> None:
    assert all(10_000 <= port < 32_000 for port in ports.free_ports(20))


def test_a_port_in_use_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        taken = busy.getsockname()[1]
        free = ports.free_ports(1)[0]
        monkeypatch.setattr(ports, "PORTS", [taken, free])

        assert ports.free_ports(1) == [free]


def test_too_few_free_ports_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "PORTS", ports.free_ports(1))

    with pytest.raises(DemoError, match="no 2 free ports"):
        ports.free_ports(2)
