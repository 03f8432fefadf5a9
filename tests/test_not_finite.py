"""Queries treat NaN and infinity as null; the copy stores them unchanged."""

import csv
import io
import json
import re
from collections.abc import Iterator
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from tests import graphql
from tests.platform import Platform, Site
from tests.platforms import own_platform
from tests.test_preview import change

AIRLINES = "/api/airline_performance/"
CITIES = "/api/busiest_airports_by_delays/"
TABLES = ["airline_performance", "busiest_airports_by_delays", "delays_by_day"]
MINUTES = {"Alpha": 1.5, "Beta": None, "Gamma": None, "Delta": None, "Echo": -2.0, "Fox": None}
NAN = """
CREATE OR REPLACE TABLE airline_performance AS
SELECT * FROM VALUES ('Alpha', 0.5D, 1.5D, 10L), ('Beta', 1D, DOUBLE('NaN'), 20L),
 ('Gamma', 1D, DOUBLE('Infinity'), 30L), ('Delta', 1D, DOUBLE('-Infinity'), 40L),
 ('Echo', 1D, -2D, 50L), ('Fox', 1D, NULL, 60L)
 AS t(Airline_Name, Avg_Departure_Delay, Avg_Arrival_Delay, Total_Flights)
"""


@pytest.fixture(scope="module")
def published() -> Iterator[Platform]:
    with own_platform(FLIGHTS_TO_RANK="1") as own:
        own.ingest("2013-01-01,Alpha,A,B,1,1\n2013-01-01,Alpha,B,C,2,2\n2013-01-02,Beta,C,A,3,3")
        change(own, NAN)
        change(
            own,
            "CREATE OR REPLACE TABLE busiest_airports_by_delays AS SELECT City,"
            " Total_Departure_Delay, Total_Departures, Avg_Departure_Delay, Total_Arrival_Delay,"
            " Total_Arrivals, Avg_Arrival_Delay, CASE City WHEN 'A' THEN DOUBLE('NaN')"
            " WHEN 'B' THEN DOUBLE('Infinity') ELSE Total_Avg_Delay END AS Total_Avg_Delay"
            " FROM busiest_airports_by_delays",
        )
        own.manage("transfer", *TABLES, "--despite-checks", "the tables need not agree")
        yield own


@pytest.fixture(scope="module")
def site(published: Platform) -> Iterator[Site]:
    with published.site(processes=1) as site:
        yield site


def names(site: Site, query: str) -> list[str]:
    response = site.get(f"{AIRLINES}?columns=Airline_Name&{query}")
    assert response.status == 200, response.body
    return [row["Airline_Name"] for row in response.json()["results"]]


def cities(site: Site, query: str) -> list[str]:
    response = site.get(f"{CITIES}?columns=City&{query}")
    assert response.status == 200, response.body
    return [row["City"] for row in response.json()["results"]]


def test_every_format_has_nan_and_infinity_as_missing_values(site: Site) -> None:
    path = f"{AIRLINES}?columns=Airline_Name,Avg_Arrival_Delay&format="
    pages = site.get(f"{path}json").json()["results"]
    assert {row["Airline_Name"]: row["Avg_Arrival_Delay"] for row in pages} == MINUTES
    lines = [json.loads(line) for line in site.get(f"{path}ndjson").body.splitlines()]
    assert lines == pages
    texts = list(csv.reader(io.StringIO(site.get(f"{path}csv").body.decode())))[1:]
    assert {name: float(text) if text else None for name, text in texts} == MINUTES
    sheet = load_workbook(io.BytesIO(site.get(f"{path}xlsx").body)).worksheets[0]
    assert dict(list(sheet.iter_rows(values_only=True))[1:]) == MINUTES
    for table in (
        pa.ipc.open_stream(site.get(f"{path}arrow").body).read_all(),
        pq.read_table(io.BytesIO(site.get(f"{path}parquet").body)),
    ):
        assert table.to_pylist() == pages
    query = "{ airline_performance { rows { Airline_Name Avg_Arrival_Delay } } }"
    assert graphql.data(graphql.post(site, query))["airline_performance"]["rows"] == pages
    body = site.get("/explorer?table=airline_performance").body.decode()
    assert body.count('title="no value"') == 4
    for text in ("nan", "inf", "NaN", "Infinity"):
        assert f">{text}<" not in body


def test_nan_and_infinity_are_missing_values_even_in_a_column_that_is_never_empty(
    site: Site,
) -> None:
    query = f"{CITIES}?columns=City,Total_Avg_Delay&order_by=City&format="
    rows = site.get(f"{query}json").json()["results"]
    assert [row["Total_Avg_Delay"] for row in rows] == [None, None, rows[2]["Total_Avg_Delay"]]
    assert rows[2]["Total_Avg_Delay"] is not None
    for table in (
        pa.ipc.open_stream(site.get(f"{query}arrow").body).read_all(),
        pq.read_table(io.BytesIO(site.get(f"{query}parquet").body)),
    ):
        assert table.to_pylist() == rows
    assert cities(site, "Total_Avg_Delay__isnull=true&order_by=City") == ["A", "B"]
    assert cities(site, "order_by=-Total_Avg_Delay")[0] == "C"
    assert cities(site, "order_by=Total_Avg_Delay")[0] == "C"
    assert cities(site, "order_by=Total_Avg_Delay__nulls_first")[2] == "C"


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("Avg_Arrival_Delay__isnull=true", {"Beta", "Gamma", "Delta", "Fox"}),
        ("Avg_Arrival_Delay__isnull=false", {"Alpha", "Echo"}),
        ("Avg_Arrival_Delay__gt=-1e308", {"Alpha", "Echo"}),
        ("Avg_Arrival_Delay__lt=1e308", {"Alpha", "Echo"}),
        ("Avg_Arrival_Delay__not=1.5", {"Beta", "Gamma", "Delta", "Echo", "Fox"}),
        ("Avg_Arrival_Delay__not_gte=0", {"Beta", "Gamma", "Delta", "Echo", "Fox"}),
        ("Avg_Arrival_Delay__in=1.5,-2", {"Alpha", "Echo"}),
        ("or=Avg_Arrival_Delay__isnull:true,Airline_Name:Alpha",
         {"Alpha", "Beta", "Gamma", "Delta", "Fox"}),
    ],
)  # fmt: skip
def test_filters_treat_nan_and_infinity_as_null(site: Site, query: str, matches: set[str]) -> None:
    assert set(names(site, query)) == matches
    counted = site.get(f"{AIRLINES}?limit=1&count=exact&{query}")
    assert int(counted.headers["x-airsense-count"]) == len(matches)


def test_nan_and_infinity_sort_with_the_empty_values_by_offset_and_by_cursor(site: Site) -> None:
    empty = {"Beta", "Gamma", "Delta", "Fox"}
    for order, first in (
        ("Avg_Arrival_Delay", ["Echo", "Alpha"]),
        ("-Avg_Arrival_Delay", ["Alpha", "Echo"]),
    ):
        whole = names(site, f"order_by={order}")
        assert whole[:2] == first
        assert set(whole[2:]) == empty
        assert set(names(site, f"order_by={order}__nulls_first")[:4]) == empty
        walked: list[str] = []
        link: str | None = f"?columns=Airline_Name&order_by={order}&limit=2&cursor="
        while link:
            page = site.get(AIRLINES + link).json()
            walked += [row["Airline_Name"] for row in page["results"]]
            link = page["next"]
        assert walked == whole


def test_aggregates_ignore_nan_and_infinity(site: Site) -> None:
    aggregates = ",".join(
        f"{function}:Avg_Arrival_Delay"
        for function in ("count", "count_distinct", "min", "max", "sum", "avg", "median")
    )
    (row,) = site.get(f"{AIRLINES}?aggregate={aggregates}").json()["results"]
    assert list(row.values()) == [2, 2, -2.0, 1.5, -0.5, -0.25, -0.25]
    groups = site.get(f"{AIRLINES}?group_by=Avg_Arrival_Delay&order_by=Avg_Arrival_Delay").json()
    assert [tuple(row.values()) for row in groups["results"]] == [(-2.0, 1), (1.5, 1), (None, 4)]


@pytest.mark.parametrize("word", ["nan", "infinity", "inf"])
def test_search_does_not_find_nan_or_infinity(site: Site, word: str) -> None:
    (table,) = site.get(f"/api/search?q={word}&table=airline_performance").json()["tables"]
    assert table["values"] == table["rows"] == []


def test_search_shows_rows_with_nan_or_infinity_and_its_links_work(site: Site) -> None:
    (table,) = site.get("/api/search?q=beta&table=airline_performance").json()["tables"]
    assert table["rows"] == [["Beta", 1.0, None, 20]]
    for value in table["values"]:
        assert site.get(value["url"]).status == 200


def test_filters_do_not_accept_nan_or_infinity_as_a_value(site: Site) -> None:
    for value in ("NaN", "inf", "-Infinity", "1e999"):
        assert site.get(f"{AIRLINES}?Avg_Arrival_Delay={quote(value)}").status == 400


def test_a_chart_leaves_nan_and_infinity_out(site: Site) -> None:
    page = site.get("/explorer?table=airline_performance&view=chart").body.decode()
    values = set(re.findall(r'data-value="(\w+): ([^"]+)"', page))
    assert {("Alpha", "1.50 minutes, 10 flights"), ("Beta", "no value, 20 flights")} <= values


def test_the_copy_keeps_the_nan_and_infinity_of_its_source(published: Platform) -> None:
    code = (
        "from django.db import connection as c; k = c.cursor();"
        "k.execute('SELECT \"Avg_Arrival_Delay\"::text FROM airline_performance ORDER BY 1');"
        "print([value for (value,) in k.fetchall()])"
    )
    output = published.python(code)
    for text in ("'NaN'", "'Infinity'", "'-Infinity'"):
        assert text in output


def test_a_version_records_which_columns_contain_nan_or_infinity(published: Platform) -> None:
    output = published.python(
        "from flights.models import TableVersion as T;"
        "print({v.table: v.not_finite for v in T.objects.all()})"
    )
    assert "'airline_performance': ['Avg_Arrival_Delay']" in output
    assert "'busiest_airports_by_delays': ['Total_Avg_Delay']" in output
    assert "'delays_by_day': []" in output
