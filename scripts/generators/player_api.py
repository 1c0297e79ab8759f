"""The coordinator's API as TypeScript types, for the player."""

import subprocess
import tempfile
from pathlib import Path

from scripts.generators import openapi

FILE = Path("web/src/core/generated/coordinator-api.ts")


def files() -> dict[Path, bytes]:
    """Translate the OpenAPI document of this checkout's code, not the file on disk, which may be stale."""
    with tempfile.TemporaryDirectory() as folder:
        document, types = Path(folder, "openapi.json"), Path(folder, "types.ts")
        document.write_bytes(openapi.files()[openapi.FILE])
        subprocess.run(
            ["openapi-typescript", str(document), "--output", str(types), "--root-types"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return {FILE: types.read_bytes()}
