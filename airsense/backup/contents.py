"""What a database contains: its tables with their rows and hashes, its versions, its migrations."""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from psycopg import sql

from flights.models import PublishedTable, TableVersion

# All relations except those of extensions and of PostgreSQL itself.
RELATIONS = """
SELECT nspname, relname FROM pg_class JOIN pg_namespace space ON space.oid = relnamespace
WHERE relkind = ANY({kinds}) AND nspname !~ '^pg_' AND nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass
        AND objid = pg_class.oid AND deptype = 'e')
ORDER BY nspname, relname"""
# The hash does not depend on the order of the rows, like that of transfers.figures.
FIGURES = """
SELECT count(*), coalesce(sum(('x' || substr(md5(t::text), 1, 15))::bit(60)::bigint), 0)::text
FROM ONLY {} t"""
TABLES, ALL = ["r", "p"], ["r", "p", "v", "m", "S", "f"]


@dataclass(frozen=True)
class Version:
    """One version of a mirrored table, with the figures that its transfer proved."""

    table: str
    number: int
    rows: int
    digest: str

    def stored(self) -> TableVersion:
        return TableVersion(table=self.table, number=self.number)


def versions() -> list[Version]:
    """Return all versions that can be published."""
    # Only columns of the first release, because the database may be that of an earlier one.
    published = TableVersion.objects.filter(published_at__isnull=False).order_by("table", "number")
    return [Version(*row) for row in published.values_list("table", "number", "rows", "digest")]


def published() -> dict[str, int]:
    """Return the number of each table's current version."""
    return dict(PublishedTable.objects.values_list("table", "current__number"))


def tables() -> dict[str, list[Any]]:
    """Return the number of rows and the hash of each table that is not part of a version."""
    stored = TableVersion.objects.only("table", "number")
    of_versions = {n for v in stored for n in (v.relation, v.long_rows, v.dictionary)}
    names = [name for name in relations(TABLES) if name[1] not in of_versions]
    return {".".join(name): _figures(name) for name in names}


def relations(kinds: list[str] = ALL) -> list[tuple[str, str]]:
    """Return schema and name of each relation of these kinds (pg_class.relkind)."""
    return _fetch(sql.SQL(RELATIONS).format(kinds=sql.Literal(kinds)))


def migrations() -> list[str]:
    """Return the applied migrations, such as `flights.0001_initial`."""
    rows = _fetch(sql.SQL("SELECT app, name FROM django_migrations ORDER BY id"))
    return [".".join(row) for row in rows]


def server_version() -> int:
    """Return PostgreSQL's major version."""
    return int(connection.pg_version // 10_000)  # type: ignore[attr-defined]


def lock(versions: list[Version]) -> None:
    """Lock versions, so that they are not dropped before the transaction ends."""
    names = [sql.Identifier(version.stored().relation) for version in versions]
    if names:
        with connection.cursor() as cursor:
            cursor.execute(
                sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(sql.SQL(", ").join(names))
            )


def optimize() -> None:
    """Collect the planner's statistics and enable index-only scans, as a transfer does."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (FREEZE, ANALYZE)")


def _figures(name: tuple[str, str]) -> list[Any]:
    ((rows, digest),) = _fetch(sql.SQL(FIGURES).format(sql.Identifier(*name)))
    return [rows, digest]


def _fetch(query: sql.Composable) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())
