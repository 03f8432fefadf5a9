"""SQL from the cache equals the SQL that Django's ORM builds."""

from itertools import product
from typing import Any

import pytest

from flights import versions
from flights.mirror import MirroredTable, public
from flights.query import filters, query, sql_cache
from flights.query.sql_cache import BY_VALUE
from flights.tables import TABLES
from tests.platform import Platform

HARD = ["", "%", "_", "\\", "'", '"', "ß", "O'Hare", "-1", "0", "1e400", "9" * 30, "2013-02-29"]


def django_sql(model: type[MirroredTable], params: dict[str, str]) -> tuple[str, list[Any]]:
    """The SQL that Django builds for a query."""
    rows = versions.rows(model, versions.current(model))
    filtered = filters.filterset(model, params)(data=params, queryset=rows)
    assert filtered.is_valid()
    sql, values = query.read(model, params).select(filtered.qs).query.sql_with_params()
    return sql, list(values)


def cached_sql(model: type[MirroredTable], params: dict[str, str]) -> tuple[str, list[Any]] | None:
    return sql_cache.statement(model, query.read(model, params), versions.current(model), params)


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model._meta.db_table)
def test_cached_sql_equals_djangos_for_every_operator_of_every_column(
    model: type[MirroredTable], demo: Platform
) -> None:
    first = versions.rows(model, versions.current(model)).order_by("id").values().first()
    assert first
    for field, sign in product(model.columns(), ("", "-")):
        for lookup, negated in product(filters.lookups(field), ("", "not_")):
            for value in (str(first[field.name]), filters.sample(field)):
                params = {f"{public(field)}__{negated}{lookup}": value}
                params |= {"order_by": f"{sign}{public(field)}", "limit": "20"}
                if lookup not in BY_VALUE:
                    assert cached_sql(model, params) == django_sql(model, params)


@pytest.mark.parametrize("value", HARD)
def test_unusual_values_use_the_same_sql_or_fall_back_to_django(value: str, demo: Platform) -> None:
    for model in TABLES:
        for field in model.columns():
            for lookup in filters.lookups(field):
                params = {f"{public(field)}__{lookup}": value}
                made = cached_sql(model, params)
                assert made is None or made == django_sql(model, params)


def test_several_filters_return_the_same_rows_on_every_page(demo: Platform) -> None:
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
        assert cached_sql(model, params) == django_sql(model, params)
        page_query = query.read(model, params)
        filtered = filters.filterset(model, params)(
            data=params, queryset=versions.rows(model, version)
        )
        expected = list(
            page_query.select(filtered.qs)[
                page_query.offset : page_query.offset + page_query.limit + 1
            ]
        )
        assert sql_cache.page(model, page_query, version, params) == expected != []


@pytest.mark.parametrize(
    "params",
    [
        {"City__in": "Boston, MA"},
        {"City__isnull": "true"},
        {"or": "City:Boston,Total_Arrivals__gt:4"},
        {"cursor": ""},
        {"group_by": "City"},
        {"Total_Arrivals": "9" * 30},
        {"Total_Arrivals": "many"},
    ],
)
def test_queries_that_cannot_use_cached_sql_fall_back_to_django(
    params: dict[str, str], demo: Platform
) -> None:
    assert cached_sql(TABLES[1], params) is None
