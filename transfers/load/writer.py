"""Load a version of a mirrored table: create its relation, copy rows into it, save its figures.

A version is loaded in one transaction, so a killed process leaves nothing behind.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pyarrow as pa
from django.db import connection
from django.db.models import Max
from psycopg import sql

from flights.mirror import MirroredTable
from flights.models import TableVersion
from transfers.figures import Figures

from . import columns, copy_csv, verification
from .statements import execute
from .value_counts import ValueCounts


def create(
    model: type[MirroredTable],
    schema: pa.Schema,
    source_version: str,
    made_by: int | None = None,
) -> TableVersion:
    """Create a version and its empty relation, in the caller's transaction.

    `made_by` is the id of the transfer.
    """
    table = model._meta.db_table
    last = TableVersion.objects.filter(table=table).aggregate(Max("number"))["number__max"] or 0
    version = TableVersion.objects.create(
        table=table,
        number=last + 1,
        columns=columns.types(schema),
        source_version=source_version,
        rows=0,
        made_by=made_by,
    )
    _create_relation("CREATE TABLE", version, schema)
    return version


def make_temporary(table: str, schema: pa.Schema) -> TableVersion:
    """Return an unsaved version with an empty temporary relation, which only this session sees."""
    version = TableVersion(table=table, number=0)
    _create_relation("CREATE TEMPORARY TABLE", version, schema)
    return version


class Copied(NamedTuple):
    """How much has been sent to PostgreSQL so far."""

    rows: int
    bytes: int  # of CSV


def copy(
    version: TableVersion,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    numbered_from: int = 0,
    counts: ValueCounts | None = None,
) -> Iterator[Copied]:
    """Append batches, whose columns are those of the schema, to a version's relation.

    Yields the progress after each batch; the rows are numbered from `numbered_from` + 1, and added
    to `counts`. Unstorable if PostgreSQL or the model refuses a value.
    """
    # FREEZE is allowed because nobody sees the relation before it is published. With it, later
    # reads do not have to write hint bits, and index-only scans work at once:
    # https://www.postgresql.org/docs/current/sql-copy.html
    into = sql.SQL("COPY {} FROM STDIN (FORMAT csv, FREEZE)")
    statement = into.format(sql.Identifier(version.relation))
    done = Copied(0, 0)
    # Django does not wrap errors of COPY, and would not recognize a lost connection.
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(statement) as out,
    ):
        for rows, csv in copy_csv.encode(
            batches, schema, numbered_from, version.table, counts or ValueCounts()
        ):
            out.write(csv)
            done = Copied(done.rows + rows, done.bytes + len(csv))
            yield done


def save_figures(version: TableVersion, figures: Figures) -> None:
    """Save the rows, the hash, the columns with NaN or infinity, and those without formulas."""
    version.rows, version.digest = verification.rows_and_digest(figures)
    finite = {name: figures.get(f"{name} finite") for name in version.columns}
    version.not_finite = [
        name for name, count in finite.items() if count not in (None, figures[f"{name} values"])
    ]
    version.formula_free = [name for name in version.columns if _begins_with_letters(name, figures)]
    version.save(update_fields=["rows", "digest", "not_finite", "formula_free"])


def _begins_with_letters(column: str, figures: Figures) -> bool:
    """Whether the first character of all texts is an ASCII letter, or between two of them."""
    first, last = figures.get(f"{column} min"), figures.get(f"{column} max")
    return first is not None and last is not None and first >= "A" and last < "\x7f"


def _create_relation(create: str, version: TableVersion, schema: pa.Schema) -> None:
    execute(
        create + " {} (id bigint NOT NULL, {})",
        sql.Identifier(version.relation),
        sql.SQL(", ").join(_column(field) for field in schema),
    )


def _column(field: pa.Field) -> sql.Composable:
    return sql.SQL("{} {} {}").format(
        sql.Identifier(field.name),
        sql.SQL(columns.postgresql(field.type)),
        sql.SQL("" if field.nullable else "NOT NULL"),
    )
