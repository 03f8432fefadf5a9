"""Random queries return the same rows as DuckDB does on the same data."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import floor
from typing import Any
from urllib.parse import urlencode

import duckdb
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.platform import Site

TABLE = "flight_delay_data"
TEXTS = ("Airline_Name", "Origin_City", "Destination_City")
NUMBERS = ("Departure_Delay_Minutes", "Arrival_Delay_Minutes")
COLUMNS = ("Flight_Date", *TEXTS, *NUMBERS)
SIGNS = {"exact": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
LIKE = {
    "contains": ("%", "%", "LIKE"),
    "icontains": ("%", "%", "ILIKE"),
    "startswith": ("", "%", "LIKE"),
    "istartswith": ("", "%", "ILIKE"),
    "endswith": ("%", "", "LIKE"),
    "iendswith": ("%", "", "ILIKE"),
    "iexact": ("", "", "ILIKE"),
}
KEYS = {name: name for name in TEXTS} | {
    "month:Flight_Date": "date_trunc('month', Flight_Date)::date",
    "year:Flight_Date": "date_trunc('year', Flight_Date)::date",
}
FUNCTIONS = {
    "count": "count({0})",
    "count_distinct": "count(DISTINCT {0})",
    "sum": "sum({0})",
    "avg": "avg({0})",
    "min": "min({0})",
    "max": "max({0})",
    "median": "quantile_cont({0}, 0.5)",
    "p10": "quantile_cont({0}, 0.1)",
    "p95": "quantile_cont({0}, 0.95)",
    # The smallest value that at least 90 percent do not exceed.
    "disc90": "list_sort(list({0}) FILTER ({0} IS NOT NULL))[(9 * count({0}) + 9) // 10]",
    "disc7": "list_sort(list({0}) FILTER ({0} IS NOT NULL))[(7 * count({0}) + 99) // 100]",
}


@dataclass(frozen=True)
class Condition:
    """One filter as the API has it and as SQL has it."""

    column: str
    lookup: str
    text: str
    sql: str

    @property
    def parameter(self) -> str:
        return self.column if self.lookup == "exact" else f"{self.column}__{self.lookup}"


def quoted(value: object) -> str:
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


@st.composite
def conditions(draw: st.DrawFn, words: list[str]) -> Condition:
    column = draw(st.sampled_from(COLUMNS))
    number, text = column in NUMBERS, column in TEXTS
    values: st.SearchStrategy[Any] = st.integers(-90, 900) if number else st.sampled_from(words)
    if column == "Flight_Date":
        values = st.dates(date(2012, 12, 30), date(2014, 1, 2))
    # Text is compared by a collation, which is each server's own.
    signs = ["exact"] if text else list(SIGNS)
    lookup = draw(st.sampled_from([*signs, "in", "isnull", *(LIKE if text else ())]))
    value = draw(values)
    written, sql = str(value), f"{column} {SIGNS.get(lookup, '=')} {quoted(value)}"
    if lookup == "in":
        several = draw(st.lists(values, min_size=1, max_size=4))
        written = ",".join('"' + str(v).replace('"', '""') + '"' for v in several)
        sql = f"{column} IN ({', '.join(map(quoted, several))})"
    elif lookup == "isnull":
        written, sql = draw(
            st.sampled_from([("true", f"{column} IS NULL"), ("false", f"{column} IS NOT NULL")])
        )
    elif lookup in LIKE:
        before, after, like = LIKE[lookup]
        written = draw(st.sampled_from([written, written[:3], written[2:6], "%", "_", "\\"]))
        escaped = written.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        sql = f"{column} {like} {quoted(before + escaped + after)} ESCAPE '\\'"
    if draw(st.booleans()):
        lookup = "not" if lookup == "exact" else f"not_{lookup}"
        sql = f"({sql}) IS NOT TRUE"
    return Condition(column, lookup, written, sql)


@dataclass(frozen=True)
class GeneratedQuery:
    parameters: dict[str, str]
    where: str


@st.composite
def generated_queries(draw: st.DrawFn, words: list[str]) -> GeneratedQuery:
    """Filters that are joined by AND, and groups of filters joined by OR."""
    chosen = {c.parameter: c for c in draw(st.lists(conditions(words), max_size=3))}
    parameters = {c.parameter: c.text for c in chosen.values()}
    sql = [c.sql for c in chosen.values()]
    for name in draw(st.sampled_from([[], [], ["or"], ["or", "or2"]])):
        either = draw(st.lists(conditions(words), min_size=1, max_size=3))
        parameters[name] = ",".join(f"{c.parameter}:{c.text}" for c in either)
        sql.append("(" + " OR ".join(c.sql for c in either) + ")")
    return GeneratedQuery(parameters, " AND ".join(sql) or "true")


@pytest.fixture(scope="module")
def flights(site: Site) -> Iterator[duckdb.DuckDBPyConnection]:
    """The rows of the published version, numbered in their order, as another engine has them."""
    rows = pq.read_table(io.BytesIO(site.get(f"/api/{TABLE}/?format=parquet").body))
    with duckdb.connect() as connection:
        connection.register("exported", rows)
        connection.execute(
            f"CREATE TABLE {TABLE} AS SELECT *, row_number() OVER () AS id FROM exported"
        )
        yield connection


@pytest.fixture(scope="module")
def words(flights: duckdb.DuckDBPyConnection) -> list[str]:
    """Texts that occur in the data, and some that do not."""
    values = flights.execute(
        f"SELECT DISTINCT Airline_Name FROM {TABLE} UNION SELECT DISTINCT Origin_City FROM {TABLE}"
        f" UNION (SELECT DISTINCT Destination_City FROM {TABLE} LIMIT 20) ORDER BY 1"
    )
    return [*(name for (name,) in values.fetchall()), "O'Hare", 'a"b', "ß", "%"]


def ask(site: Site, parameters: dict[str, str]) -> list[list[Any]]:
    response = site.get(f"/api/{TABLE}/?{urlencode(parameters)}")
    assert response.status == 200, response.body
    return [list(row.values()) for row in response.json()["results"]]


def as_json(rows: list[tuple[Any, ...]]) -> list[list[Any]]:
    return [[v.isoformat() if isinstance(v, date) else v for v in row] for row in rows]


def check_rows(
    site: Site, flights: duckdb.DuckDBPyConnection, data: st.DataObject, words: list[str]
) -> None:
    query = data.draw(generated_queries(words))
    names = data.draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=4, unique=True))
    # The order of texts depends on each server's collation, so sort by other columns.
    keys = data.draw(st.lists(st.sampled_from(["Flight_Date", *NUMBERS]), max_size=2, unique=True))
    signs = [data.draw(st.sampled_from(["", "-"])) for _ in keys]
    places = [data.draw(st.sampled_from(["", "__nulls_first", "__nulls_last"])) for _ in keys]
    limit, offset = data.draw(st.integers(0, 60)), data.draw(st.sampled_from([0, 0, 1, 50]))
    page = {
        "columns": ",".join(names),
        "order_by": ",".join(map("".join, zip(signs, keys, places, strict=True))),
        "limit": str(limit),
        "offset": str(offset),
    }
    order = [
        f"{key} {'DESC' if sign else 'ASC'} NULLS {'FIRST' if 'first' in place else 'LAST'}"
        for sign, key, place in zip(signs, keys, places, strict=True)
    ]
    # Rows with equal keys are sorted by id, in the direction of the last key.
    last = f"id {'DESC' if signs and signs[-1] else 'ASC'}"
    expected = flights.execute(
        f"SELECT {', '.join(names)} FROM {TABLE} WHERE {query.where}"
        f" ORDER BY {', '.join([*order, last])} LIMIT {limit} OFFSET {offset}"
    )
    assert ask(site, query.parameters | page) == as_json(expected.fetchall())


@dataclass(frozen=True)
class Percentage:
    """A percentage as the API has it, and the SQL of its two numbers."""

    aggregate: str
    part: str
    whole: str


@st.composite
def percentages(draw: st.DrawFn, words: list[str]) -> Percentage:
    if draw(st.booleans()):
        a, b = draw(st.permutations(NUMBERS))
        both = f"FILTER ({a} IS NOT NULL AND {b} IS NOT NULL)"
        return Percentage(f"percent:{a}/{b}", f"sum({a}) {both}", f"sum({b}) {both}")
    condition = draw(conditions(words))
    text = condition.text
    if "," in text and condition.lookup.removeprefix("not_") != "in":
        text = '"' + text.replace('"', '""') + '"'
    part = f"count(*) FILTER ({condition.sql})"
    return Percentage(f"share:{condition.parameter}:{text}", part, "count(*)")


def percent(part: int | None, whole: int | None) -> float | None:
    """With two decimals, half away from zero; null without a whole."""
    if part is None or not whole:
        return None
    ratio = 100 * Fraction(part, whole)
    hundredths = floor(abs(ratio) * 100 + Fraction(1, 2))
    return hundredths / 100 if ratio > 0 else -hundredths / 100


def check_groups(
    site: Site, flights: duckdb.DuckDBPyConnection, data: st.DataObject, words: list[str]
) -> None:
    query = data.draw(generated_queries(words))
    by = data.draw(st.lists(st.sampled_from(list(KEYS)), max_size=2, unique=True))
    functions = data.draw(
        st.lists(st.sampled_from(list(FUNCTIONS)), min_size=1, max_size=3, unique=True)
    )
    measured = [(function, data.draw(st.sampled_from(NUMBERS))) for function in functions]
    ratio = data.draw(percentages(words))
    least = data.draw(st.sampled_from([None, 1, 100, 5_000]))
    values = ["count", *(f"{f}:{column}" for f, column in measured), ratio.aggregate]
    parameters = {"group_by": ",".join(by), "aggregate": ",".join(values), "limit": "10000"}
    having = ""
    if least is not None:
        parameters["having"], having = f"count__gte:{least}", f"HAVING count(*) >= {least}"
    keys = [KEYS[key] for key in by]
    computed = [FUNCTIONS[f].format(column) for f, column in measured]
    selected = [*keys, "count(*)", *computed, ratio.part, ratio.whole]
    grouped = f"GROUP BY {', '.join(keys)}" if by else ""
    rows = flights.execute(
        f"SELECT {', '.join(selected)} FROM {TABLE} WHERE {query.where} {grouped} {having}"
    ).fetchall()
    expected_rows = as_json([(*row, percent(part, whole)) for *row, part, whole in rows])
    actual_rows = ask(site, query.parameters | parameters)
    by_key = lambda row: row[: len(by)]  # noqa: E731
    for mine, other in zip(
        sorted(actual_rows, key=by_key), sorted(expected_rows, key=by_key), strict=True
    ):
        assert mine == [pytest.approx(v, rel=1e-9) if isinstance(v, float) else v for v in other]


QUICK = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
THOUSANDS = settings(QUICK, max_examples=3_000)


@pytest.mark.parametrize("check", [check_rows, check_groups])
@QUICK
@given(data=st.data())
def test_random_queries_return_the_rows_that_duckdb_returns(
    site: Site,
    flights: duckdb.DuckDBPyConnection,
    words: list[str],
    check: Callable[..., None],
    data: st.DataObject,
) -> None:
    check(site, flights, data, words)


@pytest.mark.deep
@pytest.mark.timeout(600)
@THOUSANDS
@given(data=st.data())
def test_thousands_of_random_queries_return_the_rows_that_duckdb_returns(
    site: Site, flights: duckdb.DuckDBPyConnection, words: list[str], data: st.DataObject
) -> None:
    data.draw(st.sampled_from([check_rows, check_groups]))(site, flights, data, words)
