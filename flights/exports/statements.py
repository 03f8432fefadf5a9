"""What PostgreSQL copies out for each kind of file."""

from collections.abc import Callable

from django.db import models
from psycopg.sql import Identifier

from flights.mirror import Field, public

type Guard = Callable[[Field, str], str]

# Spreadsheets take a text that begins so for a formula (OWASP: CSV injection).
# What begins with a letter is known harmless by the first, cheap comparison.
BEGINS = r"""{0} < 'A' COLLATE "C" AND left({0}, 1) IN ('=', '+', '-', '@', E'\t', E'\r')"""
HARMLESS = f"CASE WHEN {BEGINS} THEN '''' || {{0}} ELSE {{0}} END"
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
