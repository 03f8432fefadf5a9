"""Create the indexes of a version, and collect the planner's statistics."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg import sql

from flights.mirror import MirroredTable, may_be_empty, public
from flights.models import TableVersion
from flights.query import ordering

from . import long_rows
from .statements import execute, fetch

# A worker and the transfer's own process sort 8 MB at a time, which fits into a processor's cache:
# with PostgreSQL's default of 32 MB each, an index takes 10 to 20 % more CPU. A second worker saves
# no time, because one process merges the rows that all of them sort.
SORT_MEMORY, SORT_WORKERS = "16MB", 1
LARGE = 64 << 20  # bytes; for smaller tables, starting workers takes longer than it saves
# No row is added to an index later, and no two entries are equal, because each ends in the id.
PACKED = sql.SQL("WITH (fillfactor = 100, deduplicate_items = off)")


def create(model: type[MirroredTable], version: TableVersion) -> None:
    """Create the primary key and the declared indexes, and collect the planner's statistics."""
    relation = sql.Identifier(version.relation)
    try:
        with transaction.atomic():
            _index(model, relation)
    except OperationalError as error:
        if not long_rows.are_cause_of(error):
            raise
        long_rows.move(model, version)
        _index(model, relation)
        _add_primary_key(sql.Identifier(version.long_rows))
    execute("ANALYZE {}", relation)  # includes the relation of long rows


def _index(model: type[MirroredTable], relation: sql.Identifier) -> None:
    with _sorted_in_cache(relation):
        _add_primary_key(relation)
        for names in model.mirror.indexes:
            directions = [ordering.named(model, name) for name in names]
            order = sql.SQL(", ").join(
                map(_index_column, ordering.whole(directions, model.sequence()))
            )
            execute("CREATE INDEX ON {} ({}) {}", relation, order, PACKED)


@contextmanager
def _sorted_in_cache(relation: sql.Identifier) -> Iterator[None]:
    """Build a large table's indexes with SORT_MEMORY, until the end of the transaction.

    Sets the number of workers, because PostgreSQL chooses none if each would have less than 32 MB.
    """
    ((size,),) = fetch("SELECT pg_relation_size({}::regclass)", _regclass(relation))
    if size < LARGE:
        yield
        return
    execute("SET LOCAL maintenance_work_mem = {}", sql.Literal(SORT_MEMORY))
    execute("ALTER TABLE {} SET (parallel_workers = {})", relation, sql.Literal(SORT_WORKERS))
    yield
    execute("ALTER TABLE {} RESET (parallel_workers)", relation)  # queries choose their own number


def _regclass(relation: sql.Identifier) -> sql.Literal:
    return sql.Literal(relation.as_string(connection.connection))


def _add_primary_key(relation: sql.Identifier) -> None:
    execute("ALTER TABLE {} ADD PRIMARY KEY (id) WITH (fillfactor = 100)", relation)


def _index_column(direction: ordering.Direction) -> sql.Composable:
    """Write a column of an index that serves ORDER BY: nulls are last in both directions."""
    suffix = " DESC" * direction.descending + " NULLS LAST" * may_be_empty(direction.field)
    return sql.Identifier(public(direction.field)) + sql.SQL(suffix)
