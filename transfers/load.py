"""The only writer of mirrored tables: loads a version, publishes it, rolls back, prunes.

A version is loaded in one transaction, so a loader that is killed leaves nothing. Publishing is
another, of a few rows: no statement here changes a relation that readers use.
"""

import io
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import Max, Q
from django.utils import timezone
from psycopg import sql
from psycopg.errors import LockNotAvailable

from flights import ordering
from flights.mirror import MirroredTable, public
from flights.models import Export, PublishedTable, TableVersion

from . import columns, sqlview, verify
from .exceptions import NoSuchVersion, Unstorable
from .statements import execute

# For sorting index entries; beyond it PostgreSQL sorts on disk.
INDEX_MEMORY = "256MB"
# What DROP TABLE may wait for readers; they would queue behind it.
PRUNE_LOCK_TIMEOUT = "50ms"


def create(
    model: type[MirroredTable],
    schema: pa.Schema,
    source_version: str,
    made_by: int | None = None,
) -> TableVersion:
    """A new version's row and its empty relation, in the caller's transaction."""
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
    _make_relation("CREATE TABLE", version, schema)
    return version


def make_temporary(table: str, schema: pa.Schema) -> TableVersion:
    """A version that is not written down, with an empty relation that nobody else can see."""
    version = TableVersion(table=table, number=0)
    _make_relation("CREATE TEMPORARY TABLE", version, schema)
    return version


class Copied(NamedTuple):
    """What PostgreSQL was sent so far."""

    rows: int
    bytes: int  # of the rows as CSV


def copy(
    version: TableVersion,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    numbered_from: int = 0,
) -> Iterator[Copied]:
    """Write batches of the schema's columns, in order, to the relation; yields what was written.

    The first row has the number after `numbered_from`.
    """
    # Frozen, as nobody sees the relation before it is published: neither verifying nor readers
    # have to write to its pages then, and index-only scans work at once.
    into = sql.SQL("COPY {} FROM STDIN (FORMAT csv, FREEZE)")
    statement = into.format(sql.Identifier(version.relation))
    done = Copied(0, 0)
    # Django does not do so around COPY: a lost connection would not be known as one.
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(statement) as out,
    ):
        for batch in batches:
            if batch.num_rows:  # an empty batch makes pyarrow's CSV writer emit garbage
                lines = _lines(batch, schema, numbered_from + done.rows, version.table)
                out.write(lines)
                done = Copied(done.rows + batch.num_rows, done.bytes + len(lines))
                yield done


def index(model: type[MirroredTable], version: TableVersion) -> None:
    """Primary key, declared indexes and statistics for the planner."""
    relation = sql.Identifier(version.relation)
    execute("SET LOCAL maintenance_work_mem = {}", sql.Literal(INDEX_MEMORY))
    execute("ALTER TABLE {} ADD PRIMARY KEY (id)", relation)
    for names in model.mirror.indexes:
        order = ordering.whole([ordering.named(model, name) for name in names], model.sequence())
        walked = sql.SQL(", ").join(map(_walked, order))
        execute("CREATE INDEX ON {} ({})", relation, walked)
    execute("ANALYZE {}", relation)


def _walked(direction: ordering.Direction) -> sql.Composable:
    """A column of an index that is to hold the order of queries, nulls last both ways."""
    way = " DESC" * direction.descending + " NULLS LAST" * direction.field.null
    return sql.Identifier(public(direction.field)) + sql.SQL(way)


def figures(version: TableVersion, schema: pa.Schema) -> verify.Figures:
    """What the relation holds, for `verify.agree`."""
    asked = verify.POSTGRESQL.figures(schema, schema.names)
    with connection.cursor() as cursor:
        cursor.execute(verify.select(asked, verify.quoted(version.relation)))
        return dict(zip(asked, cursor.fetchone(), strict=True))


def keep(version: TableVersion, figures: verify.Figures) -> None:
    """Write down what a version was proved to hold."""
    version.rows = int(figures["rows"] or 0)
    version.digest = f"{int(figures['hash'] or 0):x}"
    version.save(update_fields=["rows", "digest"])


def confirm(table: str) -> None:
    """Write down that the newest version equals its source now."""
    newest = TableVersion.objects.filter(table=table).values_list("pk", flat=True)[:1]
    TableVersion.objects.filter(pk__in=list(newest)).update(confirmed_at=timezone.now())


def publish(versions: Iterable[TableVersion]) -> None:
    """Make versions current, all of them at once, in the caller's transaction or its own."""
    with transaction.atomic():
        now = timezone.now()
        for version in versions:
            TableVersion.objects.filter(pk=version.pk, published_at=None).update(published_at=now)
            PublishedTable.objects.update_or_create(
                table=version.table, defaults={"current": version, "since": now}
            )
            sqlview.point_at(version)


def roll_back(model: type[MirroredTable], number: int | None = None) -> TableVersion:
    """Make an earlier version current: the one before the current one, or that of a number."""
    table = model._meta.db_table
    with transaction.atomic():
        published = PublishedTable.objects.select_for_update().filter(table=table).first()
        kept = TableVersion.objects.filter(table=table, published_at__isnull=False)
        if published is None:
            raise NoSuchVersion(f"{table} has no version yet.", advice="Transfer it first.")
        now = published.current.number
        wanted = Q(number__lt=now) if number is None else Q(number=number)
        version = kept.filter(wanted).order_by("-number").first()
        if version is None:
            asked = "version before the current one" if number is None else f"version {number}"
            numbers = ", ".join(str(n) for n in kept.values_list("number", flat=True))
            raise NoSuchVersion(
                f"{table} has no {asked}.", advice=f"Kept are {numbers}; {now} is current."
            )
        publish([version])
    return version


def prune(model: type[MirroredTable]) -> None:
    """Drop all but the last versions. One that is still being read is left for another time.

    So is one that an export waits for. The caller makes sure that no transfer of the table runs.
    """
    versions = TableVersion.objects.filter(table=model._meta.db_table)
    published = versions.filter(published_at__isnull=False)
    exported = Export.objects.filter(table=model._meta.db_table, status__in=Export.ACTIVE)
    kept = published.order_by("-number")[: settings.VERSIONS_KEPT].values_list("pk", flat=True)
    spared = Q(pk__in=list(kept)) | Q(number__in=list(exported.values_list("number", flat=True)))
    for version in versions.exclude(spared).filter(published=None):
        try:
            _drop(version)
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise


def _drop(version: TableVersion) -> None:
    with transaction.atomic():
        execute("SET LOCAL lock_timeout = {}", sql.Literal(PRUNE_LOCK_TIMEOUT))
        for relation in (version.relation, version.dictionary):
            execute("DROP TABLE IF EXISTS {}", sql.Identifier(relation))
        version.delete()


def _make_relation(create: str, version: TableVersion, schema: pa.Schema) -> None:
    execute(
        create + " {} (id bigint NOT NULL, {})",
        sql.Identifier(version.relation),
        sql.SQL(", ").join(_definition(field) for field in schema),
    )


def _definition(field: pa.Field) -> sql.Composable:
    return sql.SQL("{} {} {}").format(
        sql.Identifier(field.name),
        sql.SQL(columns.postgresql(field.type)),
        sql.SQL("" if field.nullable else "NOT NULL"),
    )


def _lines(batch: pa.RecordBatch, schema: pa.Schema, before: int, table: str) -> bytes:
    """CSV of a batch, the rows numbered from `before`; an empty text is "" and a null is bare."""
    _refuse_nulls(batch, schema, before, table)
    numbers = pc.add(pc.cumulative_sum(pa.repeat(pa.scalar(1, pa.int64()), len(batch))), before)
    cast = [_written(values.cast(f.type)) for values, f in zip(batch.columns, schema, strict=True)]
    out = io.BytesIO()
    rows = pa.Table.from_arrays([numbers, *cast], names=["id", *schema.names])
    pyarrow.csv.write_csv(rows, out, pyarrow.csv.WriteOptions(include_header=False))
    lines = out.getvalue()
    if b"\0" in lines:  # to look into each column would take longer
        raise _nul(rows, table)
    return lines


def _refuse_nulls(batch: pa.RecordBatch, schema: pa.Schema, before: int, table: str) -> None:
    for values, field in zip(batch.columns, schema, strict=True):
        if values.null_count and not field.nullable:
            row = before + pc.index(values.is_null(), True).as_py() + 1
            raise Unstorable(
                f"{table}: column {field.name} of row {row}, in the declared order, has no value,"
                " which its model does not allow.",
                advice="Give the model's field null=True, or correct the broker's SQL.",
            )


def _written(values: pa.Array) -> pa.Array:
    """What pyarrow's CSV writer can write and PostgreSQL reads."""
    if not pa.types.is_binary(values.type):
        return values
    texts = (None if value is None else rf"\x{value.hex()}" for value in values.to_pylist())
    return pa.array(texts, pa.string())


def _nul(rows: pa.Table, table: str) -> Unstorable:
    """What is wrong with the first text that holds a NUL character."""
    places = {
        name: pc.index(pc.match_substring(rows[name], "\0"), True).as_py()
        for name in rows.column_names
        if pa.types.is_string(rows[name].type)
    }
    row, name = min((row, name) for name, row in places.items() if row >= 0)
    number = rows["id"][row].as_py()
    return Unstorable(
        f"{table}: column {name} of row {number}, in the declared order, holds a NUL character.",
        advice="PostgreSQL cannot store it: remove it in the broker's SQL.",
    )
