"""The only writer of mirrored tables: loads a version, publishes it, rolls back, prunes.

A version is loaded in one transaction, so a loader that is killed leaves nothing. Publishing is
another, of a few rows: no statement here changes a relation that readers use.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pyarrow as pa
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import Max, Q
from django.utils import timezone
from psycopg import sql
from psycopg.errors import LockNotAvailable

from flights.mirror import MirroredTable, may_be_empty, public
from flights.models import Export, PublishedTable, TableVersion
from flights.query import ordering
from transfers import verify
from transfers.exceptions import NoSuchVersion

from . import columns, copy_csv, long_rows, sql_view
from .statements import execute

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
        for rows, written in copy_csv.ahead(batches, schema, numbered_from, version.table):
            out.write(written)
            done = Copied(done.rows + rows, done.bytes + len(written))
            yield done


def index(model: type[MirroredTable], version: TableVersion) -> None:
    """Primary key, declared indexes and statistics for the planner."""
    relation = sql.Identifier(version.relation)
    try:
        with transaction.atomic():
            _index(model, relation)
    except OperationalError as error:
        if not long_rows.are_the_fault(error):
            raise
        long_rows.move(model, version)
        _index(model, relation)
        _number(sql.Identifier(version.long_rows))
    execute("ANALYZE {}", relation)  # of what inherits from it, too


def _index(model: type[MirroredTable], relation: sql.Identifier) -> None:
    _number(relation)
    for names in model.mirror.indexes:
        order = ordering.whole([ordering.named(model, name) for name in names], model.sequence())
        walked = sql.SQL(", ").join(map(_walked, order))
        execute("CREATE INDEX ON {} ({})", relation, walked)


def _number(relation: sql.Identifier) -> None:
    execute("ALTER TABLE {} ADD PRIMARY KEY (id)", relation)


def _walked(direction: ordering.Direction) -> sql.Composable:
    """A column of an index that is to hold the order of queries, nulls last both ways."""
    way = " DESC" * direction.descending + " NULLS LAST" * may_be_empty(direction.field)
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
    finite = {name: figures.get(f"{name} finite") for name in version.columns}
    version.not_finite = [
        name for name, count in finite.items() if count not in (None, figures[f"{name} values"])
    ]
    version.save(update_fields=["rows", "digest", "not_finite"])


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
            sql_view.point_at(version)


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
        for relation in (version.long_rows, version.relation, version.dictionary):
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
