"""What a transfer would do, found out without doing it: `manage.py transfer --dry-run`.

The source is copied into a temporary relation, which nobody else can see, compared there with the
published version, and gone at the end of the transaction.
"""

from dataclasses import dataclass, field

import pyarrow as pa
from django.db import transaction
from psycopg import sql

from flights.mirror import MirroredTable, column
from flights.models import TableVersion
from transfers.load import columns, writer
from transfers.load.statements import fetch
from transfers.warehouses import Warehouse

from . import source_reader
from .modes import Reading, whole

SHOWN = 5  # keys of rows that would go


@dataclass
class Rows:
    """Numbers of rows. Where a table has no key, a changed row is one removed and one added."""

    added: int
    removed: int
    changed: int
    examples: list[str] = field(default_factory=list)  # keys of removed rows


@dataclass
class Preview:
    table: str
    source_version: str
    accepted: list[str]
    refused: list[str]
    lost: list[str]  # what the public API has now and would not have
    rows: Rows | None = None  # None where a refused column keeps rows from being read

    def lines(self) -> list[str]:
        """What a person wants to know, a line each."""
        said = [f"  refused: {line}" for line in self.refused]
        said += [f"  accepted: {line}" for line in self.accepted]
        said += [f"  the public API would lose {line}" for line in self.lost]
        if self.rows:
            said.append(
                f"  rows: {self.rows.added:,} added, {self.rows.removed:,} removed,"
                f" {self.rows.changed:,} changed"
            )
            said += [f"  removed: {key}" for key in self.rows.examples]
        else:
            said.append(f"  {columns.MISMATCH_ADVICE}")
        return [f"{self.table} at version {self.source_version} of the warehouse", *said]


def preview(model: type[MirroredTable], warehouse: Warehouse) -> Preview:
    """How the source differs from what is published."""
    table, schema = model._meta.db_table, columns.schema(model)
    published = TableVersion.objects.filter(published__table=table).first()
    with source_reader.snapshot(warehouse, table, check=lambda: None) as source:
        fit = columns.compare(schema, source.schema)
        lost = _lost(schema, published)
        found = Preview(table, source.version, fit.accepted, fit.refused, lost)
        if not fit.refused:
            found.rows = _rows(Reading(model, schema, source, fit.names), published)
    return found


def _lost(schema: pa.Schema, published: TableVersion | None) -> list[str]:
    """Columns that are published and would go, or would have another type."""
    new, old = columns.types(schema), published.columns if published else {}
    gone = [f"column {name}" for name in old if name not in new]
    return gone + [
        f"{type_} as the type of {name}, which would be {new[name]}"
        for name, type_ in old.items()
        if name in new and new[name] != type_
    ]


def _rows(asked: Reading, published: TableVersion | None) -> Rows:
    if published is None:
        return Rows(added=asked.source.rows, removed=0, changed=0)
    schema = asked.schema
    shared = [f.name for f in schema if published.columns.get(f.name) == columns.postgresql(f.type)]
    with transaction.atomic():
        copied = writer.make_temporary(published.table, schema)
        for _ in whole(asked, copied):
            pass
        key = [column(asked.model, name) for name in asked.model.mirror.key]
        compare = _by_key if key and set(key) <= set(shared) else _as_wholes
        rows = compare(published.relation, copied.relation, shared, key)
        transaction.set_rollback(True)
    return rows


def _by_key(old: str, new: str, shared: list[str], key: list[str]) -> Rows:
    join = sql.SQL(
        "FROM {old} o FULL JOIN {new} n ON {same}",
    ).format(
        old=sql.Identifier(old),
        new=sql.Identifier(new),
        same=sql.SQL(" AND ").join(sql.SQL("o.{0} = n.{0}").format(sql.Identifier(k)) for k in key),
    )
    ((added, removed, changed),) = fetch(
        "SELECT count(*) FILTER (WHERE o.id IS NULL), count(*) FILTER (WHERE n.id IS NULL),"
        " count(*) FILTER (WHERE ({}) IS DISTINCT FROM ({}) AND o.id + n.id IS NOT NULL) {}",
        _of("o", shared),
        _of("n", shared),
        join,
    )
    gone = fetch(
        "SELECT concat_ws(', ', {}) {} WHERE n.id IS NULL ORDER BY o.id LIMIT {}",
        _of("o", key),
        join,
        sql.Literal(SHOWN),
    )
    return Rows(added, removed, changed, [text for (text,) in gone])


def _as_wholes(old: str, new: str, shared: list[str], key: list[str]) -> Rows:
    """Rows that are there once more, or once less."""
    names = sql.SQL(", ").join(map(sql.Identifier, shared))
    ((added, removed),) = fetch(
        "SELECT coalesce(sum(greatest(more, 0)), 0)::bigint,"
        " coalesce(sum(greatest(-more, 0)), 0)::bigint"
        " FROM (SELECT sum(side) AS more FROM (SELECT 1 AS side, {0} FROM {1}"
        " UNION ALL SELECT -1, {0} FROM {2}) AS both_sides GROUP BY {0}) AS counted",
        names,
        sql.Identifier(new),
        sql.Identifier(old),
    )
    return Rows(added, removed, changed=0)


def _of(relation: str, names: list[str]) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(relation, name) for name in names)
