"""Compute the figures that prove a copy equal to its source, in the SQL of any database.

The warehouse and PostgreSQL compute the same figures, each in its own SQL: one hash over all rows,
which does not depend on their order; and for each column the number of values, the minimum, the
maximum and the sum. docs/verification.md defines the canonical text of a row, which is hashed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched, chain
from typing import NamedTuple

import pyarrow as pa

from . import wide_decimals
from .identifiers import quoted

# Floats whose absolute value is smaller are added up: even 10^18 of them stay below the greatest
# float, 1.8e308. PostgreSQL refuses a sum beyond it.
SUMMABLE_FLOAT = "1e290"
# Largest number of values in one call. PostgreSQL's functions take at most 100 arguments, and a
# value can be two.
ARGUMENTS = 48

# The figures of a relation by name, as text: {"Total_Flights sum": "336776", ...}.
type Figures = dict[str, str | None]
# Runs a query in a database, and returns the values of its only row.
type RowOf = Callable[[str], Sequence[str | None]]


class Figure(NamedTuple):
    """An aggregate of a column, and the form of its text, in which {0} is the result."""

    name: str
    sql: str
    form: str = "{0}"


@dataclass(frozen=True)
class Dialect:
    """One database's SQL for parts of the figures; `{}` stands for a column or an expression."""

    canonical: Mapping[str, str]  # the canonical text of a value, by kind of type
    row_hash: str  # the first 60 bits of the MD5 of a text, as an integer
    limit: str  # the function {0}, min or max, of a text {1}, compared by its bytes
    finite: str  # whether a float is neither NaN nor infinite
    whole: str = "{}"  # an integer, in a type whose sums do not overflow
    # The canonical text of a decimal that has no digit before the point, if it is a special case.
    fraction: str = ""
    # What a row's text has for a value, by kind of type, where this takes less time than
    # coalesce(canonical, '-'). It can be two values: `concat_ws` leaves out a null.
    in_row: Mapping[str, str] = field(default_factory=dict)
    # Intermediate results for the text of a float: each is computed in a query of its own, which
    # the next one reads. A formula has the value as {0}, and earlier results by their names.
    steps: Mapping[str, str] = field(default_factory=dict)
    adds_any_decimals: bool = False  # whether a sum of decimals can have any number of digits
    text_type: str = "VARCHAR"
    quote: str = '"'
    # Largest number of figures in one query. Each query reads the whole table once.
    figures_at_once: int = 1000

    def figures(
        self, columns: pa.Schema, names: Sequence[str], source: str, row_of: RowOf
    ) -> Figures:
        """Compute the figures of a relation; `names` are the database's names of the columns."""
        figures: Figures = {}
        aggregates: Iterable[Figure] = self._aggregates(columns, names)
        if self.steps:
            hashed = row_of(self.hash_query(columns, names, source))
            figures = dict(zip(("rows", "hash"), hashed, strict=True))
        else:  # the first query computes all, so that the table is read once
            texts = [form.format(name) for name, form in self._values(columns, names)]
            of_rows = (Figure("rows", "count(*)"), Figure("hash", self._hash(texts)))
            aggregates = chain(of_rows, aggregates)
        for part in batched(aggregates, self.figures_at_once):
            values = row_of(self._query(part, source))
            figures |= {f.name: value for f, value in zip(part, values, strict=True)}
        return wide_decimals.whole_sums(columns, figures)

    def hash_query(self, columns: pa.Schema, names: Sequence[str], source: str) -> str:
        """Return a query of the number of rows and of their hash, as text."""
        texts, relation = self._texts(self._values(columns, names), source)
        return self._select(["count(*)", self._hash(texts)], relation)

    def _values(self, columns: pa.Schema, names: Sequence[str]) -> list[tuple[str, str]]:
        """The name of each column, and the form of its values in a row's text."""
        pairs = zip(columns, names, strict=True)
        return [(quoted(name, self.quote), self._in_row(f.type)) for f, name in pairs]

    def _in_row(self, type_: pa.DataType) -> str:
        return self.in_row.get(_kind(type_)) or f"coalesce({self._canonical(type_)}, '-')"

    def _hash(self, texts: list[str]) -> str:
        """Return the SQL of the hash of all rows; `texts` are the SQL of a row's values."""
        return f"sum({self.row_hash.format(self._row(texts))})"

    def _aggregates(self, columns: pa.Schema, names: Sequence[str]) -> Iterator[Figure]:
        for column, name in zip(columns, names, strict=True):
            for figure in self._column(column.type, quoted(name, self.quote)):
                yield figure._replace(name=f"{column.name} {figure.name}")

    def _column(self, type_: pa.DataType, name: str) -> Iterator[Figure]:
        yield Figure("values", f"count({name})")
        canonical = self._canonical(type_)
        match _kind(type_):
            case "float":
                yield from self._floats(name)
            case "boolean":
                yield Figure("sum", f"sum(CAST({name} AS INTEGER))")
            case "text":
                yield from (Figure(f, self.limit.format(f, name)) for f in ("min", "max"))
            case kind:
                yield from (Figure(f, f"{f}({name})", canonical) for f in ("min", "max"))
                yield from self._sums(kind, type_, name)

    def _floats(self, name: str) -> Iterator[Figure]:
        finite = f"CASE WHEN {self.finite.format(name)} THEN {name} END"
        yield Figure("finite", f"count({finite})")
        for limit in ("min", "max"):
            yield Figure(limit, f"{limit}({finite})", self.canonical["float"])
        summable = f"CASE WHEN abs({name}) < {SUMMABLE_FLOAT} THEN {name} END"
        yield Figure("sum", f"sum({summable})")
        yield Figure("size", f"sum(abs({summable}))")

    def _sums(self, kind: str, type_: pa.DataType, name: str) -> Iterator[Figure]:
        if kind == "integer":
            yield Figure("sum", f"sum({self.whole.format(name)})")
        elif kind == "decimal" and (self.adds_any_decimals or not wide_decimals.is_wide(type_)):
            yield Figure("sum", f"sum({name})")
        elif kind == "decimal":
            halves = wide_decimals.halves(name, self.text_type)
            yield from (Figure(part, f"sum({sql})") for part, sql in halves)

    def _query(self, figures: Iterable[Figure], source: str) -> str:
        """Return a query of figures as text, in their order."""
        values = [(figure.sql, figure.form) for figure in figures]
        return self._select(*self._texts(values, source))

    def _texts(self, values: Sequence[tuple[str, str]], source: str) -> tuple[list[str], str]:
        """Return the canonical texts of expressions, and the relation to read them from.

        Each value is its SQL in `source` and its canonical form.
        """
        selected = ", ".join(f"{sql} AS v{number}" for number, (sql, _) in enumerate(values))
        relation = f"(SELECT {selected} FROM {source}) AS r"  # noqa: S608  # names are quoted
        floats = [n for n, (_, form) in enumerate(values) if self.canonical["float"] in form]
        for step, formula in self.steps.items() if floats else ():
            results = ", ".join(f"{self._fill(formula, n)} AS {step}{n}" for n in floats)
            relation = f"(SELECT *, {results} FROM {relation}) AS r"  # noqa: S608
        return [self._fill(form, number) for number, (_, form) in enumerate(values)], relation

    def _fill(self, formula: str, number: int) -> str:
        steps = {step: f"{step}{number}" for step in self.steps}
        return formula.format(f"v{number}", **steps)

    def _row(self, values: list[str]) -> str:
        """Return the SQL of a row's text, which joins the texts of its values.

        One call for many values: a chain of `||` would copy the text once for each value, and is
        too deep for some parsers.
        """
        joined = [f"concat_ws(',', {', '.join(part)})" for part in batched(values, ARGUMENTS)]
        return joined[0] if len(joined) == 1 else self._row(joined)

    def _select(self, values: Iterable[str], relation: str) -> str:
        # Give them short names: by default, a database derives long names from the expressions.
        texts = [f"CAST({sql} AS {self.text_type}) AS f{n}" for n, sql in enumerate(values)]
        return f"SELECT {', '.join(texts)} FROM {relation}"  # noqa: S608

    def _canonical(self, type_: pa.DataType) -> str:
        if self.fraction and pa.types.is_decimal(type_) and type_.precision == type_.scale:
            return self.fraction
        return self.canonical[_kind(type_)]


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
