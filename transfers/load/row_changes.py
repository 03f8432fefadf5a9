"""Count how the rows of two relations differ."""

from dataclasses import dataclass, field

from psycopg import sql

from .statements import fetch

EXAMPLES = 5  # keys of removed rows to show


@dataclass
class RowChanges:
    """Numbers of rows. Without a key, a changed row counts as one removed and one added."""

    added: int
    removed: int
    changed: int
    examples: list[str] = field(default_factory=list)  # keys of removed rows


def between(old: str, new: str, shared: list[str], key: list[str]) -> RowChanges:
    """Compare two relations by the columns that both have, `shared`.

    Rows are matched by their key if both relations have all of its columns.
    """
    if key and set(key) <= set(shared):
        return _by_key(old, new, shared, key)
    return _without_key(old, new, shared)


def _by_key(old: str, new: str, shared: list[str], key: list[str]) -> RowChanges:
    same = sql.SQL(" AND ").join(sql.SQL("o.{0} = n.{0}").format(sql.Identifier(k)) for k in key)
    join = sql.SQL("FROM {} o FULL JOIN {} n ON {}").format(
        sql.Identifier(old), sql.Identifier(new), same
    )
    ((added, removed, changed),) = fetch(
        "SELECT count(*) FILTER (WHERE o.id IS NULL), count(*) FILTER (WHERE n.id IS NULL),"
        " count(*) FILTER (WHERE ({}) IS DISTINCT FROM ({}) AND o.id + n.id IS NOT NULL) {}",
        _of("o", shared),
        _of("n", shared),
        join,
    )
    removed_keys = fetch(
        "SELECT concat_ws(', ', {}) {} WHERE n.id IS NULL ORDER BY o.id LIMIT {}",
        _of("o", key),
        join,
        sql.Literal(EXAMPLES),
    )
    return RowChanges(added, removed, changed, [text for (text,) in removed_keys])


def _without_key(old: str, new: str, shared: list[str]) -> RowChanges:
    """Count whole rows that occur more or less often than before."""
    names = sql.SQL(", ").join(map(sql.Identifier, shared))
    ((added, removed),) = fetch(
        "SELECT coalesce(sum(greatest(more, 0)), 0)::bigint,"
        " coalesce(sum(greatest(-more, 0)), 0)::bigint"
        " FROM (SELECT sum(side) AS more FROM (SELECT 1 AS side, {0} FROM {1}"
        " UNION ALL SELECT -1, {0} FROM {2}) AS both_sides GROUP BY {0}) AS counted",
        names,
        sql.Identifier(new),
        sql.Identifier(old),
    )
    return RowChanges(added, removed, changed=0)


def _of(relation: str, names: list[str]) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(relation, name) for name in names)
