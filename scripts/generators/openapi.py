"""The coordinator's OpenAPI document, from which clients in other languages are made."""

import json
from pathlib import Path

from streamrp2p_coordinator.web.app import make_app

FILE = Path("docs/openapi.json")


def files() -> dict[Path, bytes]:
    """Describe every route with its examples and problems."""
    document = make_app(services=None).openapi()
    return {FILE: json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"}
