"""Signed paths of relays: short, without circles, and only from the node that the ticket names."""

import pytest

from streamrp2p import api
from streamrp2p.errors import PathError, SignatureError
from streamrp2p.numbers import Address, Signature
from streamrp2p.relay_path import check_upstream, sign_path
from streamrp2p.signatures import address_of
from streamrp2p.typed_data import Domain, RelayPath
from tests.support.playlists import DOMAIN

KEYS = [bytes([number]) * 32 for number in range(1, 6)]
A, B, C, D, E = map(address_of, KEYS)


def path_of(upstream: tuple[Address, ...], key: bytes = KEYS[1]) -> tuple[RelayPath, Signature]:
    return sign_path(
        upstream, address_of(key), pool_id=7, signed_at=1000, domain=DOMAIN, node_key=key
    )


def checked(
    message: RelayPath, signature: Signature, *, upstream: Address = B, node: Address = C,
    pool_id: int = 7, now: int = 1000, domain: Domain = DOMAIN,
) -> tuple[Address, ...]:  # fmt: skip
    return check_upstream(
        message, signature, pool_id=pool_id, upstream=upstream, node=node, now=now, domain=domain
    )


def test_path_grows_by_each_relay_up_to_three() -> None:
    first = checked(*path_of((), KEYS[0]), upstream=A, node=B)
    second = checked(*path_of(first), upstream=B, node=C)
    third, _ = path_of(second, KEYS[2])
    assert (first, second, third.path) == ((A,), (A, B), (A, B, C))


def test_fourth_relay_is_refused_on_both_sides() -> None:
    third = path_of((A, B), KEYS[2])
    with pytest.raises(PathError, match="3 relays are already"):
        checked(*third, upstream=C, node=D)
    with pytest.raises(PathError, match="3 relays are already"):
        path_of((A, B, C), KEYS[3])


def test_circle_is_refused_on_both_sides() -> None:
    with pytest.raises(PathError, match="circle"):
        checked(*path_of((A,)), node=A)
    with pytest.raises(PathError, match="circle"):
        checked(*path_of((A,)), node=B)
    with pytest.raises(PathError, match="circle"):
        path_of((A, B))


def test_path_in_which_a_stranger_stands_twice_is_refused() -> None:
    message = RelayPath(7, (B, B), 1000)
    _, signature = path_of(())
    with pytest.raises(SignatureError):
        checked(message, signature)


@pytest.mark.parametrize(
    ("now", "is_fresh"), [(1030, True), (970, True), (1031, False), (969, False)]
)
def test_path_is_fresh_for_thirty_seconds(now: int, is_fresh: bool) -> None:
    if is_fresh:
        assert checked(*path_of((A,)), now=now) == (A, B)
        return
    with pytest.raises(PathError, match="check both clocks"):
        checked(*path_of((A,)), now=now)


def test_path_of_another_node_pool_or_chain_is_refused() -> None:
    with pytest.raises(PathError, match="does not end in the relay"):
        checked(*path_of((A,)), upstream=D)
    with pytest.raises(PathError, match="pool 7, not of 8"):
        checked(*path_of((A,)), pool_id=8)
    with pytest.raises(SignatureError):
        checked(*path_of((A,)), domain=Domain(1, DOMAIN.epoch_book))
    with pytest.raises(PathError, match="does not end"):
        checked(RelayPath(7, (), 1000), path_of(())[1])


def test_path_that_its_last_node_did_not_sign_is_refused() -> None:
    message, _ = path_of((A,))
    _, other = path_of((A,), KEYS[4])
    with pytest.raises(SignatureError, match="expected the relay"):
        checked(message, other)


def test_wire_form_says_the_path_and_leaves_the_pool_to_the_url() -> None:
    message, signature = path_of((A,))
    wire = api.RelayPath(path=list(message.path), signed_at=1000, signature=signature)
    assert wire.dump() == {
        "path": ["0x" + A.hex(), "0x" + B.hex()],
        "signedAt": 1000,
        "signature": "0x" + signature.hex(),
    }
    read = api.RelayPath.model_validate(wire.dump())
    assert read.message(7) == message
    assert read.signature == signature


@pytest.mark.parametrize("length", [0, 4])
def test_wire_form_holds_one_to_three_relays(length: int) -> None:
    with pytest.raises(ValueError, match="path"):
        api.RelayPath(path=[A] * length, signed_at=1000, signature=bytes(65))
