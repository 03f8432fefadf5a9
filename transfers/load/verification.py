"""Verify that a version has the same rows as its source, by the figures of both."""

import pyarrow as pa
from django.db import connection

from flights.models import TableVersion
from transfers.exceptions import VerificationFailed
from transfers.figures import Dialect, Figures
from transfers.identifiers import quoted

# The sums of floats may differ in the last bits, because PostgreSQL's parallel workers add them in
# any order. The tolerance is relative to the sum of absolute values.
FLOAT_SUM_TOLERANCE = 1e-9

DIALECT = Dialect(
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
    in_row={
        "integer": "{0}, CASE WHEN {0} IS NULL THEN '-' END",
        "boolean": "CASE {0} WHEN true THEN '1' WHEN false THEN '0' ELSE '-' END",
        "text": "length({0}) || ':' || {0}, CASE WHEN {0} IS NULL THEN '-' END",
        "date": "{0} - DATE '1970-01-01', CASE WHEN {0} IS NULL THEN '-' END",
    },
    row_hash="CAST(CAST('x' || substr(md5({}), 1, 15) AS bit(60)) AS BIGINT)",
    limit='{0}({1} COLLATE "C")',
    finite="{} NOT IN ('NaN', 'Infinity', '-Infinity')",
    adds_any_decimals=True,
)


def verify_copy(version: TableVersion, schema: pa.Schema, source: Figures) -> None:
    """Prove that a version has the rows of its source, whose figures are `source`.

    An equal hash of all rows proves it. Only if it differs are the figures of the columns computed:
    VerificationFailed names those that differ.
    """
    if rows_and_hash(version, schema) != rows_and_digest(source):
        compare(source, figures(version, schema), version.table)


def rows_and_hash(version: TableVersion, schema: pa.Schema) -> tuple[int, str]:
    """Compute the number of a version's rows and their hash in hexadecimal."""
    relation = quoted(version.relation)
    query = DIALECT.hash_query(schema, schema.names, relation)
    return rows_and_digest(dict(zip(("rows", "hash"), _row(query), strict=True)))


def figures(version: TableVersion, schema: pa.Schema) -> Figures:
    """Compute all figures of a version, for `compare`."""
    relation = quoted(version.relation)
    return DIALECT.figures(schema, schema.names, relation, _row)


def rows_and_digest(figures: Figures) -> tuple[int, str]:
    """Return the number of rows, and their hash in hexadecimal, as a version records it."""
    return int(figures["rows"] or 0), f"{int(figures['hash'] or 0):x}"


def compare(source: Figures, copy: Figures, table: str) -> None:
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


def _row(query: str) -> tuple[str | None, ...]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        row: tuple[str | None, ...] = cursor.fetchone()
        return row


def _same(name: str, source: Figures, copy: Figures) -> bool:
    """Whether one figure agrees; sums of floats agree within the tolerance."""
    one, other = source[name], copy[name]
    size = source.get(f"{name.removesuffix(' sum')} size")
    if not name.endswith(" sum") or size is None or one is None or other is None:
        return one == other
    return abs(float(one) - float(other)) <= FLOAT_SUM_TOLERANCE * float(size)
