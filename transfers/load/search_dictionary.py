"""Build a version's dictionary for search: the distinct values of every column that it searches.

Columns: `field` (index of the value's column), `value` (as text), `folded` (lower case, without
accents), `rows` (how many rows have the value), `first` and `last` (ids of the first and last of
them). Each column contributes at most its `MOST_VALUES` most frequent values.
"""

from django.db import models
from psycopg import sql

from flights.mirror import Field, MirroredTable, public
from flights.models import TableVersion
from flights.search.dictionary import MOST_VALUES

from .statements import execute, fetch

# Count the values first and then convert them to text, as there are far fewer values than rows.
VALUES = """
SELECT {place}::smallint AS field, value::text AS value, lower(unaccent(value::text)) AS folded,
    rows, first, last
FROM (SELECT {column} AS value, count(*) AS rows, min(id) AS first, max(id) AS last
    FROM {relation} WHERE {has_value}
    GROUP BY {column} ORDER BY rows DESC, value LIMIT {most}) AS counted"""


def make(model: type[MirroredTable], version: TableVersion) -> None:
    """Create the dictionary of a version, unless it exists."""
    if _exists(version):
        return
    name = sql.Identifier(version.dictionary)
    parts = [
        _values(version, place, field)
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


def _values(version: TableVersion, place: int, field: Field) -> sql.Composable:
    column = sql.Identifier(public(field))
    # Queries treat NaN and infinity as nulls.
    has_value = "{0} - {0} = 0" if isinstance(field, models.FloatField) else "{0} IS NOT NULL"
    return sql.SQL("({})").format(
        sql.SQL(VALUES).format(
            place=sql.Literal(place),
            column=column,
            has_value=sql.SQL(has_value).format(column),
            relation=sql.Identifier(version.relation),
            most=sql.Literal(MOST_VALUES),
        )
    )
