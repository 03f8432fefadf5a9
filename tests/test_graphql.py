"""GraphQL returns the same data as the REST API."""

import json
import re

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from graphql import build_client_schema, get_introspection_query, print_schema
from rest_framework.test import APIRequestFactory

from flights.graphql.schema import SCHEMA
from flights.graphql.view import GraphQL
from flights.mirror import MirroredTable, public
from flights.tables import TABLES
from tests.graphql import OTHER_TYPE, PATH, data, get, post, refused
from tests.platform import Platform, Site

each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table._meta.db_table)


@each_table
def test_rows_equal_those_of_the_rest_api(table: type[MirroredTable], site: Site) -> None:
    name, columns = table._meta.db_table, [public(field) for field in table.columns()]
    last, all_of_them = columns[-1], " ".join(columns)
    query = """query ($order: String!) { %s(order_by: $order, limit: 20) {
        version limit more rows { %s } } }"""
    page = data(post(site, query % (name, all_of_them), order=f"-{last}"))[name]
    rest = site.get(f"/api/{name}/?order_by=-{last}&limit=20").json()
    assert page["rows"] == rest["results"]
    assert (page["version"], page["limit"]) == (rest["version"], rest["limit"])
    assert page["more"] == (rest["next"] is not None)


CONDITIONS = {
    "City=Chicago, IL": '{City: {exact: "Chicago, IL"}}',
    'City__in="Chicago, IL","Boston, MA"': '{City: {in: ["Chicago, IL", "Boston, MA"]}}',
    "City__icontains=san&Total_Arrivals__gte=10": (
        '{City: {icontains: "san"}, Total_Arrivals: {gte: 10}}'
    ),
    "City__not_contains=a": '{not: {City: {contains: "a"}}}',
    "or=City:Boston, MA,Total_Arrivals__gte:15000": (
        '{or: [{City: {exact: "Boston, MA"}}, {Total_Arrivals: {gte: 15000}}]}'
    ),
    "Avg_Arrival_Delay__gt=40.5&Avg_Arrival_Delay__lt=60": (
        "{Avg_Arrival_Delay: {gt: 40.5, lt: 60}}"
    ),
    f"Total_Arrivals__lt={'9' * 30}": f"{{Total_Arrivals: {{lt: {'9' * 30}}}}}",
    "City__in=": "{City: {in: []}}",
    "City__isnull=true": "{City: {isnull: true}}",
}


@pytest.mark.parametrize("address", CONDITIONS)
def test_conditions_mean_the_same_as_filters(site: Site, address: str) -> None:
    where = CONDITIONS[address]
    query = f"{{ busiest_airports_by_delays(where: {where}) {{ count rows {{ City }} }} }}"
    page = data(post(site, query))["busiest_airports_by_delays"]
    params = address.replace(" ", "%20").replace('"', "%22")
    rest = site.get(f"/api/busiest_airports_by_delays/?columns=City&count=exact&{params}")
    assert page["rows"] == rest.json()["results"]
    assert page["count"] == int(rest.headers["x-airsense-count"])


def test_conditions_nest(site: Site) -> None:
    query = """query ($day: String!) { delays_by_day(where: {
        or: [{Day_of_Week: {exact: $day}}, {not: {or: [
            {Day_of_Week: {startswith: "S"}}, {Day_of_Week: {endswith: "nesday"}},
            {Day_of_Week: {in: ["Friday", "Thursday", "Monday"]}}]}}]
        }, order_by: "Day_of_Week") { rows { Day_of_Week } } }"""
    rows = data(post(site, query, day="Sunday"))["delays_by_day"]["rows"]
    assert [row["Day_of_Week"] for row in rows] == ["Sunday", "Tuesday"]


def test_pages_follow_each_other_by_cursors_and_by_offsets(site: Site) -> None:
    query = """query ($c: String!) { busiest_airports_by_delays(limit: 40, cursor: $c) {
        next previous rows { City } } }"""
    rows, cursor = [], ""
    while cursor is not None:
        page = data(post(site, query, c=cursor))["busiest_airports_by_delays"]
        rows += page["rows"]
        cursor = page["next"]
    expected = site.get("/api/busiest_airports_by_delays/?columns=City").json()["results"]
    assert rows == expected
    assert page["previous"]
    first = data(post(site, "{ busiest_airports_by_delays(limit: 40) { next } }"))
    assert first["busiest_airports_by_delays"]["next"]
    by_offset = "{ busiest_airports_by_delays(limit: 2, offset: 3) { more next rows { City } } }"
    page = data(post(site, by_offset))["busiest_airports_by_delays"]
    assert page == {"more": True, "next": None, "rows": expected[3:5]}


def test_groups_equal_those_of_the_rest_api(site: Site) -> None:
    query = """{ flight_delay_data_groups(
        where: {Origin_City: {exact: "Newark, NJ"}}, having: "count__gte:1000",
        order_by: "-p90_Arrival_Delay_Minutes", limit: 5
    ) { version limit more count rows {
        by { Airline_Name } count max { Flight_Date } avg { Arrival_Delay_Minutes }
        p90: percentile(p: 90) { Arrival_Delay_Minutes } sum { Arrival_Delay_Minutes }
        count_distinct { Destination_City } } } }"""
    result = data(post(site, query))["flight_delay_data_groups"]
    made = (
        "count,max:Flight_Date,avg:Arrival_Delay_Minutes,p90:Arrival_Delay_Minutes,"
        "sum:Arrival_Delay_Minutes,count_distinct:Destination_City"
    )
    rest = site.get(
        f"/api/flight_delay_data/?Origin_City=Newark,%20NJ&group_by=Airline_Name&aggregate={made}"
        "&having=count__gte:1000&order_by=-p90_Arrival_Delay_Minutes&limit=5&count=exact"
    )
    assert result["count"] == int(rest.headers["x-airsense-count"])
    for group, row in zip(result["rows"], rest.json()["results"], strict=True):
        assert group == {
            "by": {"Airline_Name": row["Airline_Name"]},
            "count": row["count"],
            "max": {"Flight_Date": row["max_Flight_Date"]},
            "avg": {"Arrival_Delay_Minutes": row["avg_Arrival_Delay_Minutes"]},
            "p90": {"Arrival_Delay_Minutes": row["p90_Arrival_Delay_Minutes"]},
            "sum": {"Arrival_Delay_Minutes": row["sum_Arrival_Delay_Minutes"]},
            "count_distinct": {"Destination_City": row["count_distinct_Destination_City"]},
        }
    everything = data(post(site, "{ delays_by_day_groups { rows { count } } }"))
    assert everything == {"delays_by_day_groups": {"rows": [{"count": 7}]}}


def test_search_tables_and_facets_equal_those_of_the_rest_api(site: Site) -> None:
    query = """{ search(q: "boston", table: "flight_delay_data", limit: 3) { query limit
        understood { text kind name detail value url flights exact others { name } }
        routes { name } close { name } tables {
        table version values_found columns rows url explorer
        values { column value rows alike url fragments { text found } } } } }"""
    results, rest = (
        data(post(site, query))["search"],
        site.get("/api/search?q=boston&table=flight_delay_data&limit=3").json(),
    )
    rest.pop("offset")
    assert results == rest
    tables = data(
        post(site, "{ tables { table about rows stale columns { name unit operators } } }")
    )
    for table, listed in zip(tables["tables"], site.get("/api/").json(), strict=True):
        columns = table.pop("columns")
        assert table.items() <= listed.items()
        assert all(c.items() <= d.items() for c, d in zip(columns, listed["columns"], strict=True))
    facets = """{ flight_delay_data(where: {Origin_City: {startswith: "New"}}) {
        facets(columns: "Airline_Name") { column values { value rows } } } }"""
    (facet,) = data(post(site, facets))["flight_delay_data"]["facets"]
    address = "/api/flight_delay_data/?facets=Airline_Name&Origin_City__startswith=New"
    assert {facet["column"]: facet["values"]} == site.get(address).json()["facets"]


def test_only_what_is_selected_is_read(demo: Platform) -> None:
    query = """{ flight_delay_data(limit: 2) { version rows { a: Origin_City ...more } }
        other: flight_delay_data { version limit }
        airline_performance(limit: 1) { next rows { Airline_Name } } }
        fragment more on FlightDelayData { Airline_Name Flight_Date @skip(if: true) }"""
    view, request = GraphQL.as_view(), APIRequestFactory().get(PATH, {"query": query})
    with CaptureQueriesContext(connections["reader"]) as seen:
        response = view(request).render()
    result = json.loads(response.content)["data"]
    version = result["flight_delay_data"]["version"]
    assert result["other"] == {"version": version, "limit": 1000}
    reads = [query["sql"] for query in seen.captured_queries if query["sql"].startswith('SELECT "')]
    looked_up = [sql for sql in reads if ' FROM "flights_tableversion"' in sql]
    flights, airlines = [sql.partition(" FROM ")[0] for sql in reads if sql not in looked_up]
    assert flights.count(f'"flight_delay_data__v{version}".') == 2
    assert '"Origin_City"' in flights
    assert '"Airline_Name"' in flights
    # A cursor holds the values that rows are sorted by.
    assert airlines.count('"airline_performance__v1".') == 2
    assert '"id"' in airlines


def test_a_get_is_cacheable_and_revalidated_by_its_etag(site: Site) -> None:
    query = "{ delays_by_day { rows { Day_of_Week } } airline_performance { version } }"
    first, again = get(site, query), get(site, query)
    assert re.fullmatch(
        r"airline_performance/\d, delays_by_day/\d", first.headers["x-airsense-version"]
    )
    assert first.headers["cache-control"] == "public, no-cache"
    assert again.body == first.body
    assert "hit" in {get(site, query).headers["x-airsense-cache"] for _ in range(6)}
    assert get(site, query, If_None_Match=first.headers["etag"]).status == 304
    other = get(site, query + " ", Cookie="sessionid=x", If_None_Match=first.headers["etag"])
    assert (other.status, other.headers["cache-control"]) == (200, "public, no-cache")
    for changing in ("{ tables { stale } }", "{ delays_by_day { rows { Nope } } }", "{__typename}"):
        assert get(site, changing).headers["cache-control"] == "no-store"
    assert post(site, query).headers["cache-control"] == "no-store"
    assert "etag" not in post(site, query).headers


def test_both_graphql_content_types_are_supported(site: Site) -> None:
    for accept, type_ in [("*/*", "application/json"), (OTHER_TYPE, OTHER_TYPE)]:
        assert get(site, "{ __typename }", Accept=accept).headers["content-type"] == type_
        assert get(site, "{ nope }", Accept=accept).headers["content-type"] == type_
    assert get(site, "{ __typename }", Accept="text/plain").status == 406


def test_tools_can_read_the_schema(site: Site) -> None:
    schema = data(post(site, get_introspection_query()))
    assert print_schema(build_client_schema(schema)) == print_schema(SCHEMA)


def test_an_unpublished_table_is_an_error_beside_the_data_of_others(fresh: Platform) -> None:
    fresh.ingest("2013-01-01,A,Ames IA,Boise ID,5,5")
    fresh.manage("transfer", "delays_by_day")
    with fresh.site(processes=1) as site:
        one = post(site, "{ airline_performance { version } }")
        both = get(site, "{ airline_performance { version } delays_by_day { version } }")
    assert "not been transferred" in refused(one, 503)
    assert one.headers["retry-after"] == "60"
    assert (both.status, both.headers["cache-control"]) == (200, "no-store")
    assert both.json()["data"] == {"airline_performance": None, "delays_by_day": {"version": 1}}
    assert both.json()["errors"][0]["path"] == ["airline_performance"]


def test_pages_of_other_sites_may_send_queries(site: Site) -> None:
    headers = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    preflight = site.request("OPTIONS", PATH, None, **headers)
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "Content-Type" in preflight.headers["access-control-allow-headers"]
    assert post(site, "{ __typename }").headers["access-control-allow-origin"] == "*"
    other = site.request("OPTIONS", "/api/advanced_search", None, **headers)
    assert "POST" not in other.headers["access-control-allow-methods"]
