"""The check of licences: what it lets through, and that nothing is left out."""

from pathlib import Path

import pytest

from scripts.licences import Package, is_allowed, npm_packages, python_packages

POLICY = {"allowed": ["MIT", "Apache-2.0", "BSD-3-Clause"], "exceptions": {"psycopg": "a reason"}}


@pytest.mark.parametrize(
    ("name", "licence", "allowed"),
    [
        ("a", "MIT", True),
        ("a", "MIT AND Apache-2.0", True),
        ("a", "MIT AND GPL-3.0-only", False),
        ("a", "GPL-3.0-only OR MIT", True),
        ("a", "(MIT OR CC0-1.0)", True),
        ("a", "AGPL-3.0-only", False),
        ("a", "no licence is told", False),
        ("a", "", False),
        ("psycopg", "LGPL-3.0-only", True),
    ],
)
def test_a_licence_is_allowed_as_a_whole_or_by_name(name: str, licence: str, allowed: bool) -> None:
    assert is_allowed(Package("PyPI", name, licence), POLICY) is allowed


def test_what_is_installed_is_looked_at() -> None:
    found = {each.name: each.licence for each in python_packages()}
    assert found["pytest"] == "MIT"
    assert "streamrp2p" not in found
    npm = {each.name for each in npm_packages(Path(__file__).parent.parent.parent)}
    assert {"hls.js", "solady", "memorystream"} <= npm
