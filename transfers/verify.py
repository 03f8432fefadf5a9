"""Verify that a version has the same rows as its source.

The warehouse and PostgreSQL compute the same figures, each in its own SQL: for each column the
number of values, the minimum, the maximum and the sum; and one hash over all rows, which does not
depend on their order. docs/verification.md defines the canonical text of a row, which is hashed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from .exceptions import VerificationFailed

# The sums of floats may differ in the last bits, because PostgreSQL's parallel workers add them in
# any order. The tolerance is relative to the sum of absolute values.
FLOAT_SUM_TOLERANCE = 1e-9

# The figures of a relation by name, as text: {"Total_Flights sum": "336776", ...}.
type Figures = dict[str, str | None]


@dataclass(frozen=True)
class Dialect:
    """One database's SQL for parts of the figures; `{}` stands for a column or an expression."""

    canonical: Mapping[str, str]  # the canonical text of a value, by kind of type
    row_hash: str  # the first 60 bits of the MD5 of a text, as an integer
    bytewise: str  # a text that min and max compare by its bytes
    finite: str  # whether a float is neither NaN nor infinite
    whole: str = "{}"  # an integer, in a type whose sums do not overflow
    text_type: str = "VARCHAR"
    quote: str = '"'

    def figures(self, columns: pa.Schema, names: list[str]) -> dict[str, str]:
        """Return the SQL of each figure; `names` are the database's names of the columns."""
        pairs = [(f, quoted(name, self.quote)) for f, name in zip(columns, names, strict=True)]
        row = " || ',' || ".join(
            f"coalesce({self.canonical[_kind(f.type)].format(name)}, '-')" for f, name in pairs
        )
        figures = {"rows": "count(*)", "hash": f"sum({self.row_hash.format(row)})"}
        for field, name in pairs:
            of_column = self._column(_kind(field.type), name)
            figures |= {f"{field.name} {figure}": sql for figure, sql in of_column.items()}
        return figures

    def _column(self, kind: str, name: str) -> dict[str, str]:
        values = {"values": f"count({name})"}
        match kind:
            case "float":
                return values | self._floats(name)
            case "boolean":
                return values | {"sum": f"sum(CAST({name} AS INTEGER))"}
            case "text":
                text = self.bytewise.format(name)
                return values | {"min": f"min({text})", "max": f"max({text})"}
        limits = {f: self.canonical[kind].format(f"{f}({name})") for f in ("min", "max")}
        exact = {"integer": self.whole.format(name), "decimal": name}
        sums = {"sum": f"sum({exact[kind]})"} if kind in exact else {}
        return values | limits | sums

    def _floats(self, name: str) -> dict[str, str]:
        finite = f"CASE WHEN {self.finite.format(name)} THEN {name} END"
        canonical = self.canonical["float"]
        return {
            "finite": f"count({finite})",
            "min": canonical.format(f"min({finite})"),
            "max": canonical.format(f"max({finite})"),
            "sum": f"sum({finite})",
            "size": f"sum(abs({finite}))",
        }


POSTGRESQL = Dialect(
    canonical={
        "integer": "CAST({} AS VARCHAR)",
        "decimal": "CAST({} AS VARCHAR)",
        "float": "CASE WHEN {0} = 'NaN' THEN 'NaN' WHEN {0} = 0 THEN '0'"
        " ELSE CAST(('x' || encode(float8send({0}), 'hex'))::bit(64) AS VARCHAR) END",
        "text": "length({0}) || ':' || {0}",
        "boolean": "CAST(CAST({} AS INTEGER) AS VARCHAR)",
        "date": "CAST({} - DATE '1970-01-01' AS VARCHAR)",
        "timestamp": "CAST(CAST(extract(epoch FROM {}) * 1000000 AS BIGINT) AS VARCHAR)",
        "binary": "encode({}, 'hex')",
    },
    row_hash="CAST(CAST('x' || substr(md5({}), 1, 15) AS bit(60)) AS BIGINT)",
    bytewise='{} COLLATE "C"',
    finite="{} NOT IN ('NaN', 'Infinity', '-Infinity')",
)


def select(figures: dict[str, str], source: str, text_type: str = "VARCHAR") -> str:
    """Return a query whose single row has all figures of `source` as text, in order."""
    # Give them short names: by default, a database derives long names from the expressions.
    parts = ", ".join(
        f"CAST({sql} AS {text_type}) AS figure_{number}"
        for number, sql in enumerate(figures.values())
    )
    return f"SELECT {parts} FROM {source}"  # noqa: S608  # names are quoted, the rest is constant


def agree(source: Figures, copy: Figures, table: str) -> None:
    """Compare the figures of a source and its copy; VerificationFailed names those that differ."""
    differences = [
        f"{name} is {source[name]} in the warehouse and {copy[name]} in the copy"
        for name in source
        if not name.endswith(" size") and not _same(name, source, copy)
    ]
    if differences:
        raise VerificationFailed(
            f"{table}: the copy differs from its source: {'; '.join(differences)}.",
            advice="Nothing was published. Transfer the table again. If it fails again, rows were"
            " changed during the transfer.",
        )


def quoted(name: str, quote: str = '"') -> str:
    """Quote an identifier."""
    return quote + name.replace(quote, 2 * quote) + quote


def _same(name: str, source: Figures, copy: Figures) -> bool:
    """Whether one figure agrees; sums of floats agree within the tolerance."""
    one, other = source[name], copy[name]
    size = source.get(f"{name.removesuffix(' sum')} size")
    if not name.endswith(" sum") or size is None or one is None or other is None:
        return one == other
    return abs(float(one) - float(other)) <= FLOAT_SUM_TOLERANCE * float(size)


def _kind(type_: pa.DataType) -> str:
    tests = {
        "boolean": pa.types.is_boolean,
        "integer": pa.types.is_integer,
        "decimal": pa.types.is_decimal,
        "float": pa.types.is_floating,
        "text": pa.types.is_string,
        "date": pa.types.is_date,
        "timestamp": pa.types.is_timestamp,
        "binary": pa.types.is_binary,
    }
    return next(kind for kind, is_kind in tests.items() if is_kind(type_))
