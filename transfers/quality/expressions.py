"""Write the SQL of quality checks, in Databricks' dialect.

`{source}` stands for the table; see `transfers.warehouses.Snapshot.query`.
"""

from collections.abc import Iterable
from datetime import date

from flights.mirror import MirroredTable, column
from flights.quality import Check, InRange, NotNull, Total, Unique
from transfers.warehouses import spark_sql


def name(model: type[MirroredTable], field: str) -> str:
    """Quote the column of a field."""
    return spark_sql.name(column(model, field))


def names(model: type[MirroredTable], fields: Iterable[str]) -> str:
    return ", ".join(name(model, field) for field in fields)


def violation(model: type[MirroredTable], check: NotNull | InRange) -> str:
    """Return the condition that is true for each row that breaks a check."""
    if isinstance(check, NotNull):
        return " OR ".join(f"{name(model, field)} IS NULL" for field in check.columns)
    return " OR ".join(_beyond(name(model, field), check) for field in check.columns)


def _beyond(value: str, check: InRange) -> str:
    limits = ((">=", check.least), ("<=", check.greatest))
    within = [f"{value} {sign} {_literal(limit)}" for sign, limit in limits if limit is not None]
    return f"NOT ({' AND '.join(within)})"


def not_null(model: type[MirroredTable], fields: Iterable[str]) -> list[str]:
    """Return the conditions that are true for rows without a null in the fields."""
    return [f"{name(model, field)} IS NOT NULL" for field in fields]


def repeated_values(model: type[MirroredTable], check: Unique) -> str:
    """Return a query of the values that several rows share, with the number of these rows."""
    keys = names(model, check.columns)
    return (
        f"SELECT {keys}, count(*) AS `rows` FROM {{source}}"  # noqa: S608  # names are quoted
        f" WHERE {' AND '.join(not_null(model, check.columns))} GROUP BY {keys} HAVING count(*) > 1"
    )


def aggregate(model: type[MirroredTable], measure: Check | Total) -> str:
    """Return the aggregate for a check (the number of rows that break it) or for a total."""
    match measure:
        case NotNull() | InRange():
            return f"count(*) FILTER (WHERE {violation(model, measure)})"
        case Unique():
            surplus = "coalesce(sum(`rows`) - count(*), 0)"
            return f"(SELECT {surplus} FROM ({repeated_values(model, measure)}) AS repeated)"  # noqa: S608
        case Total():
            return _total(model, measure)
    raise TypeError(f"{measure} has no aggregate")


def _total(model: type[MirroredTable], total: Total) -> str:
    aggregate = f"sum({name(model, total.sum_of)})" if total.sum_of else "count(*)"
    texts = [f"{name(model, field)} = {_literal(text)}" for field, text in total.where]
    conditions = [*not_null(model, total.present), *texts]
    only = f" FILTER (WHERE {' AND '.join(conditions)})" if conditions else ""
    return f"coalesce(CAST({aggregate}{only} AS BIGINT), 0)"


def _literal(value: float | date | str) -> str:
    if isinstance(value, date):
        return f"DATE '{value}'"
    if isinstance(value, str):
        return spark_sql.text(value)
    return str(value)
