"""Move rows whose texts are too long for an index to a separate relation.

An entry of a B-tree index in PostgreSQL has at most 2,704 bytes, after compression:
https://www.postgresql.org/docs/current/btree.html

A single longer text in an indexed column makes the index fail, and so the version could not be
published. These rows move to a relation that inherits from the version's relation. Queries of the
version include them, in the right order, and the other rows keep all indexes. PostgreSQL scans the
moved rows without an index; they are usually few.
"""

from collections.abc import Iterator

from django.db import OperationalError, models
from psycopg import sql
from psycopg.errors import ProgramLimitExceeded

from flights.mirror import Field, MirroredTable, public
from flights.models import TableVersion

from .statements import execute

# The most bytes of all indexed texts of a row together. The rest of an entry is for its numbers,
# dates and times.
MAX_TEXT_BYTES = 2_000


def are_cause_of(error: OperationalError) -> bool:
    """Whether PostgreSQL could not create an index because a text is too long for it."""
    return isinstance(error.__cause__, ProgramLimitExceeded)


def move(model: type[MirroredTable], version: TableVersion) -> None:
    """Split a version's rows between its relation and one that inherits from it.

    All rows are copied instead of deleting the long ones: an index that is created in the same
    transaction as a DELETE still includes the deleted rows.
    """
    original = sql.Identifier(f"{version.relation}__all")
    relation, long = sql.Identifier(version.relation), sql.Identifier(version.long_rows)
    execute("ALTER TABLE {} RENAME TO {}", relation, original)
    execute("CREATE TABLE {} (LIKE {})", relation, original)
    execute("CREATE TABLE {} () INHERITS ({})", long, relation)
    size = sql.SQL(" + ").join(_sizes(model))
    limit = sql.Literal(MAX_TEXT_BYTES)
    execute("INSERT INTO {} SELECT * FROM {} WHERE {} <= {}", relation, original, size, limit)
    execute("INSERT INTO {} SELECT * FROM {} WHERE {} > {}", long, original, size, limit)
    execute("DROP TABLE {}", original)


def _sizes(model: type[MirroredTable]) -> Iterator[sql.Composable]:
    """Yield the SQL for the bytes of each indexed text."""
    for field in _indexed(model):
        if isinstance(field, models.TextField | models.BinaryField):
            yield sql.SQL("coalesce(octet_length({}), 0)").format(sql.Identifier(public(field)))


def _indexed(model: type[MirroredTable]) -> list[Field]:
    names = {name.removeprefix("-") for index in model.mirror.indexes for name in index}
    return [field for field in model.columns() if field.name in names]
