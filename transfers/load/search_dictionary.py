"""Each version's dictionary, which search reads: the distinct values of every column.

Its columns: `field` (the place of the value's column), `value` as text, `folded` (in lower case and
without accents), `rows` that have it, and the ids of the `first` and the `last` of them. Of a
column with very many values the most frequent ones are there.
"""

from django.db import models
from psycopg import sql

from flights.mirror import Field, MirroredTable, public
from flights.models import TableVersion
from flights.search.dictionary import MOST_VALUES

from .statements import execute, fetch

# Counted as they are, then written as text: far fewer values are written than read.
VALUES = """
SELECT {place}::smallint AS field, value::text AS value, lower(unaccent(value::text)) AS folded,
    rows, first, last
FROM (SELECT {column} AS value, count(*) AS rows, min(id) AS first, max(id) AS last
    FROM {relation} WHERE {there}
    GROUP BY {column} ORDER BY rows DESC, value LIMIT {most}) AS counted"""


def make(model: type[MirroredTable], version: TableVersion) -> None:
    """Make the dictionary of a version that has none."""
    if _there(version):
        return
    name = sql.Identifier(version.dictionary)
    parts = [
        _values(version, place, field)
        for place, field in enumerate(model.columns())
        if public(field) in version.columns and not isinstance(field, models.BinaryField)
    ]
    # Of all ways to fill a table, PostgreSQL reads by several processes for this one alone.
    execute("CREATE TABLE {} AS {}", name, sql.SQL(" UNION ALL ").join(parts))
    execute("CREATE INDEX ON {} USING gin (folded gin_trgm_ops)", name)
    execute("ANALYZE {}", name)


def _there(version: TableVersion) -> bool:
    found = fetch("SELECT to_regclass(quote_ident({}))", sql.Literal(version.dictionary))
    return found != [(None,)]


def _values(version: TableVersion, place: int, field: Field) -> sql.Composable:
    column = sql.Identifier(public(field))
    # NaN and infinity are no values to who queries.
    there = "{0} - {0} = 0" if isinstance(field, models.FloatField) else "{0} IS NOT NULL"
    return sql.SQL("({})").format(
        sql.SQL(VALUES).format(
            place=sql.Literal(place),
            column=column,
            there=sql.SQL(there).format(column),
            relation=sql.Identifier(version.relation),
            most=sql.Literal(MOST_VALUES),
        )
    )
