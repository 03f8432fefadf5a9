"""PostgreSQL reads a first page in index order, without a sort."""

import pytest
from django.db import connections

from flights import versions
from flights.models.mirrored import FlightDelayData
from flights.query import sql_cache
from flights.query.query import Query
from tests.platform import Platform

DELAY = "Departure_Delay_Minutes"


@pytest.mark.parametrize(
    "params",
    [
        {"order_by": "Flight_Date"},
        {"Airline_Name": "Endeavor Air Inc.", "order_by": "Flight_Date"},
        {"Origin_City": "Newark, NJ", "Flight_Date__gte": "2013-06-01", "order_by": "-Flight_Date"},
        {"order_by": f"-{DELAY}"},
        {"order_by": f"-{DELAY}", f"{DELAY}__lte": "200"},
        {"order_by": f"-{DELAY}__nulls_first", f"{DELAY}__lte": "200"},
        {"order_by": DELAY, f"{DELAY}__gte": "60"},
        {"order_by": f"{DELAY}__nulls_first"},
    ],
    ids=str,
)
def test_a_first_page_is_an_index_scan_without_a_sort(
    demo: Platform, params: dict[str, str]
) -> None:
    version = versions.current(FlightDelayData)
    query = Query.read(FlightDelayData, params)
    statement = sql_cache.statement(query, version, query.columns)
    assert statement
    sql, values = statement
    with connections["reader"].cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql} LIMIT 11", values)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Scan" in plan
    assert "Sort" not in plan
