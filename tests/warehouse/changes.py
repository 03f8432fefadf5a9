"""Delta's function `table_changes`: the rows that were inserted and deleted between versions."""

from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

from .tables import SqlError, Tables

if TYPE_CHECKING:
    from .statements import Scope


def subquery(tables: Tables, scope: "Scope", call: exp.Anonymous) -> exp.Subquery:
    """Translate `table_changes('table', start, end)`, both versions included, to DuckDB's SQL.

    Raises SqlError as Databricks does: for another function, a table without change data feed, or
    a start after the newest version.
    """
    if call.name.lower() != "table_changes":
        raise SqlError("UNRESOLVABLE_TABLE_VALUED_FUNCTION", call.name, "42883")
    table, *limits = (argument.name for argument in call.expressions)
    name = scope.name(table)
    if tables.properties(name).get("delta.enableChangeDataFeed") != "true":
        problem = f"Error getting change data for {name}: it was not recorded."
        raise SqlError("DELTA_MISSING_CHANGE_DATA", problem, "KD002")
    versions = {version.number: version for version in tables.versions(name)}
    first, last = int(limits[0]), int(limits[1]) if limits[1:] else max(versions)
    if first > max(versions):
        problem = f"CDC range from start {first} to end {last} was invalid."
        raise SqlError("DELTA_INVALID_CDC_RANGE", problem, "22003")
    parts = []
    for number in range(first, min(last, max(versions)) + 1):
        version = versions[number]
        new, created = version.relation, version.operation.startswith("CREATE")
        old = f"(FROM {new} LIMIT 0)" if created else versions[number - 1].relation
        commit = (
            f"{number}::BIGINT AS _commit_version,"
            f" make_timestamptz({version.committed_at}) AS _commit_timestamp"
        )
        for change, rows, without in (("delete", old, new), ("insert", new, old)):
            parts.append(
                f"SELECT *, '{change}' AS _change_type, {commit}"
                f" FROM (FROM {rows} EXCEPT ALL FROM {without})"
            )
    union = sqlglot.parse_one(" UNION ALL ".join(parts), read="duckdb")
    return exp.Subquery(this=union)
