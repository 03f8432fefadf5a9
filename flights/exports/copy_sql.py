"""What PostgreSQL copies out for each kind of file."""

from collections.abc import Callable

from django.db import models
from psycopg.sql import Identifier

from flights.mirror import Field, public

type Guard = Callable[[Field, str], str]

# Spreadsheets take a text that begins with one of these for a formula (OWASP: CSV injection). The
# others are the signs that Unicode holds to be the same (NFKC), and its minus.
SIGNS = (
    r"=+@\u207a-\u207c\u208a-\u208c\u2212\u2a75\u2a76\ufb29\ufe62\ufe63\ufe66\ufe6b"
    r"\uff0b\uff0d\uff1d\uff20-"
)
# They may skip what nobody sees before it: spaces, controls, format characters and fillers.
UNSEEN = (
    r"\u0001-\u0020\u007f-\u00a0\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2"
    r"\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800"
    r"\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd"
    r"\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
FORMULA = rf"^(\t|\r|\n|[{UNSEEN}]*[{SIGNS}])"
# What begins with a letter of ASCII is known harmless by the first, cheap comparisons.
OTHER = r"""({0} < 'A' COLLATE "C" OR {0} >= E'\x7f' COLLATE "C")"""
HARMLESS = f"CASE WHEN {OTHER} AND {{0}} ~ '{FORMULA}' THEN '''' || {{0}} ELSE {{0}} END"
FINITE = "CASE WHEN {0} - {0} = 0 THEN {0} END"


def csv(sql: str, fields: list[Field]) -> str:
    return f"COPY ({_select(sql, fields, harmless)}) TO STDOUT (FORMAT csv, HEADER)"


def plain(sql: str, fields: list[Field]) -> str:
    """Values as they are, for a program of ours that reads them on."""
    return f"COPY ({sql}) TO STDOUT (FORMAT csv)"


def sheet(sql: str, fields: list[Field]) -> str:
    return f"COPY ({_select(sql, fields, harmless, finite)}) TO STDOUT (FORMAT csv)"


def json(sql: str, fields: list[Field]) -> str:
    """One object a line. JSON escapes control characters, so that none is quoted for CSV."""
    objects = f"SELECT to_json(o) FROM ({_select(sql, fields, finite, exact)}) AS o"  # noqa: S608
    return rf"COPY ({objects}) TO STDOUT (FORMAT csv, DELIMITER E'\x02', QUOTE E'\x01')"


def harmless(field: Field, column: str) -> str:
    return HARMLESS.format(column) if isinstance(field, models.TextField) else column


def finite(field: Field, column: str) -> str:
    """JSON and spreadsheets have no NaN and no infinity: they are empty, as in other answers."""
    return FINITE.format(column) if isinstance(field, models.FloatField) else column


def exact(field: Field, column: str) -> str:
    """Readers of JSON make a float of a decimal, as a text it stays what it is."""
    return f"{column}::text" if isinstance(field, models.DecimalField) else column


def _select(sql: str, fields: list[Field], *guards: Guard) -> str:
    """The columns of a query by their public names, each as the guards write it."""
    columns = [f"c{i}" for i in range(len(fields))]
    written = []
    for field, column in zip(fields, columns, strict=True):
        value = column
        for guard in guards:
            value = guard(field, value)
        written.append(f"{value} AS {_quoted(public(field))}")
    return f"SELECT {', '.join(written)} FROM ({sql}) AS r({', '.join(columns)})"  # noqa: S608


def _quoted(name: str) -> str:
    return Identifier(name).as_string().replace("%", "%%")  # "%" begins a parameter
