"""Maintain the view that shows a table's current version under the table's name, for SQL users.

The view selects from a function, because PostgreSQL can replace a function's body without locking
a relation that is being read; PostgreSQL inlines the function. New columns are only added at the
end, and types never change, so views of other people over this one, its comments and its grants
remain: https://www.postgresql.org/docs/current/sql-createview.html
"""

from django.db import connection, transaction
from psycopg import sql

from flights.mirror import MirroredTable
from flights.models import PublishedTable, TableVersion

from . import columns, search_dictionary
from .statements import execute, fetch


def prepare(model: type[MirroredTable], reader: str) -> None:
    """Create a table's view or add the model's new columns; grant SELECT to the role `reader`."""
    table = model._meta.db_table
    types = {"id": "bigint"} | {f.name: columns.postgresql(f.type) for f in columns.schema(model)}
    with transaction.atomic():
        # Locked first, as by `publication.publish`, so that no version published meanwhile is lost.
        published = PublishedTable.objects.select_for_update().filter(table=table).first()
        existing = _columns(table)
        extended = existing | {n: t for n, t in types.items() if n not in existing}
        if extended != existing:
            _replace(table, extended)
        execute("GRANT SELECT ON {} TO {}", sql.Identifier(table), sql.Identifier(reader))
        if published:
            point_at(published.current)
        for version in TableVersion.objects.filter(table=table):
            search_dictionary.make(model, version)
            grant(version)


def point_at(version: TableVersion) -> None:
    """Make the view show a version, from the end of the caller's transaction."""
    if existing := _columns(version.table):
        _define(version.table, existing, _select(existing, version))


def grant(version: TableVersion) -> None:
    """Grant SELECT on a version and its dictionary to the roles that may read the table's view."""
    grantees = fetch(
        "SELECT DISTINCT grantee FROM information_schema.role_table_grants"
        " WHERE table_name = {} AND table_schema = current_schema() AND privilege_type = 'SELECT'",
        sql.Literal(version.table),
    )
    for (name,) in grantees:
        role = sql.SQL("PUBLIC") if name == "PUBLIC" else sql.Identifier(name)
        for relation in (version.relation, version.dictionary):
            execute("GRANT SELECT ON {} TO {}", sql.Identifier(relation), role)


def _replace(table: str, shape: dict[str, str]) -> None:
    """Create a function with these columns, and make the view select from it.

    PostgreSQL cannot change the columns of an existing function, so each number of columns has its
    own function.
    """
    empty = sql.SQL(", ").join(_null(type_) for type_ in shape.values())
    _define(table, shape, sql.SQL("SELECT {} WHERE false").format(empty))
    execute(
        "CREATE OR REPLACE VIEW {} AS SELECT * FROM {}()",
        sql.Identifier(table),
        _function(table, shape),
    )


def _define(table: str, shape: dict[str, str], body: sql.Composable) -> None:
    """Create or replace the function of the table's view."""
    result = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(t)) for n, t in shape.items()
    )
    execute(
        "CREATE OR REPLACE FUNCTION {}() RETURNS TABLE ({}) LANGUAGE sql STABLE AS {}",
        _function(table, shape),
        result,
        sql.Literal(body.as_string(connection.connection)),
    )


def _function(table: str, shape: dict[str, str]) -> sql.Identifier:
    return sql.Identifier(f"{table}__{len(shape)}_columns")


def _select(shape: dict[str, str], version: TableVersion) -> sql.Composable:
    """Select the view's columns from a version; null for those that it does not have."""
    names = {"id", *version.columns}
    parts = [
        sql.SQL("r.{}::{}").format(sql.Identifier(n), sql.SQL(t)) if n in names else _null(t)
        for n, t in shape.items()
    ]
    return sql.SQL("SELECT {} FROM {} r").format(
        sql.SQL(", ").join(parts), sql.Identifier(version.relation)
    )


def _null(type_: str) -> sql.Composable:
    return sql.SQL("NULL::{}").format(sql.SQL(type_))


def _columns(table: str) -> dict[str, str]:
    """Return the types of the view's columns by name, in order; empty if no view exists yet."""
    return dict(
        fetch(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = to_regclass(quote_ident({})) AND attnum > 0 ORDER BY attnum",
            sql.Literal(table),
        )
    )
