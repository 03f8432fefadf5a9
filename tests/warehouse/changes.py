"""table_changes(): what changed between two versions of a table, row by row."""

from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

from .tables import SqlError, Tables

if TYPE_CHECKING:
    from .statements import Scope


def of(tables: Tables, scope: "Scope", call: exp.Anonymous) -> exp.Subquery:
    """`table_changes('table', start, end)`, both versions included."""
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
        new, made = versions[number].relation, versions[number].made
        made_anew = versions[number].operation.startswith("CREATE")
        old = f"(FROM {new} LIMIT 0)" if made_anew else versions[number - 1].relation
        tail = f"{number}::BIGINT AS _commit_version, make_timestamptz({made}) AS _commit_timestamp"
        for kind, one, other in (("delete", old, new), ("insert", new, old)):
            parts.append(
                f"SELECT *, '{kind}' AS _change_type, {tail}"
                f" FROM (FROM {one} EXCEPT ALL FROM {other})"
            )
    union = sqlglot.parse_one(" UNION ALL ".join(parts), read="duckdb")
    return exp.Subquery(this=union)
