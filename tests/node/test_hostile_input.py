"""Whatever bytes come in, the answer is a problem and not a crash, and nothing is kept."""

import asyncio
import copy
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamrp2p_node.folder import Folder
from tests.node.conftest import make_world
from tests.node.fake_origin import FakeOrigin
from tests.node.fakes import (
    Clock,
    FakeCoordinator,
    make_receipt,
    make_ticket,
    opening_of,
)

JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**260),
        st.floats(),
        st.text(max_size=20),
        st.sampled_from(["0x", "0x00", "0x" + "ff" * 20, "0x" + "ff" * 65, "1" * 80, "-1"]),
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
OPENING = opening_of(*make_ticket()).dump()
RECEIPT = make_receipt(make_ticket()[0], 1, 1000).dump()
PATHS = st.sampled_from(["/v1/sessions", "/v1/receipts"])


@st.composite
def altered(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw a request with one field replaced, removed or added; a true one only if the value happens to be the same."""
    path, valid, inner = draw(
        st.sampled_from([("/v1/sessions", OPENING, "ticket"), ("/v1/receipts", RECEIPT, "receipt")])
    )
    body: dict[str, Any] = copy.deepcopy(valid)
    target = draw(st.sampled_from([body, body[inner]]))
    name = draw(st.sampled_from([*target, "extra"]))
    if draw(st.booleans()):
        target.pop(name, None)
    else:
        target[name] = draw(JSON)
    return path, json.dumps(body).encode()


async def answer(path: str, body: bytes, folder: Path) -> tuple[int, str, int]:
    """Send one request to a fresh node; status, media type and how many sessions it then has."""
    clock = Clock()
    world = await make_world(
        Folder(folder), coordinator=FakeCoordinator(clock), origin=FakeOrigin(), clock=clock
    )
    await world.view.refresh()
    async with world.http:
        response = await world.http.post(path, content=body)
    world.client.close()
    world.store.close()
    return response.status_code, response.headers.get("content-type", ""), len(world.store.book)


def outcome(path: str, body: bytes) -> tuple[int, str, int]:
    with TemporaryDirectory() as folder:
        return asyncio.run(answer(path, body, Path(folder) / "node"))


@pytest.mark.slow
@settings(max_examples=150)
@given(altered())
def test_altered_messages_are_refused_and_open_nothing(request: tuple[str, bytes]) -> None:
    path, body = request
    if json.loads(body) in (OPENING, RECEIPT):
        return
    status, kind, sessions = outcome(path, body)
    # An altered receipt is of a session that this node does not know.
    assert status in (401, 403, 404, 422)
    assert (kind, sessions) == ("application/problem+json", 0)


@pytest.mark.slow
@settings(max_examples=60)
@given(
    PATHS, st.one_of(st.binary(max_size=200), JSON.map(lambda value: json.dumps(value).encode()))
)
def test_any_bytes_are_refused_and_open_nothing(path: str, body: bytes) -> None:
    status, kind, sessions = outcome(path, body)
    assert (status, kind, sessions) == (422, "application/problem+json", 0)
