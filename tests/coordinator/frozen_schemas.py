"""The schema of each revision as its steps once made it, in `schemas/`: what databases out there look like.

A step that was released is never changed: the file holds it to that.
"""

import re
from pathlib import Path

from sqlalchemy import Engine, MetaData
from sqlalchemy.schema import CreateIndex, CreateTable

FOLDER = Path(__file__).parent / "schemas"


def schema_of(engine: Engine, revision: str) -> str:
    """Return the statements that make an empty database of this schema, one a line."""
    metadata = MetaData()
    metadata.reflect(engine)
    statements: list[CreateTable | CreateIndex] = []
    for table in sorted(metadata.tables.values(), key=lambda table: table.name):
        statements.append(CreateTable(table))
        statements += map(CreateIndex, sorted(table.indexes, key=lambda index: str(index.name)))
    lines = [re.sub(r"\s+", " ", str(one.compile(engine))).strip() for one in statements]
    lines.append(f"INSERT INTO alembic_version VALUES ('{revision}')")  # noqa: S608 - ours
    return "".join(f"{line};\n" for line in lines)


def frozen_file(engine: Engine, revision: str) -> Path:
    """Return where a revision's schema is kept."""
    return FOLDER / f"{revision}.{engine.dialect.name}.sql"


def load_frozen(engine: Engine, revision: str) -> None:
    """Make an empty database of a revision."""
    with engine.begin() as connection:
        for line in frozen_file(engine, revision).read_text().splitlines():
            connection.exec_driver_sql(line)
