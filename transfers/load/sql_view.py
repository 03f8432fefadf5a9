"""The relation of a table's own name: the current version, for SQL users and the admin.

It is a view over a function, because a publish can replace a function's body without a lock on
anything that is read. The view's columns only grow, at the end, and keep their types; so other
people's views over it, its comments and its grants stay. PostgreSQL inlines the function.
"""

from django.db import connection, transaction
from psycopg import sql

from flights.mirror import MirroredTable
from flights.models import PublishedTable, TableVersion

from . import columns, search_dictionary
from .statements import execute, fetch


def prepare(model: type[MirroredTable], reader: str) -> None:
    """Make a table's view, or let it grow to the model's columns; let `reader` read it."""
    table = model._meta.db_table
    wanted = {"id": "bigint"} | {f.name: columns.postgresql(f.type) for f in columns.schema(model)}
    with transaction.atomic():
        there = _columns(table)
        grown = there | {n: t for n, t in wanted.items() if n not in there}
        if grown != there:
            _replace(table, grown)
        execute("GRANT SELECT ON {} TO {}", sql.Identifier(table), sql.Identifier(reader))
        if published := PublishedTable.objects.filter(table=table).first():
            point_at(published.current)
        for version in TableVersion.objects.filter(table=table):
            search_dictionary.make(model, version)
            grant(version)


def point_at(version: TableVersion) -> None:
    """Let the view show a version, from the end of the caller's transaction on."""
    if there := _columns(version.table):
        _define(version.table, there, _select(there, version))


def grant(version: TableVersion) -> None:
    """Who may read the table's view may read the version: the view's readers reach through it."""
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
    """A view of more columns needs a function of that many: a function's result cannot change."""
    empty = sql.SQL(", ").join(_null(type_) for type_ in shape.values())
    _define(table, shape, sql.SQL("SELECT {} WHERE false").format(empty))
    execute(
        "CREATE OR REPLACE VIEW {} AS SELECT * FROM {}()",
        sql.Identifier(table),
        _function(table, shape),
    )


def _define(table: str, shape: dict[str, str], body: sql.Composable) -> None:
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
    there = {"id", *version.columns}
    parts = [
        sql.SQL("r.{}::{}").format(sql.Identifier(n), sql.SQL(t)) if n in there else _null(t)
        for n, t in shape.items()
    ]
    return sql.SQL("SELECT {} FROM {} r").format(
        sql.SQL(", ").join(parts), sql.Identifier(version.relation)
    )


def _null(type_: str) -> sql.Composable:
    return sql.SQL("NULL::{}").format(sql.SQL(type_))


def _columns(table: str) -> dict[str, str]:
    """The view's columns and their types, in order; empty where there is no view yet."""
    return dict(
        fetch(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = to_regclass(quote_ident({})) AND attnum > 0 ORDER BY attnum",
            sql.Literal(table),
        )
    )
