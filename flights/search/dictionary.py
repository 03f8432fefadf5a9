"""Which values of a version's columns hold a word: ranked, from the dictionary of the version."""

import re
from dataclasses import dataclass
from typing import Any

from django.db import connections
from psycopg import sql

from flights.models import TableVersion
from flights.versions import READER

MOST_VALUES = 100_000  # of one column; of the others the most frequent ones are found
SHORTEST_TYPO = 4  # letters; shorter words are like too many others

HOLDING = """
SELECT field, value, rows, first, last,
    CASE WHEN folded = {word} THEN 4 WHEN folded LIKE {start} THEN 3
    WHEN folded LIKE {inner} THEN 2 ELSE 1 END AS score, count(*) OVER ()
FROM {dictionary} WHERE folded LIKE {anywhere}
ORDER BY score DESC, rows DESC, field, value LIMIT {limit}"""
ALIKE = """
SELECT field, value, rows, first, last, word_similarity({word}, folded) AS score, count(*) OVER ()
FROM {dictionary} WHERE folded %> {word}
ORDER BY score DESC, rows DESC, field, value LIMIT {limit}"""


VALUES = """
SELECT value FROM {dictionary} WHERE field = {field} ORDER BY rows DESC, value LIMIT {limit}"""


@dataclass(frozen=True)
class Value:
    """A value of a column, by the column's place; 4 is the best score, 1 and more hold the word."""

    field: int
    text: str
    rows: int
    first: int  # id of a row
    last: int
    score: float


@dataclass(frozen=True)
class Found:
    values: list[Value]
    total: int  # however many of them are here


def values(version: TableVersion, field: int) -> list[str]:
    """The values of the column at a place, the most frequent first."""
    given = {"field": sql.Literal(field), "limit": sql.Literal(MOST_VALUES)}
    dictionary = sql.Identifier(version.dictionary)
    return [value for (value,) in _fetch(sql.SQL(VALUES).format(dictionary=dictionary, **given))]


def folded(text: str) -> str:
    """As dictionaries have it: the same letters in lower case and without accents."""
    ((said,),) = _fetch(sql.SQL("SELECT lower(unaccent({}))").format(sql.Literal(text)))
    return str(said)


def holding(version: TableVersion, word: str, limit: int) -> Found:
    """The values that hold a folded word; best those that equal it, then those that begin so."""
    like = re.sub(r"([\\%_])", r"\\\1", word)
    patterns = {"start": f"{like}%", "inner": f"% {like}%", "anywhere": f"%{like}%"}
    return _found(HOLDING, version, word=word, limit=limit, **patterns)


def alike(version: TableVersion, word: str, limit: int) -> Found:
    """The values with a word that is much like this one."""
    if sum(map(str.isalnum, word)) < SHORTEST_TYPO:
        return Found([], 0)
    return _found(ALIKE, version, word=word, limit=limit)


def _found(statement: str, version: TableVersion, **literals: Any) -> Found:
    given = {name: sql.Literal(value) for name, value in literals.items()}
    dictionary = sql.Identifier(version.dictionary)
    rows = _fetch(sql.SQL(statement).format(dictionary=dictionary, **given))
    return Found([Value(*row[:-1]) for row in rows], rows[0][-1] if rows else 0)


def _fetch(statement: sql.Composable) -> list[tuple[Any, ...]]:
    with connections[READER].cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())
