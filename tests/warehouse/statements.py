"""Databricks SQL, run on the tables: what sqlglot translates, and the commands that it does not."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp

from . import changes, types, volumes
from .tables import Name, SqlError, Tables
from .volumes import Staging, Volumes

type Answer = pa.Table | pa.RecordBatchReader | Staging

NAME = r"([\w`.\-]+)"
MAPS = pa.map_(pa.string(), pa.string())
DONE = pa.table({})
BATCH_ROWS = 20_000


@dataclass
class Scope:
    """Where the unqualified names of a statement are, and the values of its parameters."""

    catalog: str
    schema: str
    parameters: list[tuple[str | None, str, str | None]] = field(default_factory=list)

    def name(self, table: str | exp.Table) -> Name:
        if isinstance(table, str):
            table = exp.to_table(table, dialect="databricks")
        parts = (table.catalog or self.catalog, table.db or self.schema, table.name)
        return Name(*(part.lower() for part in parts))

    def value(self, placeholder: exp.Placeholder, index: int) -> exp.Expr:
        """A parameter's value: by its name, or by its place."""
        named = [p for p in self.parameters if p[0] == placeholder.name]
        found = named or self.parameters[index : index + 1]
        if not found:
            problem = f"Found the unbound parameter: {placeholder.name}."
            raise SqlError("UNBOUND_SQL_PARAMETER", problem, "42P02")
        _, type_, value = found[0]
        literal = exp.null() if value is None else exp.Literal.string(value)
        type_ = "STRING" if type_ == "VOID" else type_
        return exp.cast(literal, exp.DataType.build(type_, dialect="databricks"))


class Statements:
    def __init__(self, tables: Tables, kept: Volumes) -> None:
        self.tables, self.volumes = tables, kept
        self.commands: list[tuple[str, Callable[..., Answer]]] = [
            (rf"DESCRIBE\s+HISTORY\s+{NAME}(?:\s+LIMIT\s+(\d+))?", self._history),
            (rf"DESCRIBE\s+(?:TABLE\s+)?{NAME}", self._describe),
            (rf"SHOW\s+TABLES\s+IN\s+{NAME}", self._show_tables),
            (rf"OPTIMIZE\s+{NAME}", self._optimize),
            (rf"ALTER\s+TABLE\s+{NAME}\s+SET\s+TBLPROPERTIES\s*\((.+)\)", self._properties),
            (rf"COMMENT\s+ON\s+COLUMN\s+{NAME}\.(\w+)\s+IS\s+'(.*)'", self._comment),
            (volumes.PUT, self._put),
            (volumes.REMOVE, self._remove),
            (volumes.LIST, lambda scope, path: self.volumes.files(path)),
            (volumes.CREATE, self._create_volume),
            (volumes.COPY, self._copy),
        ]

    def run(self, sql: str, scope: Scope, cursor: duckdb.DuckDBPyConnection) -> Answer:
        text = sql.strip().rstrip(";")
        for pattern, command in self.commands:
            if match := re.fullmatch(pattern, text, re.I | re.S):
                return command(scope, *match.groups())
        try:
            return self._translated(sqlglot.parse_one(text, read="databricks"), scope, cursor)
        except sqlglot.ParseError as error:
            raise SqlError("PARSE_SYNTAX_ERROR", str(error).splitlines()[0], "42601") from None
        except duckdb.InterruptException:
            raise
        except duckdb.BinderException as error:
            raise SqlError("UNRESOLVED_COLUMN", str(error).splitlines()[0], "42703") from None
        except duckdb.Error as error:
            raise SqlError("INTERNAL_ERROR", str(error).splitlines()[0], "XX000") from None

    def _translated(
        self, tree: exp.Expr, scope: Scope, cursor: duckdb.DuckDBPyConnection
    ) -> Answer:
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
                found = cursor.sql(self._translation(tree, scope, cursor))
                return found.to_arrow_reader(BATCH_ROWS)
        raise SqlError("PARSE_SYNTAX_ERROR", f"Syntax error at or near {tree.sql()!r}.", "42601")

    def _create(self, tree: exp.Create, scope: Scope) -> Answer:
        table = tree.find(exp.Table)
        assert table is not None
        if tree.kind == "SCHEMA":
            self.tables.add_schema(table.db or scope.catalog, table.name)
            return DONE
        name, query = scope.name(table), tree.expression
        if self.tables.exists(name) and not tree.args.get("replace"):
            if tree.args.get("exists"):
                return DONE
            raise SqlError("TABLE_OR_VIEW_ALREADY_EXISTS", f"{name} exists already.", "42P07")

        def make(cursor: duckdb.DuckDBPyConnection, relation: str) -> int:
            if query is None:
                tree.set("properties", None)
                table.replace(exp.to_table(relation, dialect="duckdb"))
                cursor.execute(tree.sql("duckdb"))
                return 0
            cursor.execute(f"CREATE TABLE {relation} AS {self._translation(query, scope, cursor)}")
            return _count(cursor, relation)

        replaced = "CREATE OR REPLACE TABLE" if tree.args.get("replace") else "CREATE TABLE"
        self.tables.commit(name, replaced + " AS SELECT" * (query is not None), make)
        return DONE

    def _drop(self, tree: exp.Drop, scope: Scope) -> Answer:
        table = tree.find(exp.Table)
        assert table is not None
        name = scope.name(table)
        if self.tables.exists(name) or not tree.args.get("exists"):
            self.tables.drop(name)
        return DONE

    def _write(self, tree: exp.Expr, scope: Scope) -> Answer:
        target = tree.find(exp.Table)
        assert target is not None
        name = scope.name(target)
        old = self.tables.at(name).relation

        def make(cursor: duckdb.DuckDBPyConnection, new: str) -> int:
            cursor.execute(f"CREATE TABLE {new} AS FROM {old}")
            alias = exp.TableAlias(this=exp.to_identifier(target.alias_or_name))
            renamed = exp.to_table(new, dialect="duckdb")
            if not isinstance(tree, exp.Insert | exp.Alter):
                renamed.set("alias", alias)
            target.replace(renamed)
            self._resolve(tree, scope, renamed)
            changed = cursor.execute(tree.sql("duckdb")).fetchone()
            return int(changed[0]) if changed else 0

        rows = self.tables.commit(name, type(tree).__name__.upper(), make)
        return pa.table({"num_affected_rows": [rows]})

    def _translation(self, query: exp.Expr, scope: Scope, cursor: duckdb.DuckDBPyConnection) -> str:
        """A query in DuckDB's SQL."""
        self._resolve(query, scope)
        if isinstance(query, exp.Select):
            _name_columns(query)
        sql = query.sql("duckdb")
        columns = cursor.execute(f"DESCRIBE {sql}").fetchall()
        sums = [_quoted(name) for name, type_, *_ in columns if type_ == "HUGEINT"]
        # Spark's sums of whole numbers are BIGINT.
        casts = ", ".join(f"{name}::BIGINT AS {name}" for name in sums)
        return f"SELECT * REPLACE ({casts}) FROM ({sql})" if sums else sql

    def _resolve(self, tree: exp.Expr, scope: Scope, but: exp.Table | None = None) -> None:
        """Put the relation of a version in the place of each table."""
        ctes = {cte.alias_or_name.lower() for cte in tree.find_all(exp.CTE)}
        for table in list(tree.find_all(exp.Table)):
            if table is but or (not table.db and table.name.lower() in ctes):
                continue
            if table.this.name == "range":
                continue  # DuckDB has it too
            if isinstance(table.this, exp.Anonymous):
                new: exp.Expr = changes.of(self.tables, scope, table.this)
            else:
                name = scope.name(table)
                version = table.args.get("version")
                number = int(version.expression.name) if version else None
                new = exp.to_table(self.tables.at(name, number).relation, dialect="duckdb")
            called = table.alias_or_name or "changes"
            alias = exp.TableAlias(this=exp.to_identifier(called, quoted=True))
            new.set("alias", table.args.get("alias") or alias)
            new.set("joins", table.args.get("joins"))
            table.replace(new)

    def _history(self, scope: Scope, table: str, limit: str | None) -> Answer:
        versions = self.tables.versions(scope.name(table))[: int(limit) if limit else None]
        return pa.table(
            {
                "version": pa.array([v.number for v in versions], pa.int64()),
                "timestamp": pa.array([v.made for v in versions], pa.timestamp("us", "UTC")),
                "userName": pa.array(["tester"] * len(versions), pa.string()),
                "operation": pa.array([v.operation for v in versions], pa.string()),
                "operationParameters": pa.array([[] for _ in versions], MAPS),
            }
        )

    def _describe(self, scope: Scope, table: str) -> Answer:
        name = scope.name(table)
        comments = self.tables.properties(name)
        rows = [
            (column, types.sql(type_).lower(), comments.get(f"comment {column}"))
            for column, type_ in self.tables.columns(name)
        ]
        named = zip(("col_name", "data_type", "comment"), zip(*rows, strict=True), strict=True)
        return pa.table({title: pa.array(values, pa.string()) for title, values in named})

    def _show_tables(self, scope: Scope, schema: str) -> Answer:
        catalog, schema, _ = scope.name(f"{schema}.x")
        names = [n.table for n in self.tables.names() if (n.catalog, n.schema) == (catalog, schema)]
        columns = {"database": [schema] * len(names), "tableName": names}
        shown = {title: pa.array(values, pa.string()) for title, values in columns.items()}
        return pa.table(shown | {"isTemporary": pa.array([False] * len(names), pa.bool_())})

    def _optimize(self, scope: Scope, table: str) -> Answer:
        name = scope.name(table)
        old = self.tables.at(name).relation

        def make(cursor: duckdb.DuckDBPyConnection, new: str) -> int:
            cursor.execute(f"CREATE TABLE {new} AS FROM {old}")
            return 0

        self.tables.commit(name, "OPTIMIZE", make)
        return DONE

    def _properties(self, scope: Scope, table: str, body: str) -> Answer:
        for key, value in re.findall(r"'?([\w.]+)'?\s*=\s*'?([^',]+)'?", body):
            self.tables.set_property(scope.name(table), key, value)
        return DONE

    def _comment(self, scope: Scope, table: str, column: str, text: str) -> Answer:
        self.tables.set_property(scope.name(table), f"comment {column}", text)
        return DONE

    def _put(self, scope: Scope, local: str, path: str, overwrite: str | None) -> Answer:
        if self.volumes.file(path).exists() and not overwrite:
            raise SqlError("FILE_ALREADY_EXISTS", f"{path} exists already.", "42000")
        return self.volumes.staging("PUT", local, path)

    def _remove(self, scope: Scope, path: str) -> Answer:
        return self.volumes.staging("REMOVE", "", path)

    def _create_volume(self, scope: Scope, volume: str) -> Answer:
        self.volumes.create(scope.name(volume))
        return DONE

    def _copy(self, scope: Scope, table: str, path: str, files: str | None, options: str) -> Answer:
        return self.volumes.copy(scope.name(table), path, files, options)


def _name_columns(query: exp.Select) -> None:
    """DuckDB's names of expressions without an alias are not those of Spark."""
    for column in list(query.expressions):
        if not isinstance(column, exp.Alias | exp.Column | exp.Star):
            name = column.sql("databricks").lower().replace("count(*)", "count(1)")
            column.replace(exp.alias_(column.copy(), name, quoted=True))


def _count(cursor: duckdb.DuckDBPyConnection, relation: str) -> int:
    ((rows,),) = cursor.execute(f"SELECT count(*) FROM {relation}").fetchall()
    return int(rows)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
