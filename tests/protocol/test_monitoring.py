"""The operator's port: what it shows, and that nothing which is looked at can end it."""

import json
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from streamrp2p.monitoring import (
    Checks,
    Monitored,
    MonitoringError,
    Reading,
    Values,
    monitoring,
    registry_of,
    wsgi_app,
)
from tests.support.ports import find_free_port

FRUIT = (
    Reading(GaugeMetricFamily, "fruit_ripe", "Fruit that is ripe.", ("kind",)),
    Reading(CounterMetricFamily, "fruit_eaten_total", "Fruit that was eaten."),
)


def fruit() -> Mapping[str, Values]:
    return {"fruit_ripe": {("apple",): 3, ("pear",): 0}}


def well() -> Checks:
    return {"disk": None}


def monitored(
    registry: CollectorRegistry | None = None,
    health: Callable[[], Checks] = well,
    readiness: Callable[[], Checks] = well,
) -> Monitored:
    return Monitored(registry or registry_of(FRUIT, fruit), health, readiness)


def get(shown: Monitored, path: str) -> tuple[str, str]:
    answered: list[str] = []

    def start_response(status: str, _headers: object, _error: object = None) -> Any:  # noqa: ANN401 - WSGI's
        answered.append(status)
        return None

    environ = {"PATH_INFO": path, "REQUEST_METHOD": "GET", "wsgi.input": BytesIO()}
    body = b"".join(wsgi_app(shown)(environ, start_response))
    return answered[0], body.decode()


def test_metrics_are_read_when_they_are_asked_for_and_unknown_ones_are_left_out() -> None:
    status, text = get(monitored(), "/metrics")
    assert status.startswith("200")
    assert 'fruit_ripe{kind="apple"} 3.0\n' in text
    assert 'fruit_ripe{kind="pear"} 0.0\n' in text
    assert "# TYPE fruit_eaten_total counter\n" in text
    assert "\nfruit_eaten_total " not in text
    assert "\nprocess_resident_memory_bytes " in text


def test_health_and_readiness_name_what_is_wrong() -> None:
    shown = monitored(
        health=lambda: {"loop": None}, readiness=lambda: {"loop": None, "chain": "it is silent"}
    )
    status, text = get(shown, "/healthz")
    assert (status, json.loads(text)) == ("200 OK", {"status": "ok", "checks": {"loop": "ok"}})
    status, text = get(shown, "/readyz")
    assert status == "503 Service Unavailable"
    assert json.loads(text)["checks"] == {"loop": "ok", "chain": "it is silent"}


def test_a_look_that_crashes_is_a_503_without_its_reason() -> None:
    def crash() -> Mapping[str, Values]:
        raise ZeroDivisionError("a secret")

    shown = monitored(registry_of(FRUIT, crash), readiness=crash)  # type: ignore[arg-type]
    for path in ("/metrics", "/readyz"):
        status, text = get(shown, path)
        assert status == "503 Service Unavailable"
        assert "secret" not in text
    assert get(shown, "/healthz")[0] == "200 OK"


@pytest.mark.parametrize("path", ["/", "/metrics/", "/v1/config", ""])
def test_nothing_else_is_there(path: str) -> None:
    assert get(monitored(), path)[0] == "404 Not Found"


@pytest.mark.integration
def test_it_listens_while_the_block_runs_and_says_when_the_port_is_taken() -> None:
    port = find_free_port()
    url = f"http://127.0.0.1:{port}/metrics"
    with monitoring(monitored(), port, "127.0.0.1"):
        assert "fruit_ripe" in httpx.get(url).text
        with (
            pytest.raises(MonitoringError, match="choose another metrics port"),
            monitoring(monitored(), port, "127.0.0.1"),
        ):
            pass
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_without_a_port_nothing_listens() -> None:
    # Sockets are closed in this test: a listener would fail.
    with monitoring(monitored(), None, "127.0.0.1"):
        pass
