"""Figures that the US Department of Transportation published, from the raw file to the API.

Sources: the DOT's releases on the Air Travel Consumer Reports of April and May 2008 and of February
2009. All flights of January to April 2008 go through ingest, broker and transfer.
"""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import urlencode

import pytest

from tests import national_data
from tests.platform import Site
from tests.platforms import own_platform

pytestmark = [pytest.mark.deep, national_data.needed, pytest.mark.timeout(1_200)]

APRIL = "2008-04-01"
MEASURES = {
    "on_time": "percent_On_Time_Arrivals_of_Scheduled_Flights",
    "cancelled": "percent_Cancelled_Flights_of_Scheduled_Flights",
}


@pytest.fixture(scope="module")
def national() -> Iterator[Site]:
    with own_platform() as platform:
        for command in (["ingest", str(national_data.FILE)], ["broker"], ["transfer", "--all"]):
            platform.manage(*command, seconds=600)
        with platform.site() as site:
            yield site


def rows(site: Site, table: str, **params: str) -> list[dict[str, Any]]:
    response = site.get(f"/api/{table}/?{urlencode(params)}")
    assert response.status == 200, response.body
    results: list[dict[str, Any]] = response.json()["results"]
    return results


def rounded(value: Any, places: str = "0.1") -> float:
    return float(Decimal(str(value)).quantize(Decimal(places), ROUND_HALF_UP))


@pytest.mark.parametrize(
    ("month", "on_time", "cancelled"),
    [("2008-02-01", 68.6, 3.6), ("2008-03-01", 71.6, 2.6), (APRIL, 77.7, 1.7)],
)
def test_a_month_has_the_published_percentages(
    national: Site, month: str, on_time: float, cancelled: float
) -> None:
    aggregate = (
        "percent:On_Time_Arrivals/Scheduled_Flights,percent:Cancelled_Flights/Scheduled_Flights"
    )
    (row,) = rows(national, "performance_by_month", Month=month, aggregate=aggregate)
    assert rounded(row[MEASURES["on_time"]]) == on_time
    assert rounded(row[MEASURES["cancelled"]]) == cancelled


def test_february_has_the_published_number_of_flights(national: Site) -> None:
    query = {"Month": "2008-02-01", "aggregate": "sum:Scheduled_Flights"}
    (row,) = rows(national, "performance_by_month", **query)
    assert round(row["sum_Scheduled_Flights"], -3) == 569_000


@pytest.mark.parametrize(
    ("airline", "on_time"), [("HA", 90.5), ("AA", 65.3), ("UA", 72.8), ("YV", 73.2)]
)
def test_an_airline_has_the_published_percentage(
    national: Site, airline: str, on_time: float
) -> None:
    (row,) = rows(national, "performance_by_month", Month=APRIL, Airline_Code=airline)
    assert rounded(row["On_Time_Percent"]) == on_time


@pytest.mark.parametrize(
    ("column", "percent"),
    [
        ("National_Aviation_System_Percent", 7.70),
        ("Late_Aircraft_Percent", 6.51),
        ("Air_Carrier_Percent", 5.63),
        ("Extreme_Weather_Percent", 0.55),
        ("Security_Percent", 0.04),
    ],
)
def test_the_causes_of_april_have_the_published_percentages(
    national: Site, column: str, percent: float
) -> None:
    airlines = rows(national, "performance_by_month", Month=APRIL, limit="100")
    flights = sum(row["Scheduled_Flights"] for row in airlines)
    late = sum(row["Scheduled_Flights"] * row[column] for row in airlines)
    # Each airline's percentage is rounded to 0.01, so their weighted sum is exact to 0.005.
    assert late / flights == pytest.approx(percent, abs=0.01)


def test_the_flight_that_was_most_often_late_has_its_published_record(national: Site) -> None:
    flight = {"Airline_Code": "AA", "Flight_Number": "1555", "Origin": "MIA", "Destination": "SJU"}
    share = "share:Arrival_Delay_Minutes__gte:15"
    april = {"Flight_Date__gte": APRIL, "Flight_Date__lte": "2008-04-30"}
    query = {**flight, **april, "aggregate": f"count,{share}"}
    (row,) = rows(national, "flight_delay_data", **query)
    assert row == {"count": 30, "share_Arrival_Delay_Minutes_gte_15": rounded(26 / 0.3, "0.01")}


@pytest.mark.parametrize(
    ("table", "number"),
    [
        ("flight_delay_data", 2_389_217),
        ("performance_by_month", 78),
        ("performance_by_date", 121),
        ("performance_by_airport", 584),
        ("performance_by_hour", 3_460),
        ("performance_by_route", 7_650),
        ("performance_by_flight", 57_610),
    ],
)
def test_a_national_table_has_its_number_of_rows(national: Site, table: str, number: int) -> None:
    response = national.get(f"/api/{table}/?limit=1&count=exact")
    assert response.headers["x-airsense-count"] == str(number)
