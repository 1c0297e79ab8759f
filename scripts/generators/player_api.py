"""The bodies of the coordinator's API as TypeScript types, for the player, which writes its few requests itself."""

import json
import subprocess
import tempfile
from pathlib import Path

from scripts.generators import openapi

FILE = Path("web/src/core/generated/coordinator-api.ts")


def files() -> dict[Path, bytes]:
    """Translate the OpenAPI document of this checkout's code, not the file on disk, which may be stale."""
    with tempfile.TemporaryDirectory() as folder:
        document, types = Path(folder, "openapi.json"), Path(folder, "types.ts")
        described = json.loads(openapi.files()[openapi.FILE])
        document.write_text(json.dumps(described | {"paths": {}}))
        subprocess.run(
            ["openapi-typescript", str(document), "--output", str(types)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return {FILE: types.read_bytes()}
