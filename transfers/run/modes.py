"""Three ways to fill a new version: read all rows, only added rows, or only changed rows.

A table's mirror declares the second by `grows_by` and the third by `by_changes`. Both start from a
copy of the last version. The result is verified as a whole; if it is wrong, all rows are read.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa
from psycopg import sql

from flights.mirror import MirroredTable, column
from flights.models import TableVersion
from transfers.load import columns, search_dictionary, writer
from transfers.load.statements import execute, fetch
from transfers.load.value_counts import ValueCounts
from transfers.models import Transfer

from .source_reader import ThreadedSnapshot

DELETED = pa.field("is deleted", pa.bool_())  # beside a changed row's columns


@dataclass(frozen=True)
class Reading:
    """A source to read, with its names for the columns of a model's schema."""

    model: type[MirroredTable]
    schema: pa.Schema
    source: ThreadedSnapshot
    names: list[str]
    # Value counts of the new version's rows; empty unless all rows are read.
    counts: ValueCounts = field(default_factory=ValueCounts)

    def source_name(self, name: str) -> str:
        """Return the source's column name for a model's field."""
        names: list[str] = self.schema.names
        return self.names[names.index(column(self.model, name))]

    @property
    def order(self) -> list[str]:
        """The declared order in the source's names; "-" before a descending column."""
        declared = self.model.mirror.order
        return ["-" * n.startswith("-") + self.source_name(n.removeprefix("-")) for n in declared]


type Way = Callable[[Reading, TableVersion], Iterator[writer.Copied]]


def ways(reading: Reading, *, forced: bool) -> Iterator[tuple[str, Way]]:
    """The possible modes with their functions, fastest first; reading all rows is the last."""
    last = TableVersion.objects.filter(
        table=reading.model._meta.db_table, published_at__isnull=False
    ).first()
    if last and not forced and last.columns == columns.types(reading.schema):
        if reading.model.mirror.grows_by:
            yield Transfer.Mode.APPEND, lambda r, version: _added(r, version, last)
        if reading.model.mirror.by_changes:
            yield Transfer.Mode.MERGE, lambda r, version: _changed(r, version, last)
    yield Transfer.Mode.SNAPSHOT, whole


def whole(reading: Reading, version: TableVersion) -> Iterator[writer.Copied]:
    """Read all rows; yields the rows and bytes copied so far."""
    reading.counts.begin(reading.schema, search_dictionary.searched(reading.model))
    batches = reading.source.batches(reading.names, reading.order)
    return writer.copy(version, reading.schema, batches, counts=reading.counts)


def _added(reading: Reading, version: TableVersion, last: TableVersion) -> Iterator[writer.Copied]:
    """Copy the last version, then read the rows with a greater value in the growing column."""
    grows_by = reading.model.mirror.grows_by
    names = sql.SQL(", ").join(map(sql.Identifier, ["id", *reading.schema.names]))
    execute(
        "INSERT INTO {new} ({names}) SELECT {names} FROM {old}",
        new=sql.Identifier(version.relation),
        old=sql.Identifier(last.relation),
        names=names,
    )
    ((greatest,),) = fetch(
        "SELECT max({}) FROM {}",
        sql.Identifier(column(reading.model, grows_by)),
        sql.Identifier(last.relation),
    )
    after = None if greatest is None else (reading.source_name(grows_by), greatest)
    batches = reading.source.batches(reading.names, reading.order, after)
    return writer.copy(version, reading.schema, batches, numbered_from=last.rows)


def _changed(
    reading: Reading, version: TableVersion, last: TableVersion
) -> Iterator[writer.Copied]:
    """Copy the last version's unchanged rows, and add the changed rows that were not deleted."""
    schema = reading.schema.append(DELETED)
    key = [reading.source_name(name) for name in reading.model.mirror.key]
    changed = writer.make_temporary(version.table, schema)
    batches = reading.source.changes(reading.names, key, last.source_version)
    yield from writer.copy(changed, schema, batches)
    _merge(reading, version, last, changed)
    execute("DROP TABLE {}", sql.Identifier(changed.relation))


def _merge(
    reading: Reading, version: TableVersion, last: TableVersion, changed: TableVersion
) -> None:
    """Merge changed rows into the version and number all rows in the warehouse's order."""
    names = sql.SQL(", ").join(map(sql.Identifier, reading.schema.names))
    key = [sql.Identifier(column(reading.model, name)) for name in reading.model.mirror.key]
    execute(
        "INSERT INTO {new} SELECT row_number() OVER (ORDER BY {order}) AS id, {names} FROM ("
        " SELECT {names} FROM {old} o"
        " WHERE NOT EXISTS (SELECT FROM {changed} c WHERE {same})"
        " UNION ALL SELECT {names} FROM {changed} WHERE NOT {deleted}) AS merged ORDER BY id",
        new=sql.Identifier(version.relation),
        old=sql.Identifier(last.relation),
        changed=sql.Identifier(changed.relation),
        same=sql.SQL(" AND ").join(sql.SQL("o.{0} = c.{0}").format(name) for name in key),
        deleted=sql.Identifier(DELETED.name),
        order=sql.SQL(", ").join(_sorting(reading)),
        names=names,
    )


def _sorting(reading: Reading) -> Iterator[sql.Composable]:
    """The order of `Snapshot.batches`; PostgreSQL, too, sorts nulls as the greatest values."""
    ours = dict(zip(reading.names, reading.schema, strict=True))
    for name in [*reading.order, *reading.names]:
        field = ours[name.removeprefix("-")] if name not in ours else ours[name]
        bytewise = sql.SQL(' COLLATE "C"' if pa.types.is_string(field.type) else "")
        direction = sql.SQL(" DESC" if name not in ours else "")
        yield sql.Identifier(field.name) + bytewise + direction
