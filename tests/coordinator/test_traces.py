"""A coordinator's requests and jobs become spans, if a collector is named, and say nothing that is secret."""

from collections.abc import Iterator

import pytest

from streamrp2p.http_api import UnreachableError
from streamrp2p_coordinator import jobs
from streamrp2p_coordinator.services import Services
from tests.coordinator.world import World
from tests.support.spans import KeptTraces, attributes

SECRET = "key-5f0c"


@pytest.fixture
def kept(world: World) -> Iterator[KeptTraces]:
    traces = world.services.traces = KeptTraces("coordinator")
    yield traces
    traces.close()


def test_a_request_is_a_span_with_its_route_status_and_id(world: World, kept: KeptTraces) -> None:
    headers = {"X-Request-Id": "0123456789abcdef", "Authorization": f"Bearer {SECRET}"}
    world.request("GET", f"/v1/pools/9?token={SECRET}", headers=headers)
    span = kept.one("GET /v1/pools/{poolId}")
    assert attributes(span) == {
        "request.id": "0123456789abcdef",
        "http.response.status_code": 404,
    }
    assert span.resource.attributes["service.name"] == "streamrp2p-coordinator"
    assert SECRET not in kept.said()


def test_a_job_that_fails_is_a_failed_span_without_its_reason(
    world: World, kept: KeptTraces
) -> None:
    def fail(_: Services) -> None:
        raise UnreachableError(f"https://rpc.example/{SECRET} does not answer")

    jobs._step("settle", world.services, fail)
    assert not kept.one("job settle").status.is_ok
    assert SECRET not in kept.said()
