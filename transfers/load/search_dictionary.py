"""Build a version's dictionary for search: the distinct values of every column that it searches.

Columns: `field` (index of the value's column), `value` (as text), `folded` (lower case, without
accents), `rows` (how many rows have the value), `first` and `last` (ids of the first and last of
them). Each column contributes at most its `MOST_VALUES` most frequent values.
"""

import pyarrow as pa
from django.db import models
from psycopg import sql

from flights.mirror import Field, MirroredTable, public
from flights.models import TableVersion
from flights.search.dictionary import MOST_VALUES

from .statements import execute, fetch
from .value_counts import ValueCounts

# Count the values first and then convert them to text, as there are far fewer values than rows.
VALUES = """
SELECT {place}::smallint AS field, value::text AS value, lower(unaccent(value::text)) AS folded,
    rows, first, last
FROM (SELECT * FROM ({counts}) AS counts WHERE value IS NOT NULL
    ORDER BY rows DESC, value LIMIT {most}) AS counted"""
COUNT = """
SELECT {value} AS value, count(*) AS rows, min(id) AS first, max(id) AS last
FROM {relation} GROUP BY {value}"""
COUNTED = """
SELECT * FROM unnest({value}::{type}[], {rows}::bigint[], {first}::bigint[], {last}::bigint[])
    AS counted (value, rows, first, last)"""


def searched(model: type[MirroredTable]) -> list[str]:
    """Return the names of the columns whose values are in the dictionary."""
    return [public(field) for field in model.columns() if _is_searched(model, field)]


def make(
    model: type[MirroredTable], version: TableVersion, counts: ValueCounts | None = None
) -> None:
    """Create the dictionary of a version, unless it exists.

    `counts` are those of all rows of the version. PostgreSQL counts the other columns.
    """
    if _exists(version):
        return
    name = sql.Identifier(version.dictionary)
    counted = counts.columns() if counts else {}
    parts = [
        _values(version, place, field, counted.get(public(field)))
        for place, field in enumerate(model.columns())
        if public(field) in version.columns and _is_searched(model, field)
    ]
    # CREATE TABLE AS reads in parallel, unlike INSERT:
    # https://www.postgresql.org/docs/current/when-can-parallel-query-be-used.html
    execute("CREATE TABLE {} AS {}", name, sql.SQL(" UNION ALL ").join(parts))
    execute("CREATE INDEX ON {} USING gin (folded gin_trgm_ops)", name)
    execute("ANALYZE {}", name)


def _exists(version: TableVersion) -> bool:
    ((name,),) = fetch("SELECT to_regclass(quote_ident({}))", sql.Literal(version.dictionary))
    return name is not None


def _is_searched(model: type[MirroredTable], field: Field) -> bool:
    return field.name not in model.mirror.unsearched and not isinstance(field, models.BinaryField)


def _values(
    version: TableVersion, place: int, field: Field, counted: pa.Table | None
) -> sql.Composable:
    counts = _count(version, field) if counted is None else _counted(version, field, counted)
    most = sql.Literal(MOST_VALUES)
    values = sql.SQL(VALUES).format(place=sql.Literal(place), counts=counts, most=most)
    return sql.SQL("({})").format(values)


def _count(version: TableVersion, field: Field) -> sql.Composable:
    value: sql.Composable = sql.Identifier(public(field))
    if isinstance(field, models.FloatField):  # queries treat NaN and infinity as nulls
        value = sql.SQL("CASE WHEN {0} - {0} = 0 THEN {0} END").format(value)
    return sql.SQL(COUNT).format(value=value, relation=sql.Identifier(version.relation))


def _counted(version: TableVersion, field: Field, counted: pa.Table) -> sql.Composable:
    lists = {name: sql.Literal(counted[name].to_pylist()) for name in counted.column_names}
    return sql.SQL(COUNTED).format(type=sql.SQL(version.columns[public(field)]), **lists)
