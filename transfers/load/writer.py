"""Write mirrored tables: load a version, publish it, roll back, and drop old versions.

No other module writes them. A version is loaded in one transaction, so a killed process leaves
nothing behind. Publishing is another transaction, which changes a few rows. No statement changes a
relation that readers are using.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import pyarrow as pa
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import Max, Q
from django.utils import timezone
from psycopg import sql
from psycopg.errors import LockNotAvailable

from flights.mirror import MirroredTable
from flights.models import Export, PublishedTable, TableVersion
from transfers import verify
from transfers.exceptions import NoSuchVersion

from . import columns, copy_csv, sql_view
from .statements import execute
from .value_counts import ValueCounts

# How long DROP TABLE waits for readers. New readers queue behind it meanwhile.
PRUNE_LOCK_TIMEOUT = "50ms"


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


def verify_copy(version: TableVersion, schema: pa.Schema, source: verify.Figures) -> None:
    """Prove that a version has the rows of its source, whose figures are `source`.

    An equal hash of all rows proves it. Only if it differs are the figures of the columns computed:
    VerificationFailed names those that differ.
    """
    if rows_and_hash(version, schema) != rows_and_digest(source):
        verify.agree(source, figures(version, schema), version.table)


def rows_and_hash(version: TableVersion, schema: pa.Schema) -> tuple[int, str]:
    """Compute the number of a version's rows and their hash, as `rows_and_digest` returns them."""
    relation = verify.quoted(version.relation)
    query = verify.POSTGRESQL.hash_query(schema, schema.names, relation)
    return rows_and_digest(dict(zip(("rows", "hash"), _row(query), strict=True)))


def figures(version: TableVersion, schema: pa.Schema) -> verify.Figures:
    """Compute all figures of a version, for `verify.agree`."""
    relation = verify.quoted(version.relation)
    return verify.POSTGRESQL.figures(schema, schema.names, relation, _row)


def _row(query: str) -> tuple[str | None, ...]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        row: tuple[str | None, ...] = cursor.fetchone()
        return row


def save_figures(version: TableVersion, figures: verify.Figures) -> None:
    """Save a version's number of rows, its hash, and what files and queries need of its columns."""
    version.rows, version.digest = rows_and_digest(figures)
    finite = {name: figures.get(f"{name} finite") for name in version.columns}
    version.not_finite = [
        name for name, count in finite.items() if count not in (None, figures[f"{name} values"])
    ]
    version.formula_free = [name for name in version.columns if _begins_with_letters(name, figures)]
    version.save(update_fields=["rows", "digest", "not_finite", "formula_free"])


def _begins_with_letters(column: str, figures: verify.Figures) -> bool:
    """Whether the first character of all texts is an ASCII letter, or between two of them."""
    first, last = figures.get(f"{column} min"), figures.get(f"{column} max")
    return first is not None and last is not None and first >= "A" and last < "\x7f"


def rows_and_digest(figures: verify.Figures) -> tuple[int, str]:
    """Return the number of rows, and their hash as a version records it."""
    return int(figures["rows"] or 0), f"{int(figures['hash'] or 0):x}"


def save_checks(version: TableVersion, checks: Any, override: Any) -> None:
    """Save what the quality checks found, and who published the version in spite of it."""
    TableVersion.objects.filter(pk=version.pk).update(checks=checks, override=override)


def confirm(table: str) -> None:
    """Record that the newest version is equal to its source now."""
    newest = TableVersion.objects.filter(table=table).values_list("pk", flat=True)[:1]
    TableVersion.objects.filter(pk__in=list(newest)).update(confirmed_at=timezone.now())


def publish(versions: Iterable[TableVersion]) -> None:
    """Make versions current, all at the same time, in the caller's transaction or a new one."""
    with transaction.atomic():
        now = timezone.now()
        for version in versions:
            TableVersion.objects.filter(pk=version.pk, published_at=None).update(published_at=now)
            PublishedTable.objects.update_or_create(
                table=version.table, defaults={"current": version, "since": now}
            )
            sql_view.point_at(version)


def roll_back(model: type[MirroredTable], number: int | None = None) -> TableVersion:
    """Make version `number` current; by default the one before the current version.

    NoSuchVersion if it does not exist or was dropped.
    """
    table = model._meta.db_table
    with transaction.atomic():
        published = PublishedTable.objects.select_for_update().filter(table=table).first()
        versions = TableVersion.objects.filter(table=table, published_at__isnull=False)
        if published is None:
            raise NoSuchVersion(f"{table} has no version yet.", advice="Transfer it first.")
        current = published.current.number
        wanted = Q(number__lt=current) if number is None else Q(number=number)
        version = versions.filter(wanted).order_by("-number").first()
        if version is None:
            name = "version before the current one" if number is None else f"version {number}"
            numbers = ", ".join(str(n) for n in versions.values_list("number", flat=True))
            raise NoSuchVersion(
                f"{table} has no {name}.",
                advice=f"Available versions: {numbers}; {current} is current.",
            )
        publish([version])
    return version


def prune(model: type[MirroredTable]) -> None:
    """Drop all versions but the last VERSIONS_KEPT, the current one and those of active exports.

    A version that is being read stays until a later call. The caller makes sure that no transfer of
    the table is running.
    """
    versions = TableVersion.objects.filter(table=model._meta.db_table)
    published = versions.filter(published_at__isnull=False)
    exported = Export.objects.filter(table=model._meta.db_table, status__in=Export.ACTIVE)
    latest = published.order_by("-number")[: settings.VERSIONS_KEPT].values_list("pk", flat=True)
    in_use = Q(pk__in=list(latest)) | Q(number__in=list(exported.values_list("number", flat=True)))
    for version in versions.exclude(in_use).filter(published=None):
        try:
            _drop(version)
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise


def _drop(version: TableVersion) -> None:
    with transaction.atomic():
        execute("SET LOCAL lock_timeout = {}", sql.Literal(PRUNE_LOCK_TIMEOUT))
        for relation in (version.long_rows, version.relation, version.dictionary):
            execute("DROP TABLE IF EXISTS {}", sql.Identifier(relation))
        version.delete()


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
