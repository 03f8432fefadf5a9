"""Types of Databricks and Spark: their Arrow types, and which columns can be read as JSON.

https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-datatypes
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import pyarrow as pa

from . import OtherType, spark_sql

ARROW = {
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "string": pa.string(),
    "binary": pa.binary(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
    "timestamp_ntz": pa.timestamp("us"),
}
DECIMAL = re.compile(r"decimal\((\d+), ?(\d+)\)")
TEXT = re.compile(r"string|(var)?char\(\d+\)")
# Without the option, a field without a value would not be in the JSON.
TO_JSON = "to_json({}, map('ignoreNullFields', 'false'))"
JSON = {
    re.compile(r"variant|(array|map|struct)<.*>", re.DOTALL): TO_JSON,
    re.compile(r"interval .*"): """concat('"', CAST({} AS STRING), '"')""",
}


def arrow(name: str) -> pa.DataType:
    """Return the Arrow type of the values of a type, and `OtherType` if there is none."""
    plain = name.lower().partition(" collate ")[0]
    if match := DECIMAL.fullmatch(plain):
        return pa.decimal128(int(match[1]), int(match[2]))
    return pa.string() if TEXT.fullmatch(plain) else ARROW.get(plain) or OtherType(name)


def to_json(name: str, column: str) -> str | None:
    """Return the SQL of a column's value as JSON; None for a type without such SQL."""
    forms = (form for pattern, form in JSON.items() if pattern.fullmatch(name.lower()))
    form = next(forms, None)
    return form and form.format(column)


@dataclass(frozen=True)
class Columns:
    """The columns of a query, as they are read."""

    schema: pa.Schema
    sql: Mapping[str, str]  # the expression that reads a column
    collated: frozenset[str]  # texts that the warehouse does not compare by their bytes

    @classmethod
    def of(cls, described: Iterable[Mapping[str, Any]], json: Collection[str] = ()) -> Self:
        """Read the rows of `DESCRIBE QUERY`; those in `json` become JSON. Names match in any case.

        The columns of a result are not enough: a VARIANT is a text there, and a warehouse may
        describe them without the zones of times.
        """
        fields, sql = list[pa.Field](), dict[str, str]()
        names, rows = {name.lower() for name in json}, list(described)
        for name, type_ in ((row["col_name"], row["data_type"]) for row in rows):
            quoted = spark_sql.name(name)
            as_json = to_json(type_, quoted) if name.lower() in names else None
            fields.append(pa.field(name, pa.string() if as_json else arrow(type_)))
            sql[name] = as_json or quoted
        collated = (row["col_name"] for row in rows if " collate " in row["data_type"].lower())
        return cls(pa.schema(fields), sql, frozenset(collated))

    def select(self, names: Iterable[str]) -> str:
        """Return the columns of a SELECT, with their own names."""
        return ", ".join(self._named(name) for name in names)

    def bytes(self, name: str) -> str:
        """Return a column, or the bytes of a text that would not be compared by them."""
        quoted = spark_sql.name(name)
        return f"CAST({quoted} AS BINARY)" if name in self.collated else quoted

    def _named(self, name: str) -> str:
        expression, quoted = self.sql[name], spark_sql.name(name)
        return quoted if expression == quoted else f"{expression} AS {quoted}"

    @property
    def has_json(self) -> bool:
        return any(sql != spark_sql.name(name) for name, sql in self.sql.items())
