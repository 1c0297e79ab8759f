"""The document that other languages' clients are made from."""

import json
from pathlib import Path
from typing import Any

from streamrp2p_coordinator.web.app import make_app

ROOT = Path(__file__).parents[2]


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    paths = make_app(None).openapi()["paths"]
    return [
        (method, path, operation)
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]


def test_every_route_answers_with_an_example() -> None:
    for method, path, operation in operations():
        (content,) = operation["responses"]["200"]["content"].values()
        if path != "/v1/bundles/{dataHash}":
            assert content["example"], (method, path)


def test_every_route_that_takes_a_body_shows_one() -> None:
    bodies = [
        operation["requestBody"]["content"]["application/json"]["examples"]
        for _, _, operation in operations()
        if "requestBody" in operation
    ]
    assert len(bodies) == 6
    assert all(bodies)


def test_every_error_is_a_problem_with_an_example() -> None:
    for method, path, operation in operations():
        for status, answer in operation["responses"].items():
            if status == "200":
                continue
            assert list(answer["content"]) == ["application/problem+json"], (method, path)
            for example in answer["content"]["application/problem+json"]["examples"].values():
                assert example["value"]["status"] == int(status)
            assert ("Retry-After" in answer.get("headers", {})) == (status in {"429", "503"})


def test_every_post_may_be_too_often() -> None:
    posts = [operation for method, _, operation in operations() if method == "post"]
    assert len(posts) == 8
    assert all("429" in operation["responses"] for operation in posts)


def test_the_committed_document_is_the_one_that_is_served() -> None:
    committed = json.loads((ROOT / "docs" / "openapi.json").read_text())
    assert committed == json.loads(json.dumps(make_app(None).openapi()))
