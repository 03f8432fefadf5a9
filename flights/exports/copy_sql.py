"""COPY statements that make PostgreSQL write the rows of a query, one for each kind of file.

`formula_free` are the columns of a version whose texts never begin like a formula.
"""

from collections.abc import Callable, Collection
from functools import partial

from django.db import models
from psycopg.sql import Identifier

from flights.finite import FINITE
from flights.mirror import Field, public

type Rewrite = Callable[[Field, str], str]  # from a column and its SQL to the SQL to select

# Spreadsheets read a text that begins with `=`, `+`, `-` or `@` as a formula (OWASP, "CSV
# Injection"). The other characters are those that Unicode normalizes to them (NFKC), and its minus.
FORMULA_STARTS = (
    r"=+@\u207a-\u207c\u208a-\u208c\u2212\u2a75\u2a76\ufb29\ufe62\ufe63\ufe66\ufe6b"
    r"\uff0b\uff0d\uff1d\uff20-"
)
# They may skip invisible characters before it: spaces, controls, format characters and fillers.
INVISIBLE = (
    r"\u0001-\u0020\u007f-\u00a0\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2"
    r"\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800"
    r"\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd"
    r"\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
FORMULA = rf"^(\t|\r|\n|[{INVISIBLE}]*[{FORMULA_STARTS}])"
# In the expressions below, `{0}` is the column. Most texts begin with an ASCII letter: a cheap
# comparison lets them skip the regular expression.
NO_LETTER_FIRST = r"""({0} < 'A' COLLATE "C" OR {0} >= E'\x7f' COLLATE "C")"""
ESCAPED = f"CASE WHEN {NO_LETTER_FIRST} AND {{0}} ~ '{FORMULA}' THEN '''' || {{0}} ELSE {{0}} END"


def csv(sql: str, fields: list[Field], formula_free: Collection[str]) -> str:
    """CSV files, with a header. Texts that a spreadsheet would run as a formula are escaped."""
    escape = partial(escape_formula, formula_free)
    return f"COPY ({_select(sql, fields, escape)}) TO STDOUT (FORMAT csv, HEADER)"


def plain(sql: str, fields: list[Field], formula_free: Collection[str]) -> str:
    """Unchanged values as CSV without a header, which `arrow.batches` parses."""
    return f"COPY ({sql}) TO STDOUT (FORMAT csv)"


def sheet(sql: str, fields: list[Field], formula_free: Collection[str]) -> str:
    """Like `plain`, for Excel: escaped formulas, and no NaN or infinity."""
    escape = partial(escape_formula, formula_free)
    return f"COPY ({_select(sql, fields, escape, finite_or_null)}) TO STDOUT (FORMAT csv)"


def json(sql: str, fields: list[Field], formula_free: Collection[str]) -> str:
    """One JSON object per line.

    The format is CSV, because COPY's text format would escape backslashes. JSON never contains
    control characters, so with these as delimiter and quote CSV changes nothing.
    """
    rows = _select(sql, fields, finite_or_null, decimal_as_text)
    objects = f"SELECT to_json(o) FROM ({rows}) AS o"  # noqa: S608
    return rf"COPY ({objects}) TO STDOUT (FORMAT csv, DELIMITER E'\x02', QUOTE E'\x01')"


def escape_formula(formula_free: Collection[str], field: Field, column: str) -> str:
    """Put `'` before a text that a spreadsheet would run as a formula."""
    if public(field) in formula_free or not isinstance(field, models.TextField):
        return column
    return ESCAPED.format(column)


def finite_or_null(field: Field, column: str) -> str:
    """Replace NaN and infinity, which JSON and spreadsheets lack, by null, as the API does."""
    return FINITE.format(column) if isinstance(field, models.FloatField) else column


def decimal_as_text(field: Field, column: str) -> str:
    """Write a decimal as text: JSON readers would round a number to a double."""
    return f"{column}::text" if isinstance(field, models.DecimalField) else column


def _select(sql: str, fields: list[Field], *rewrites: Rewrite) -> str:
    """Select the columns of a query under their public names, each changed by the rewrites."""
    columns = [f"c{i}" for i in range(len(fields))]
    selected = []
    for field, column in zip(fields, columns, strict=True):
        value = column
        for rewrite in rewrites:
            value = rewrite(field, value)
        selected.append(f"{value} AS {_quoted(public(field))}")
    return f"SELECT {', '.join(selected)} FROM ({sql}) AS r({', '.join(columns)})"  # noqa: S608


def _quoted(name: str) -> str:
    return Identifier(name).as_string().replace("%", "%%")  # psycopg reads "%" as a parameter
