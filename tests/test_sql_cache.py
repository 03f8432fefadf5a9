"""SQL that is joined of kept parts is what Django makes of a query each time."""

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


def usual(model: type[MirroredTable], given: dict[str, str]) -> tuple[str, list[Any]]:
    """What Django makes of a query."""
    rows = versions.rows(model, versions.current(model))
    kept = filters.filterset(model, given)(data=given, queryset=rows)
    assert kept.is_valid()
    sql, values = query.read(model, given).select(kept.qs).query.sql_with_params()
    return sql, list(values)


def statement(model: type[MirroredTable], given: dict[str, str]) -> tuple[str, list[Any]] | None:
    return sql_cache.statement(model, query.read(model, given), versions.current(model), given)


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model._meta.db_table)
def test_every_operator_of_every_column_is_asked_for_the_same(
    model: type[MirroredTable], demo: Platform
) -> None:
    first = versions.rows(model, versions.current(model)).order_by("id").values().first()
    assert first
    for field, sign in product(model.columns(), ("", "-")):
        for lookup, negated in product(filters.lookups(field), ("", "not_")):
            for value in (str(first[field.name]), filters.sample(field)):
                given = {f"{public(field)}__{negated}{lookup}": value}
                given |= {"order_by": f"{sign}{public(field)}", "limit": "20"}
                if lookup not in BY_VALUE:
                    assert statement(model, given) == usual(model, given)


@pytest.mark.parametrize("value", HARD)
def test_a_hard_value_is_asked_for_the_same_or_goes_the_usual_way(
    value: str, demo: Platform
) -> None:
    for model in TABLES:
        for field in model.columns():
            for lookup in filters.lookups(field):
                given = {f"{public(field)}__{lookup}": value}
                made = statement(model, given)
                assert made is None or made == usual(model, given)


def test_several_filters_find_the_same_on_every_page(demo: Platform) -> None:
    model = TABLES[-1]
    version = versions.current(model)
    for page in ({}, {"limit": "0"}, {"limit": "3", "offset": "2"}, {"columns": "Flight_Date"}):
        given = {
            "Origin_City__contains": "New",
            "Departure_Delay_Minutes__not_gt": "30",
            "Flight_Date__gte": "2013-11-05",
            "order_by": "-Arrival_Delay_Minutes__nulls_first,Destination_City",
            **page,
        }
        assert statement(model, given) == usual(model, given)
        asked = query.read(model, given)
        kept = filters.filterset(model, given)(data=given, queryset=versions.rows(model, version))
        found = list(asked.select(kept.qs)[asked.offset : asked.offset + asked.limit + 1])
        assert sql_cache.page(model, asked, version, given) == found != []


@pytest.mark.parametrize(
    "given",
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
def test_what_depends_on_a_value_goes_the_usual_way(given: dict[str, str], demo: Platform) -> None:
    assert statement(TABLES[1], given) is None
