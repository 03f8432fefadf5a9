"""Cached SQL is the SQL that Django's ORM compiles for the same query."""

from itertools import product

import pytest
from django.db import connections, models
from django.test.utils import CaptureQueriesContext

from flights import versions
from flights.errors import BadQuery
from flights.mirror import Field, MirroredTable, public
from flights.query import filters, operators, sql_cache
from flights.query.cost import LARGE
from flights.query.query import Query
from flights.query.sql_cache import BY_VALUE, Statement
from flights.query.values import sample
from flights.tables import TABLES
from tests.platform import Platform
from tests.samples import daily

type Columns = list[tuple[type[MirroredTable], Field]]

EVERY = [(model, field) for model in TABLES for field in model.columns()]
# The SQL of a condition depends on the type of its column and on whether nulls are possible.
BY_TYPE = {(type(field), field.null): (model, field) for model, field in reversed(EVERY)}
COLUMNS = [
    pytest.param([*BY_TYPE.values()], id="one of each type"),
    pytest.param(EVERY, id="every one", marks=pytest.mark.deep),
]
HARD = ["", "%", "_", "\\", "'", '"', "ß", "O'Hare", "-1", "0", "1e400", "9" * 30, "2013-02-29"]


def by_the_orm(model: type[MirroredTable], params: dict[str, str]) -> Statement:
    """The SQL of a query, filtered by django-filter's own form."""
    rows = versions.rows(model, versions.current(model))
    form = filters.filterset(model, tuple(filters.filters(params)))(data=params, queryset=rows)
    assert form.is_valid()
    query = Query.read(model, params)
    ordered = form.qs.order_by(*(direction.expression for direction in query.order))
    selected = ordered.values_list(*(field.name for field in query.columns))
    sql, values = selected.query.sql_with_params()
    return sql, list(values)


def cached(model: type[MirroredTable], params: dict[str, str]) -> Statement | None:
    query = Query.read(model, params)
    return sql_cache.statement(query, versions.current(model), query.columns)


@pytest.mark.parametrize("columns", COLUMNS)
def test_every_operator_of_a_column_has_the_same_sql(columns: Columns, demo: Platform) -> None:
    for (model, field), sign in product(columns, ("", "-")):
        first = versions.rows(model, versions.current(model)).order_by("id").values().first()
        assert first
        for operator, negated in product(operators.names(field), ("", "not_")):
            existing = sample(field) if first[field.name] is None else str(first[field.name])
            for value in (existing, sample(field)):
                params = {f"{public(field)}__{negated}{operator}": value}
                params |= {"order_by": f"{sign}{public(field)}", "limit": "20"}
                # Django writes `Cancelled = true` as `Cancelled`.
                by_value = operator in BY_VALUE or isinstance(field, models.BooleanField)
                if not by_value:
                    assert cached(model, params) == by_the_orm(model, params)


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("value", daily(HARD))
def test_a_hard_value_is_refused_or_has_the_same_sql_or_needs_the_orm(
    value: str, columns: Columns, demo: Platform
) -> None:
    for model, field in columns:
        for operator in operators.names(field):
            params = {f"{public(field)}__{operator}": value}
            try:
                statement = cached(model, params)
            except BadQuery:
                rows = versions.rows(model, versions.current(model))
                form = filters.filterset(model, tuple(params))(data=params, queryset=rows)
                assert not form.is_valid()
            else:
                assert statement is None or statement == by_the_orm(model, params)


@pytest.mark.parametrize("model", TABLES)
def test_pages_with_other_columns_of_a_small_table_share_one_statement(
    model: type[MirroredTable], demo: Platform
) -> None:
    version, names = versions.current(model), [public(field) for field in model.columns()]
    statements = set()
    for chosen in (names, names[:1], names[::-2], []):
        query = Query.read(model, {"columns": ",".join(chosen), "limit": "20"})
        with CaptureQueriesContext(connections["reader"]) as captured:
            rows = sql_cache.fetch(query, version)
        assert [tuple(row) for row in rows or []] == list(query.select(version)[:21])
        statements.add(captured[-1]["sql"])
    assert len(statements) == (1 if version.rows < LARGE else 3)


def test_several_filters_give_the_same_rows_on_every_page(demo: Platform) -> None:
    model = TABLES[-1]
    version = versions.current(model)
    for page in ({}, {"limit": "0"}, {"limit": "3", "offset": "2"}, {"columns": "Flight_Date"}):
        params = {
            "Origin_City__contains": "New",
            "Departure_Delay_Minutes__not_gt": "30",
            "Flight_Date__gte": "2013-11-05",
            "order_by": "-Arrival_Delay_Minutes__nulls_first,Destination_City",
            **page,
        }
        assert cached(model, params) == by_the_orm(model, params)
        query = Query.read(model, params)
        rows = list(query.select(version)[query.offset : query.offset + query.limit + 1])
        assert sql_cache.fetch(query, version) == rows != []


@pytest.mark.parametrize(
    "params",
    [
        {"City__in": "Boston, MA"},
        {"City__isnull": "true"},
        {"or": "City:Boston, MA,Total_Arrivals__gt:4"},
        {"cursor": ""},
        {"group_by": "City"},
        {"Total_Arrivals": "9" * 30},
    ],
)
def test_a_query_whose_sql_depends_on_a_value_needs_the_orm(
    params: dict[str, str], demo: Platform
) -> None:
    assert cached(TABLES[1], params) is None


def test_a_value_that_does_not_fit_its_column_is_refused(demo: Platform) -> None:
    with pytest.raises(BadQuery, match="Total_Arrivals: This is not a whole number"):
        cached(TABLES[1], {"Total_Arrivals": "many"})
