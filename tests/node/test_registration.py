"""Registering is idempotent and heals a nonce that it did not know."""

from collections.abc import Iterator

import httpx
import pytest

from streamrp2p import api
from streamrp2p.client import ApiError, CoordinatorClient
from streamrp2p.numbers import Address
from streamrp2p.signatures import check_signer
from streamrp2p_node.registration import register
from tests.node.fakes import (
    DOMAIN,
    ENDPOINT,
    GENESIS,
    NODE,
    NODE_KEY,
    OTHER,
    Clock,
    FakeCoordinator,
)

COLD = Address(b"\x11" * 20)


@pytest.fixture
def coordinator() -> FakeCoordinator:
    return FakeCoordinator(Clock())


@pytest.fixture
def client(coordinator: FakeCoordinator) -> Iterator[CoordinatorClient]:
    transport = httpx.MockTransport(coordinator)
    with CoordinatorClient("http://coordinator.test", transport=transport, attempts=1) as made:
        yield made


def go(
    client: CoordinatorClient, *, payout: Address | None = None, endpoint: str = ENDPOINT
) -> api.Node:
    return register(
        client,
        key=NODE_KEY,
        node=NODE,
        payout=payout,
        endpoint=endpoint,
        domain=DOMAIN,
        now=GENESIS,
    )


def test_the_first_registration_has_nonce_0_and_is_signed_by_the_node(
    coordinator: FakeCoordinator, client: CoordinatorClient
) -> None:
    go(client, payout=COLD)
    (signed,) = coordinator.registrations
    message = signed.registration.message()
    assert (message.nonce, message.payout, message.endpoint) == (0, COLD, ENDPOINT)
    assert message.deadline == GENESIS + 3600
    check_signer(message.digest(DOMAIN), signed.signature, NODE, "the node")


def test_a_restart_with_the_same_settings_registers_nothing(
    coordinator: FakeCoordinator, client: CoordinatorClient
) -> None:
    go(client, payout=COLD)
    go(client, payout=COLD)
    go(client)
    assert len(coordinator.registrations) == 1


def test_a_node_without_a_payout_address_is_paid_itself(
    coordinator: FakeCoordinator, client: CoordinatorClient
) -> None:
    go(client)
    assert coordinator.registrations[0].registration.payout == NODE


def test_another_endpoint_is_registered_with_the_next_nonce_and_keeps_the_payout_address(
    coordinator: FakeCoordinator, client: CoordinatorClient
) -> None:
    go(client, payout=COLD)
    go(client, endpoint="http://moved.test")
    newest = coordinator.registrations[1].registration
    assert (newest.nonce, newest.payout, newest.endpoint) == (1, COLD, "http://moved.test")


def test_a_nonce_that_only_the_chain_knew_is_taken_from_the_refusal(
    coordinator: FakeCoordinator, client: CoordinatorClient
) -> None:
    go(client)
    # The coordinator shows an older state than it judges by.
    shown = coordinator.nodes[NODE]
    coordinator.nodes[NODE] = shown.model_copy(update={"nonce": 6})

    class Old(CoordinatorClient):
        def node(self, address: bytes) -> api.Node:
            return shown

    transport = httpx.MockTransport(coordinator)
    with Old("http://coordinator.test", transport=transport, attempts=1) as old:
        go(old, payout=OTHER)
    assert coordinator.registrations[-1].registration.nonce == 7


def test_other_refusals_are_told(coordinator: FakeCoordinator, client: CoordinatorClient) -> None:
    coordinator.fails = lambda path: (
        httpx.Response(422, json={"type": "x", "title": "t", "status": 422, "detail": "endpoint"})
        if path == "/v1/nodes"
        else None
    )
    with pytest.raises(ApiError, match="endpoint"):
        go(client)


def test_a_registration_that_the_chain_never_took_is_signed_anew(
    coordinator: FakeCoordinator, client: CoordinatorClient
) -> None:
    """Else claims would pay the hot key for good."""
    go(client, payout=COLD)
    shown = coordinator.nodes[NODE]
    coordinator.nodes[NODE] = shown.model_copy(update={"registration": "failed"})
    go(client)
    go(client)
    first, again = (signed.registration for signed in coordinator.registrations)
    assert (again.nonce, again.payout, again.endpoint) == (0, COLD, ENDPOINT) == (
        first.nonce, first.payout, first.endpoint
    )  # fmt: skip
