"""Run Databricks SQL: sqlglot translates queries to DuckDB's SQL; this module parses commands."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp

from . import changes, types, volumes
from .tables import Name, SqlError, Tables
from .volumes import Staging, Volumes

type Output = pa.Table | pa.RecordBatchReader | Staging

PART = r"(?:`[^`]+`|[\w\-]+)"
NAME = rf"({PART}(?:\.{PART})*)"
REPLACE_WHERE = rf"INSERT\s+INTO\s+{NAME}\s+REPLACE\s+WHERE\s+(\(.+?\))\s+((?:WITH|SELECT)\s.+)"
MAP = pa.map_(pa.string(), pa.string())
NO_ROWS = pa.table({})
ZERO = "CAST(CAST(0 AS DECIMAL(38, 10)) AS STRING)"  # 0E-10 without ANSI mode
BATCH_ROWS = 20_000


@dataclass
class Scope:
    """The catalog and schema of a statement's unqualified names, and its parameters."""

    catalog: str
    schema: str
    # Each parameter: name (None: positional), type and value (None: null).
    parameters: list[tuple[str | None, str, str | None]] = field(default_factory=list)
    # Settings of the session, such as TIMEZONE and ANSI_MODE.
    settings: dict[str, str] = field(default_factory=dict)

    def name(self, table: str | exp.Table) -> Name:
        """Return the full name of a table, in lower case."""
        if isinstance(table, str):
            table = exp.to_table(table, dialect="databricks")
        parts = (table.catalog or self.catalog, table.db or self.schema, table.name)
        return Name(*(part.lower() for part in parts))

    def value(self, placeholder: exp.Placeholder, index: int) -> exp.Expr:
        """Return the value of a named or positional parameter; SqlError if it is not bound."""
        by_name = [p for p in self.parameters if p[0] == placeholder.name]
        bound = by_name or self.parameters[index : index + 1]
        if not bound:
            problem = f"Found the unbound parameter: {placeholder.name}."
            raise SqlError("UNBOUND_SQL_PARAMETER", problem, "42P02")
        _, type_, value = bound[0]
        literal = exp.null() if value is None else exp.Literal.string(value)
        type_ = "STRING" if type_ == "VOID" else type_
        return exp.cast(literal, exp.DataType.build(type_, dialect="databricks"))


class Statements:
    """Runs SQL statements on tables and volumes."""

    def __init__(self, tables: Tables, file_volumes: Volumes) -> None:
        self.tables, self.volumes = tables, file_volumes
        self.commands: list[tuple[str, Callable[..., Output]]] = [
            (rf"DESCRIBE\s+HISTORY\s+{NAME}(?:\s+LIMIT\s+(\d+))?", self._history),
            (rf"DESCRIBE\s+(?:TABLE\s+)?{NAME}", self._describe),
            (r"DESCRIBE\s+QUERY\s+(.+)", self._describe_query),
            (rf"SHOW\s+TABLES\s+IN\s+{NAME}", self._show_tables),
            (rf"OPTIMIZE\s+{NAME}", self._optimize),
            (REPLACE_WHERE, self._replace_where),
            (rf"ALTER\s+TABLE\s+{NAME}\s+SET\s+TBLPROPERTIES\s*\((.+)\)", self._properties),
            (rf"COMMENT\s+ON\s+COLUMN\s+{NAME}\.(\w+)\s+IS\s+'(.*)'", self._comment),
            (volumes.PUT, self._put),
            (volumes.REMOVE, self._remove),
            (volumes.LIST, lambda scope, path: self.volumes.files(path)),
            (volumes.CREATE, self._create_volume),
            (volumes.COPY, self._copy),
        ]

    def run(self, sql: str, scope: Scope, cursor: duckdb.DuckDBPyConnection) -> Output:
        """Run a statement; SqlError with Databricks' error class and SQLSTATE if it fails."""
        text = _with_settings(sql.strip().rstrip(";"), scope.settings)
        for pattern, command in self.commands:
            if match := re.fullmatch(pattern, text, re.I | re.S):
                return command(scope, *match.groups())
        try:
            return self._run_tree(_parse(text).copy(), scope, cursor)
        except sqlglot.ParseError as error:
            raise SqlError("PARSE_SYNTAX_ERROR", str(error).splitlines()[0], "42601") from None
        except duckdb.InterruptException:
            raise
        except duckdb.BinderException as error:
            raise SqlError("UNRESOLVED_COLUMN", str(error).splitlines()[0], "42703") from None
        except duckdb.Error as error:
            raise SqlError("INTERNAL_ERROR", str(error).splitlines()[0], "XX000") from None

    def _run_tree(self, tree: exp.Expr, scope: Scope, cursor: duckdb.DuckDBPyConnection) -> Output:
        for index, placeholder in enumerate(list(tree.find_all(exp.Placeholder))):
            placeholder.replace(scope.value(placeholder, index))
        match tree:
            case exp.Create():
                return self._create(tree, scope)
            case exp.Drop():
                return self._drop(tree, scope)
            case exp.Insert() | exp.Update() | exp.Delete() | exp.Merge() | exp.Alter():
                return self._write(tree, scope)
            case exp.Query():
                relation = cursor.sql(self._to_duckdb(tree, scope, cursor))
                return relation.to_arrow_reader(BATCH_ROWS)
        raise SqlError("PARSE_SYNTAX_ERROR", f"Syntax error at or near {tree.sql()!r}.", "42601")

    def _create(self, tree: exp.Create, scope: Scope) -> Output:
        table = tree.find(exp.Table)
        assert table is not None
        if tree.kind == "SCHEMA":
            self.tables.add_schema(table.db or scope.catalog, table.name)
            return NO_ROWS
        name, query = scope.name(table), tree.expression
        if tree.kind == "VIEW":
            self.tables.views[name] = query.sql("databricks")
            return NO_ROWS
        if self.tables.exists(name) and not tree.args.get("replace"):
            if tree.args.get("exists"):
                return NO_ROWS
            raise SqlError("TABLE_OR_VIEW_ALREADY_EXISTS", f"{name} exists already.", "42P07")

        def make(cursor: duckdb.DuckDBPyConnection, relation: str) -> int:
            if query is None:
                tree.set("properties", None)
                table.replace(exp.to_table(relation, dialect="duckdb"))
                cursor.execute(tree.sql("duckdb", copy=False))
                return 0
            cursor.execute(f"CREATE TABLE {relation} AS {self._to_duckdb(query, scope, cursor)}")
            return _count(cursor, relation)

        operation = "CREATE OR REPLACE TABLE" if tree.args.get("replace") else "CREATE TABLE"
        self.tables.commit(name, operation + " AS SELECT" * (query is not None), make)
        return NO_ROWS

    def _drop(self, tree: exp.Drop, scope: Scope) -> Output:
        table = tree.find(exp.Table)
        assert table is not None
        name = scope.name(table)
        if self.tables.exists(name) or not tree.args.get("exists"):
            self.tables.drop(name)
        return NO_ROWS

    def _write(self, tree: exp.Expr, scope: Scope) -> Output:
        """Copy the newest version of a table, and apply a statement to the copy."""
        target = tree.find(exp.Table)
        assert target is not None
        name = scope.name(target)
        old = self.tables.at(name).relation

        def make(cursor: duckdb.DuckDBPyConnection, new: str) -> int:
            cursor.execute(f"CREATE TABLE {new} AS FROM {old}")
            alias = exp.TableAlias(this=exp.to_identifier(target.alias_or_name))
            copy = exp.to_table(new, dialect="duckdb")
            if not isinstance(tree, exp.Insert | exp.Alter):
                copy.set("alias", alias)
            target.replace(copy)
            self._resolve(tree, scope, copy)
            changed = cursor.execute(tree.sql("duckdb", copy=False)).fetchone()
            return int(changed[0]) if changed else 0

        rows = self.tables.commit(name, type(tree).__name__.upper(), make)
        return pa.table({"num_affected_rows": [rows]})

    def _to_duckdb(self, query: exp.Expr, scope: Scope, cursor: duckdb.DuckDBPyConnection) -> str:
        """Translate a query to DuckDB's SQL."""
        self._resolve(query, scope)
        if isinstance(query, exp.Select):
            _name_columns(query)
        sql = query.transform(_like_spark, copy=False).sql("duckdb", copy=False)
        columns = cursor.execute(f"DESCRIBE {sql}").fetchall()
        sums = [_quote(name) for name, type_, *_ in columns if type_ == "HUGEINT"]
        # Spark sums whole numbers as BIGINT, DuckDB as HUGEINT.
        casts = ", ".join(f"{name}::BIGINT AS {name}" for name in sums)
        return f"SELECT * REPLACE ({casts}) FROM ({sql})" if sums else sql

    def _resolve(self, tree: exp.Expr, scope: Scope, skip: exp.Table | None = None) -> None:
        """Replace each table, except `skip`, by the relation of its version."""
        ctes = {cte.alias_or_name.lower() for cte in tree.find_all(exp.CTE)}
        for table in list(tree.find_all(exp.Table)):
            if table is skip or (not table.db and table.name.lower() in ctes):
                continue
            if table.this.name == "range":
                continue  # DuckDB has this function, too
            if isinstance(table.this, exp.Anonymous):
                new: exp.Expr = changes.subquery(self.tables, scope, table.this)
            else:
                new = self._relation(table, scope)
            label = table.alias_or_name or "changes"
            alias = exp.TableAlias(this=exp.to_identifier(label, quoted=True))
            new.set("alias", table.args.get("alias") or alias)
            new.set("joins", table.args.get("joins"))
            table.replace(new)

    def _relation(self, table: exp.Table, scope: Scope) -> exp.Expr:
        """Return a version of a table, or the query of a view."""
        name, version = scope.name(table), table.args.get("version")
        if version:
            self.tables.check_history(name)
        elif name in self.tables.views:
            query = sqlglot.parse_one(self.tables.views[name], read="databricks")
            self._resolve(query, scope)
            return exp.Subquery(this=query)
        number = int(version.expression.name) if version else None
        return exp.to_table(self.tables.at(name, number).relation, dialect="duckdb")

    def _history(self, scope: Scope, table: str, limit: str | None) -> Output:
        self.tables.check_history(scope.name(table))
        versions = self.tables.versions(scope.name(table))[: int(limit) if limit else None]
        times = [version.committed_at for version in versions]
        return pa.table(
            {
                "version": pa.array([v.number for v in versions], pa.int64()),
                "timestamp": pa.array(times, pa.timestamp("us", "UTC")),
                "userName": pa.array(["tester"] * len(versions), pa.string()),
                "operation": pa.array([v.operation for v in versions], pa.string()),
                "operationParameters": pa.array([[] for _ in versions], MAP),
            }
        )

    def _describe(self, scope: Scope, table: str) -> Output:
        name = scope.name(table)
        comments = self.tables.properties(name)
        rows = [
            (column, types.sql(type_).lower(), comments.get(f"comment {column}"))
            for column, type_ in self.tables.columns(name)
        ]
        columns = zip(("col_name", "data_type", "comment"), zip(*rows, strict=True), strict=True)
        return pa.table({title: pa.array(values, pa.string()) for title, values in columns})

    def _describe_query(self, scope: Scope, query: str) -> Output:
        tree = sqlglot.parse_one(query, read="databricks")
        table = tree.find(exp.Table)
        declared = self.tables.properties(scope.name(table)) if table else {}
        sql = self._to_duckdb(tree, scope, self.tables.database.cursor())
        rows = self.tables.database.cursor().execute(f"DESCRIBE {sql}").fetchall()
        types_ = [
            declared.get(f"type {name}") or types.sql(type_).lower() for name, type_, *_ in rows
        ]
        columns = {"col_name": [name for name, *_ in rows], "data_type": types_}
        columns["comment"] = [declared.get(f"comment {name}") for name, *_ in rows]
        return pa.table({title: pa.array(v, pa.string()) for title, v in columns.items()})

    def _show_tables(self, scope: Scope, schema: str) -> Output:
        catalog, schema, _ = scope.name(f"{schema}.x")
        names = [n.table for n in self.tables.names() if (n.catalog, n.schema) == (catalog, schema)]
        columns = {"database": [schema] * len(names), "tableName": names}
        texts = {title: pa.array(values, pa.string()) for title, values in columns.items()}
        return pa.table(texts | {"isTemporary": pa.array([False] * len(names), pa.bool_())})

    def _optimize(self, scope: Scope, table: str) -> Output:
        """Commit a version with the same rows, as OPTIMIZE does in Delta tables."""
        name = scope.name(table)
        old = self.tables.at(name).relation

        def make(cursor: duckdb.DuckDBPyConnection, new: str) -> int:
            cursor.execute(f"CREATE TABLE {new} AS FROM {old}")
            return 0

        self.tables.commit(name, "OPTIMIZE", make)
        return NO_ROWS

    def _replace_where(self, scope: Scope, table: str, condition: str, query: str) -> Output:
        """Replace the rows of a table that meet a condition by those of a query."""
        name = scope.name(table)
        old = self.tables.at(name).relation
        where, tree = _parse(condition).sql("duckdb"), _parse(query).copy()

        def make(cursor: duckdb.DuckDBPyConnection, new: str) -> int:
            rows = self._to_duckdb(tree, scope, cursor)
            cursor.execute(f"CREATE TABLE {new} AS FROM {old} WHERE NOT {where}")
            cursor.execute(f"INSERT INTO {new} {rows}")
            return _count(cursor, new)

        self.tables.commit(name, "WRITE", make)
        return NO_ROWS

    def _properties(self, scope: Scope, table: str, body: str) -> Output:
        for key, value in re.findall(r"'?([\w.]+)'?\s*=\s*'?([^',]+)'?", body):
            self.tables.set_property(scope.name(table), key, value)
        return NO_ROWS

    def _comment(self, scope: Scope, table: str, column: str, text: str) -> Output:
        self.tables.set_property(scope.name(table), f"comment {column}", text)
        return NO_ROWS

    def _put(self, scope: Scope, local: str, path: str, overwrite: str | None) -> Output:
        if self.volumes.file(path).exists() and not overwrite:
            raise SqlError("FILE_ALREADY_EXISTS", f"{path} exists already.", "42000")
        return self.volumes.staging("PUT", local, path)

    def _remove(self, scope: Scope, path: str) -> Output:
        return self.volumes.staging("REMOVE", "", path)

    def _create_volume(self, scope: Scope, volume: str) -> Output:
        self.volumes.create(scope.name(volume))
        return NO_ROWS

    def _copy(self, scope: Scope, table: str, path: str, files: str | None, options: str) -> Output:
        return self.volumes.copy(scope.name(table), path, files, options)


@lru_cache(128)  # tests repeat the broker's statements; a copy takes a fifth of the time
def _parse(text: str) -> exp.Expr:
    return sqlglot.parse_one(text, read="databricks")


def _with_settings(sql: str, settings: dict[str, str]) -> str:
    """Replace expressions whose values depend on the settings of a session."""
    sql = sql.replace("current_timezone()", f"'{settings.get('TIMEZONE', 'Europe/Berlin')}'")
    return sql if settings.get("ANSI_MODE") == "true" else sql.replace(ZERO, "'0E-10'")


def _like_spark(node: exp.Expr) -> exp.Expr:
    """Replace expressions that sqlglot would translate to a meaning other than Spark's."""
    if isinstance(node, exp.Cast) and node.this is not None:
        if node.to.this == exp.DataType.Type.BINARY:
            return exp.func("encode", node.this, dialect="duckdb")
        if node.to.this == exp.DataType.Type.TEXT and _is_binary(node.this):
            return exp.func("decode", node.this.transform(_like_spark), dialect="duckdb")
        if node.to.this == exp.DataType.Type.TEXT:
            return exp.func("spark_text", node.this.transform(_like_spark), dialect="duckdb")
    if isinstance(node, exp.JSONFormat):
        return exp.cast(exp.func("to_json", node.this, dialect="duckdb"), "text")
    return node


def _is_binary(node: exp.Expr) -> bool:
    """Whether a value is BINARY: a cast, or the least or greatest one."""
    inner = node.this if isinstance(node, exp.Min | exp.Max) else node
    return isinstance(inner, exp.Cast) and inner.to.this == exp.DataType.Type.BINARY


def _name_columns(query: exp.Select) -> None:
    """Give expressions without an alias the names that Spark gives them."""
    for column in list(query.expressions):
        if not isinstance(column, exp.Alias | exp.Column | exp.Star):
            name = column.sql("databricks").lower().replace("count(*)", "count(1)")
            column.replace(exp.alias_(column.copy(), name, quoted=True))


def _count(cursor: duckdb.DuckDBPyConnection, relation: str) -> int:
    ((rows,),) = cursor.execute(f"SELECT count(*) FROM {relation}").fetchall()
    return int(rows)


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
