"""Queries over HTTP against the demo data, checked against DuckDB over the raw file alone."""

import csv
import io

import pytest

from flights.models import TableVersion
from flights.tables import NAMES
from tests.platform import Site

DYNAMIC = "/api/dynamic_query?table_name="


def test_the_example_query_of_the_first_clients_works(site: Site) -> None:
    response = site.get(
        f"{DYNAMIC}busiest_airports_by_delays&limit=6&where=Avg_Departure_Delay:87,Total_Arrivals:4"
    )
    assert response.status == 200
    assert response.json() == []


def test_rows_have_the_requested_columns_in_the_requested_order(site: Site) -> None:
    rows = site.get(
        f"{DYNAMIC}busiest_airports_by_delays&columns=Total_Arrivals,City"
        "&order_by=Total_Arrivals&order_direction=DESC&limit=3"
    ).json()
    assert [list(row) for row in rows] == [["Total_Arrivals", "City"]] * 3
    totals = [row["Total_Arrivals"] for row in rows]
    assert totals == sorted(totals, reverse=True)


def test_a_value_may_hold_a_comma(site: Site) -> None:
    (chicago,) = site.get(f"{DYNAMIC}busiest_airports_by_delays&where=City:Chicago,%20IL").json()
    arrivals = chicago["Total_Arrivals"]
    both = f"where=City:Chicago,%20IL,Total_Arrivals:{arrivals}"
    assert site.get(f"{DYNAMIC}busiest_airports_by_delays&{both}").json() == [chicago]
    other = f"where=City:Chicago,%20IL,Total_Arrivals:{arrivals + 1}"
    assert site.get(f"{DYNAMIC}busiest_airports_by_delays&{other}").json() == []


@pytest.mark.parametrize(
    "condition", ["&Total_Flights__gte=50000", "&where=total_flights__GTE:50000"]
)
def test_operators_work_in_both_spellings_and_in_any_case(site: Site, condition: str) -> None:
    rows = site.get(f"{DYNAMIC}airline_performance{condition}").json()
    assert rows
    assert all(row["Total_Flights"] >= 50000 for row in rows)


@pytest.mark.parametrize(
    ("filters", "keeps"),
    [
        ("Day_of_Week=Monday", {"Monday"}),
        ("Day_of_Week__in=Monday,Friday", {"Monday", "Friday"}),
        ("Day_of_Week__startswith=T", {"Tuesday", "Thursday"}),
        ("Day_of_Week__contains=urs", {"Thursday"}),
        ("Day_of_Week__icontains=SUN", {"Sunday"}),
        ("Day_of_Week__isnull=true", set()),
        ("Day_of_Week=", set()),
        ("Total_Flights__gt=0&Day_of_Week__endswith=rday", {"Saturday"}),
    ],
)
def test_each_operator_filters(site: Site, filters: str, keeps: set[str]) -> None:
    rows = site.get(f"/api/delays_by_day/?{filters}").json()["results"]
    assert {row["Day_of_Week"] for row in rows} == keeps


def test_null_is_distinguished_from_a_value(site: Site) -> None:
    query = "Departure_Delay_Minutes__isnull=true&columns=Departure_Delay_Minutes&limit=5"
    rows = site.get(f"/api/flight_delay_data/?{query}").json()["results"]
    assert rows == [{"Departure_Delay_Minutes": None}] * 5


def test_pages_follow_each_other_by_relative_links(site: Site) -> None:
    path = "/api/airline_performance/"
    first = site.get(f"{path}?limit=5&columns=Airline_Name").json()
    second = site.get(path + first["next"]).json()
    assert first["previous"] is None
    assert second["offset"] == 5
    assert site.get(path + second["previous"]).json()["results"] == first["results"]
    assert first["results"] != second["results"]


@pytest.mark.parametrize("table", NAMES)
def test_a_response_states_its_version_and_is_revalidated_by_its_etag(
    site: Site, table: str
) -> None:
    for path in (f"{DYNAMIC}{table}&limit=2", f"/api/{table}/?limit=2"):
        response = site.get(path)
        current = TableVersion.objects.get(published__table=table)
        assert response.headers["x-airsense-version"] == str(current)
        again = site.get(path, If_None_Match=response.headers["etag"])
        assert (again.status, again.body) == (304, b"")
        assert site.get(path, If_None_Match='"other"').status == 200


def test_a_page_states_its_limit_and_whether_more_rows_follow(site: Site) -> None:
    few = site.get(f"{DYNAMIC}flight_delay_data&limit=3")
    assert (len(few.json()), few.headers["x-airsense-limit"]) == (3, "3")
    assert few.headers["x-airsense-more"] == "true"
    default = site.get(f"{DYNAMIC}flight_delay_data")
    assert (len(default.json()), default.headers["x-airsense-limit"]) == (1000, "1000")
    most = site.get(f"{DYNAMIC}flight_delay_data&limit=99999999999")
    assert (len(most.json()), most.headers["x-airsense-limit"]) == (10000, "10000")
    assert site.get(f"{DYNAMIC}delays_by_day").headers["x-airsense-more"] == "false"
    assert site.get(f"{DYNAMIC}delays_by_day&limit=0").json() == []


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("nowhere", 404, "airline_performance"),
        ("delays_by_day&columns=Nope", 400, "Day_of_Week"),
        ("delays_by_day&where=Nope:1", 400, "Day_of_Week"),
        ("delays_by_day&where=Total_Flights", 400, "column:value"),
        ("delays_by_day&where=Total_Flights__near:1", 400, "gte"),
        ("delays_by_day&Total_Flights__near=1", 400, "gte"),
        ("delays_by_day&where=Total_Flights:many", 400, "whole number"),
        ("delays_by_day&where=Total_Flights:4.5", 400, "whole number"),
        ("delays_by_day&where=Avg_Arrival_Delay:nan", 400, "number"),
        ("delays_by_day&where=Day_of_Week:%00", 400, "Null"),
        ("flight_delay_data&where=Flight_Date:2013-13-01", 400, "date"),
        ("delays_by_day&order_by=Nope", 400, "Day_of_Week"),
        ("delays_by_day&order_by=Total_Flights&order_direction=UP", 400, "DESC"),
        ("delays_by_day&limit=ten", 400, "limit"),
        ("delays_by_day&limit=-1", 400, "limit"),
        ("delays_by_day&offset=99999999999999999999", 400, "offset"),
        ("delays_by_day&limit=1&limit=2", 400, "Send it once"),
        ("delays_by_day&Total_Flights__isnull=perhaps", 400, "true or false"),
        ("delays_by_day&where=Day_of_Week:x'%20OR%201=1", 200, "[]"),
    ],
)
def test_an_invalid_query_is_refused_with_the_allowed_values(
    site: Site, query: str, status: int, says: str
) -> None:
    response = site.get(DYNAMIC + query)
    assert response.status == status, response.body
    assert says in response.body.decode()
    assert "SELECT" not in response.body.decode()


def test_a_huge_number_is_compared_and_not_an_error(site: Site) -> None:
    for operator, count in (("gt", 0), ("lt", 7), ("exact", 0), ("in", 0)):
        query = f"delays_by_day&Total_Flights__{operator}={'9' * 30}"
        assert len(site.get(DYNAMIC + query).json()) == count


def test_csv_holds_every_row_of_a_query(site: Site) -> None:
    response = site.get("/api/flight_delay_data/?format=csv&Origin_City=Newark,%20NJ")
    lines = list(csv.DictReader(io.StringIO(response.body.decode())))
    assert len(lines) == 120_835
    assert {line["Origin_City"] for line in lines} == {"Newark, NJ"}
    assert response.headers["x-airsense-version"] == "flight_delay_data/1"


def test_a_browser_gets_a_page_with_escaped_values(site: Site) -> None:
    page = site.get("/api/delays_by_day/?Day_of_Week=%3Cscript%3Eevil", Accept="text/html")
    assert page.headers["content-type"].startswith("text/html")
    assert b"Average delays of each day of the week" in page.body
    assert b"<script>evil" not in page.body


def test_the_public_can_only_read(site: Site) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert site.request(method, "/api/delays_by_day/").status in (403, 405)
