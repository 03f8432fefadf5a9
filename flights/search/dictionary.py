"""Look up words in the search dictionary of a version.

The dictionary is a PostgreSQL table with one row for each distinct value of each column. It has
the columns `field` (position of the column), `value`, `folded` (the value in lower case and without
accents), `rows` (number of rows with the value), `first` and `last` (their smallest and largest
id). Transfers create it: see `transfers.load.search_dictionary`.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import connections
from psycopg import sql

from flights.models import TableVersion
from flights.versions import READER

MOST_VALUES = 100_000  # per column; rarer values are not indexed
SAME = 4  # score of a value that equals the word
SHORTEST_TYPO = 4  # letters; shorter words resemble too many others

CONTAINING = """
SELECT field, value, rows, first, last,
    CASE WHEN folded = {word} THEN 4 WHEN folded LIKE {start} THEN 3
    WHEN folded LIKE {inner} THEN 2 ELSE 1 END AS score, count(*) OVER ()
FROM {dictionary} WHERE folded LIKE {anywhere}
ORDER BY score DESC, rows DESC, field, value LIMIT {limit}"""
# `%>` and word_similarity are operators of PostgreSQL's pg_trgm extension.
SIMILAR = """
SELECT field, value, rows, first, last, word_similarity({word}, folded) AS score, count(*) OVER ()
FROM {dictionary} WHERE folded %> {word} AND field = ANY({fields})
ORDER BY score DESC, rows DESC, field, value LIMIT {limit}"""
EQUAL = """
SELECT field, value, rows, first, last, 4, count(*) OVER ()
FROM {dictionary} WHERE folded = ANY({folded}) AND ({values})
ORDER BY rows DESC, field, value LIMIT {limit}"""
VALUES = """
SELECT value FROM {dictionary} WHERE field = {field} ORDER BY rows DESC, value LIMIT {limit}"""

FREQUENT = """
SELECT listed.field, most.value FROM unnest({fields}::int[]) AS listed(field), LATERAL (
    SELECT value FROM {dictionary} AS d WHERE d.field = listed.field
    ORDER BY rows DESC, value LIMIT {limit}) AS most"""


@dataclass(frozen=True)
class Value:
    """A distinct value of a column.

    Scores: 4 equals the word, 3 starts with it, 2 has a word that starts with it, 1 contains it;
    a score below 1 is the similarity of a value that does not contain the word.
    """

    field: int  # position of the column in the table
    text: str
    rows: int
    first: int  # smallest row id
    last: int  # largest row id
    score: float


@dataclass(frozen=True)
class Matches:
    """The best matching values, up to a limit, and how many values match in total."""

    values: list[Value]
    total: int


def values(version: TableVersion, field: int) -> list[str]:
    """Return the distinct values of the column at a position, the most frequent first."""
    literals = {"field": sql.Literal(field), "limit": sql.Literal(MOST_VALUES)}
    dictionary = sql.Identifier(version.dictionary)
    return [value for (value,) in _fetch(sql.SQL(VALUES).format(dictionary=dictionary, **literals))]


def frequent(version: TableVersion, fields: list[int], limit: int) -> dict[int, list[str]]:
    """Return the most frequent values of each of several columns, by the columns' positions."""
    literals = {"fields": sql.Literal(fields), "limit": sql.Literal(limit)}
    dictionary = sql.Identifier(version.dictionary)
    frequent: dict[int, list[str]] = {field: [] for field in fields}
    for field, value in _fetch(sql.SQL(FREQUENT).format(dictionary=dictionary, **literals)):
        frequent[field].append(value)
    return frequent


@lru_cache(4_096)
def fold(text: str) -> str:
    """Return the text in lower case and without accents, as dictionaries store it."""
    ((folded,),) = _fetch(sql.SQL("SELECT lower(unaccent({}))").format(sql.Literal(text)))
    return str(folded)


def containing(version: TableVersion, word: str, limit: int) -> Matches:
    """Find the values that contain a folded word, the best score first."""
    like = re.sub(r"([\\%_])", r"\\\1", word)
    patterns = {"start": f"{like}%", "inner": f"% {like}%", "anywhere": f"%{like}%"}
    return _matches(CONTAINING, version, word=word, limit=limit, **patterns)


def similar(version: TableVersion, word: str, fields: list[int], limit: int) -> Matches:
    """Find the values of some columns that contain a word similar to a folded word.

    Words without letters, such as numbers and dates, have no similar values.
    """
    if sum(map(str.isalnum, word)) < SHORTEST_TYPO or not any(map(str.isalpha, word)):
        return Matches([], 0)
    return _matches(SIMILAR, version, word=word, fields=fields, limit=limit)


def equal(version: TableVersion, values: dict[int, list[str]], limit: int) -> Matches:
    """Find values by the positions of their columns. Case and accents make a difference."""
    if not any(values.values()):
        return Matches([], 0)
    texts = sorted(set().union(*values.values()))
    condition = sql.SQL("field = {} AND value = ANY({})")
    conditions = [condition.format(sql.Literal(f), sql.Literal(own)) for f, own in values.items()]
    either = sql.SQL(" OR ").join(conditions)
    folded = list(map(fold, texts))
    return _matches(EQUAL, version, folded=folded, values=either, limit=limit)


def _matches(statement: str, version: TableVersion, **parameters: Any) -> Matches:
    literals = {
        name: value if isinstance(value, sql.Composable) else sql.Literal(value)
        for name, value in parameters.items()
    }
    dictionary = sql.Identifier(version.dictionary)
    rows = _fetch(sql.SQL(statement).format(dictionary=dictionary, **literals))
    return Matches([Value(*row[:-1]) for row in rows], rows[0][-1] if rows else 0)


def _fetch(statement: sql.Composable) -> list[tuple[Any, ...]]:
    with connections[READER].cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())
