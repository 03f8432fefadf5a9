"""Rows with texts that are too long for an index are kept in a relation of their own.

An entry of a PostgreSQL index holds 2,704 bytes, after compression. One longer text in an indexed
column would keep a version from being published. So the rows of such texts move to a relation that
inherits from the version's: whoever reads the version gets them too, in the right order, and the
other rows keep every index. PostgreSQL reads the moved rows one by one; as a rule they are few.
"""

from collections.abc import Iterator

from django.db import OperationalError, models
from psycopg import sql
from psycopg.errors import ProgramLimitExceeded

from flights.mirror import Field, MirroredTable, public
from flights.models import TableVersion

from .statements import execute

# Of the indexed texts of a row together; the rest of an entry is for its numbers and times.
LONGEST = 2_000  # bytes


def are_the_fault(error: OperationalError) -> bool:
    """Whether an index could not be made because a text does not fit into it."""
    return isinstance(error.__cause__, ProgramLimitExceeded)


def move(model: type[MirroredTable], version: TableVersion) -> None:
    """Divide a version's rows between its relation and one that inherits from it.

    The rows are written anew: an index that is made in the transaction of a DELETE holds the
    deleted rows too.
    """
    every = sql.Identifier(f"{version.relation}__all")
    relation, long = sql.Identifier(version.relation), sql.Identifier(version.long_rows)
    execute("ALTER TABLE {} RENAME TO {}", relation, every)
    execute("CREATE TABLE {} (LIKE {})", relation, every)
    execute("CREATE TABLE {} () INHERITS ({})", long, relation)
    size = sql.SQL(" + ").join(_sizes(model))
    limit = sql.Literal(LONGEST)
    execute("INSERT INTO {} SELECT * FROM {} WHERE {} <= {}", relation, every, size, limit)
    execute("INSERT INTO {} SELECT * FROM {} WHERE {} > {}", long, every, size, limit)
    execute("DROP TABLE {}", every)


def _sizes(model: type[MirroredTable]) -> Iterator[sql.Composable]:
    for field in _indexed(model):
        if isinstance(field, models.TextField | models.BinaryField):
            yield sql.SQL("coalesce(octet_length({}), 0)").format(sql.Identifier(public(field)))


def _indexed(model: type[MirroredTable]) -> list[Field]:
    names = {name.removeprefix("-") for index in model.mirror.indexes for name in index}
    return [field for field in model.columns() if field.name in names]
