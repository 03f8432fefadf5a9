"""Percentages, percentiles and months of groups, on every surface that groups."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from html import unescape
from typing import Any
from urllib.parse import urlencode

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db.models import DecimalField, Value
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from flights import versions
from flights.models import TableVersion
from flights.query.query import Query
from flights.query.sql_functions import Percent
from flights.tables import by_name
from tests.graphql import data, post, refused
from tests.platform import Platform, Site

CITIES, FLIGHTS = "busiest_airports_by_delays", "flight_delay_data"
RATIO = "percent_Total_Arrivals_of_Total_Departures"
LATE = "share_Arrival_Delay_Minutes_gte_30"


def groups(site: Site, table: str, **params: str) -> list[dict[str, Any]]:
    response = site.get(f"/api/{table}/?{urlencode(params)}")
    assert response.status == 200, response.body
    rows: list[dict[str, Any]] = response.json()["results"]
    return rows


@pytest.fixture(scope="module")
def warehouse(site: Site) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published rows in another engine."""
    with duckdb.connect() as own:
        for table in (CITIES, FLIGHTS):
            rows = pq.read_table(io.BytesIO(site.get(f"/api/{table}/?format=parquet").body))
            own.register("exported", rows)
            own.execute(f"CREATE TABLE {table} AS FROM exported")
        yield own


def test_percent_is_a_ratio_of_sums(site: Site, warehouse: duckdb.DuckDBPyConnection) -> None:
    (row,) = groups(site, CITIES, aggregate="percent:Total_Arrivals/Total_Departures")
    sums = f"SELECT sum(Total_Arrivals), sum(Total_Departures) FROM {CITIES}"
    ((part, whole),) = warehouse.execute(sums).fetchall()
    assert row == {RATIO: rounded(part, whole)}
    assert row[RATIO] > 90


def rounded(part: int | Decimal, whole: int | Decimal) -> float:
    """A percentage with two decimals, half away from zero."""
    ratio = Decimal(100) * Decimal(part) / Decimal(whole)
    return float(ratio.quantize(Decimal("0.01"), ROUND_HALF_UP))


def computed(part: int | None, whole: int) -> float | None:
    numbers = [Value(n, output_field=DecimalField()) for n in (part, whole)]
    percents = TableVersion.objects.annotate(percent=Percent(*numbers))
    return percents.values_list("percent", flat=True)[0]


@settings(max_examples=200, deadline=None)
@given(st.integers(-(10**18), 10**18), st.integers(-(10**9), 10**9), st.integers(0, 3))
def test_percentages_are_exact_and_round_half_away_from_zero(
    demo: Platform, part: int, whole: int, zeros: int
) -> None:
    whole = whole * 10**zeros  # such wholes have ties
    assert computed(part, whole) == (rounded(part, whole) if whole else None)


@pytest.mark.parametrize(
    ("part", "whole", "percent"),
    [
        *((1, 8, 12.5), (1, 800, 0.13), (-1, 800, -0.13), (1, -800, -0.13), (-1, -800, 0.13)),
        *((3, 2_000_000, 0.0), (0, 5, 0.0), (5, 0, None), (0, 0, None), (None, 5, None)),
    ],
)
def test_a_tie_is_rounded_away_from_zero(
    demo: Platform, part: int | None, whole: int, percent: float | None
) -> None:
    assert computed(part, whole) == percent


def test_a_row_that_lacks_one_of_the_columns_counts_in_neither_sum(
    site: Site, warehouse: duckdb.DuckDBPyConnection
) -> None:
    ratio = "percent:Arrival_Delay_Minutes/Departure_Delay_Minutes"
    (row,) = groups(site, FLIGHTS, aggregate=ratio)
    a, b = "Arrival_Delay_Minutes", "Departure_Delay_Minutes"
    both = f"SELECT sum({a}), sum({b}) FROM {FLIGHTS} WHERE {a} IS NOT NULL AND {b} IS NOT NULL"
    ((part, whole),) = warehouse.execute(both).fetchall()
    assert list(row.values()) == [rounded(part, whole)]
    ((other,),) = warehouse.execute(f"SELECT sum({b}) FROM {FLIGHTS}").fetchall()
    assert rounded(part, other) != rounded(part, whole)


def test_a_share_counts_all_rows_of_its_group(
    site: Site, warehouse: duckdb.DuckDBPyConnection
) -> None:
    rows = groups(
        site,
        FLIGHTS,
        group_by="Airline_Name",
        aggregate="count,share:Arrival_Delay_Minutes__gte:30",
    )
    late = "count(*) FILTER (WHERE Arrival_Delay_Minutes >= 30)"
    expected = warehouse.execute(
        f"SELECT Airline_Name, count(*), {late} FROM {FLIGHTS} GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert sorted(map(tuple, (row.values() for row in rows))) == [
        (airline, flights, rounded(late, flights)) for airline, flights, late in expected
    ]


@pytest.mark.parametrize("nothing", ["Airline_Name=none", "Arrival_Delay_Minutes__in="])
def test_a_percentage_of_no_rows_is_null(site: Site, nothing: str) -> None:
    name, _, value = nothing.partition("=")
    aggregates = "share:Airline_Name:x,percent:Arrival_Delay_Minutes/Departure_Delay_Minutes,"
    aggregates += "disc90:Arrival_Delay_Minutes"
    (row,) = groups(site, FLIGHTS, aggregate=aggregates, **{name: value})
    assert list(row.values()) == [None, None, None]


@pytest.mark.parametrize(
    ("condition", "name", "where"),
    [
        ("Airline_Name:Delta Air Lines Inc.", "Airline_Name_Delta_Air_Lines_Inc",
         "Airline_Name = 'Delta Air Lines Inc.'"),
        ('Origin_City__exact:"New York, NY"', "Origin_City_exact_New_York_NY",
         "Origin_City = 'New York, NY'"),
        ('Destination_City__in:"Chicago, IL","Boston, MA"',
         "Destination_City_in_Chicago_IL_Boston_MA",
         "Destination_City IN ('Chicago, IL', 'Boston, MA')"),
        ("destination_city__ISTARTSWITH:san", "Destination_City_istartswith_san",
         "Destination_City ILIKE 'san%'"),
        ('Origin_City__not_contains:","', "Origin_City_not_contains", "false"),
        ("Origin_City__startswith:New ", "Origin_City_startswith_New", "Origin_City LIKE 'New %'"),
        ("Origin_City__isnull:false ", "Origin_City_isnull_false", "Origin_City IS NOT NULL"),
        ("Arrival_Delay_Minutes__gte:30 ", "Arrival_Delay_Minutes_gte_30",
         "Arrival_Delay_Minutes >= 30"),
        ("Arrival_Delay_Minutes__lt:-15", "Arrival_Delay_Minutes_lt_minus_15",
         "Arrival_Delay_Minutes < -15"),
        ("Arrival_Delay_Minutes__isnull:true", "Arrival_Delay_Minutes_isnull_true",
         "Arrival_Delay_Minutes IS NULL"),
        ("Arrival_Delay_Minutes__not_gte:30", "Arrival_Delay_Minutes_not_gte_30",
         "(Arrival_Delay_Minutes >= 30) IS NOT TRUE"),
        (f"Arrival_Delay_Minutes__gt:{10**30}", f"Arrival_Delay_Minutes_gt_{10**30}"[:57], "false"),
        ("Flight_Date__gte:2013-07-01", "Flight_Date_gte_2013_07_01",
         "Flight_Date >= DATE '2013-07-01'"),
    ],
)  # fmt: skip
def test_a_share_has_every_operator_and_a_plain_name(
    site: Site, warehouse: duckdb.DuckDBPyConnection, condition: str, name: str, where: str
) -> None:
    aggregates = f"count, share:{condition}, max:Flight_Date"
    (row,) = groups(site, FLIGHTS, aggregate=aggregates, having=f"share_{name}__gte:0")
    sums = f"SELECT count(*) FILTER (WHERE {where}), count(*) FROM {FLIGHTS}"
    ((part, whole),) = warehouse.execute(sums).fetchall()
    assert row == {
        "count": whole,
        f"share_{name}": rounded(part, whole),
        "max_Flight_Date": "2013-12-31",
    }


def test_a_discrete_percentile_is_a_value_of_the_column(
    site: Site, warehouse: duckdb.DuckDBPyConnection
) -> None:
    percents = [1, 7, 28, 50, 55, 57, 90, 99]
    aggregates = ",".join(f"disc{percent}:Arrival_Delay_Minutes" for percent in percents)
    for limit in ("Arrival_Delay_Minutes__lt=-55", "Arrival_Delay_Minutes__gt=500", "limit=1"):
        name, _, value = limit.partition("=")
        (row,) = groups(site, FLIGHTS, aggregate=aggregates, **{name: value})
        where = {"lt": f"< {value}", "gt": f"> {value}"}.get(name[-2:], "IS NOT NULL")
        delays = sorted(
            delay for (delay,) in warehouse.execute(
                f"SELECT Arrival_Delay_Minutes FROM {FLIGHTS} WHERE Arrival_Delay_Minutes {where}"
            ).fetchall()
        )  # fmt: skip
        assert row == {
            f"disc{percent}_Arrival_Delay_Minutes": delays[-(-percent * len(delays) // 100) - 1]
            for percent in percents
        }


def test_a_discrete_percentile_counts_without_rounding(site: Site) -> None:
    """In floats 0.07 * 100 is more than 7: the 8th of 100 cities would be wrong."""
    cities = groups(site, CITIES, columns="City,Total_Arrivals", order_by="Total_Arrivals,City")
    assert len(cities) >= 100
    some = groups(
        site, CITIES, aggregate="count,disc7:Total_Arrivals,p7:Total_Arrivals",
        Total_Arrivals__lte=str(cities[99]["Total_Arrivals"]),
    )  # fmt: skip
    assert some[0]["count"] == 100
    assert some[0]["disc7_Total_Arrivals"] == cities[6]["Total_Arrivals"]


def test_months_and_years_group_dates(site: Site, warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = groups(
        site, FLIGHTS, group_by="month:Flight_Date,Origin_City", aggregate="count",
        order_by="-month_Flight_Date,Origin_City", having="month_Flight_Date__gte:2013-06-01",
        limit="5",
    )  # fmt: skip
    expected = warehouse.execute(
        f"SELECT date_trunc('month', Flight_Date)::date, Origin_City, count(*) FROM {FLIGHTS}"
        " WHERE Flight_Date >= DATE '2013-06-01' GROUP BY ALL ORDER BY 1 DESC, 2 LIMIT 5"
    ).fetchall()
    assert list(rows[0]) == ["month_Flight_Date", "Origin_City", "count"]
    assert [tuple(row.values()) for row in rows] == [(str(d), c, n) for d, c, n in expected]
    years = groups(site, FLIGHTS, group_by="year:flight_date,Year:Flight_Date")
    assert years == [{"year_Flight_Date": "2013-01-01", "count": 336_776}]


def test_groups_of_months_are_paged_and_counted(site: Site) -> None:
    path = f"/api/{FLIGHTS}/?group_by=month:Flight_Date&aggregate=count&limit=5&count=exact"
    rows, link = [], path
    while link:
        response = site.get(link)
        assert response.headers["x-airsense-count"] == "12"
        rows += response.json()["results"]
        following = response.json()["next"]
        link = following and f"/api/{FLIGHTS}/{following}"
    assert [row["month_Flight_Date"] for row in rows] == [f"2013-{m:02}-01" for m in range(1, 13)]


def test_a_version_without_a_column_has_no_figures_of_it(demo: Platform) -> None:
    model = by_name(FLIGHTS)
    version = versions.current(model)
    missing = ("Flight_Date", "Arrival_Delay_Minutes")
    version.columns = [name for name in version.columns if name not in missing]
    params = {
        "group_by": "month:Flight_Date,Airline_Name",
        "aggregate": "share:Arrival_Delay_Minutes__gte:30,disc50:Arrival_Delay_Minutes,"
        "percent:Arrival_Delay_Minutes/Departure_Delay_Minutes",
        "columns": f"month_Flight_Date,{LATE},disc50_Arrival_Delay_Minutes,"
        "percent_Arrival_Delay_Minutes_of_Departure_Delay_Minutes",
    }
    rows = Query.read(model, params).page(version).rows
    assert [list(row.values()) for row in rows] == [[None, None, None, None]] * 16


# The same query on every surface.
PARAMS = {
    "group_by": "month:Flight_Date,Origin_City",
    "aggregate": (
        "count,share:Arrival_Delay_Minutes__gte:30,disc90:Arrival_Delay_Minutes,"
        'share:Destination_City:"Chicago, IL",'
        "percent:Arrival_Delay_Minutes/Departure_Delay_Minutes"
    ),
    "having": f"{LATE}__gte:14,month_Flight_Date__lt:2013-10-01",
    "order_by": f"-{LATE},month_Flight_Date",
}
NAMES = [
    *("month_Flight_Date", "Origin_City", "count", LATE, "disc90_Arrival_Delay_Minutes"),
    "share_Destination_City_Chicago_IL",
    "percent_Arrival_Delay_Minutes_of_Departure_Delay_Minutes",
]


@pytest.fixture(scope="module")
def expected(site: Site) -> list[list[Any]]:
    rows = groups(site, FLIGHTS, **PARAMS)
    assert list(rows[0]) == NAMES
    assert len(rows) > 3
    assert rows == sorted(rows, key=lambda row: -row[LATE])
    assert rows[-1][LATE] >= 14
    return [list(row.values()) for row in rows]


def test_the_first_airsense_api_groups_in_the_same_way(
    site: Site, expected: list[list[Any]]
) -> None:
    rows = site.get(f"/api/dynamic_query?table_name={FLIGHTS}&{urlencode(PARAMS)}").json()
    assert [list(row.values()) for row in rows] == expected


def plain(rows: list[Any]) -> list[list[Any]]:
    """Rows with days as texts, as JSON has them."""
    return [
        [str(v)[:10] if isinstance(v, date | datetime) else v for v in list(row)] for row in rows
    ]


def test_files_have_the_same_groups(site: Site, expected: list[list[Any]]) -> None:
    def file(format_: str) -> bytes:
        response = site.get(f"/api/{FLIGHTS}/?{urlencode(PARAMS)}&format={format_}")
        assert response.status == 200, response.body
        assert response.headers["x-airsense-rows"] == str(len(expected))
        return response.body

    lines = list(csv.reader(io.StringIO(file("csv").decode())))
    assert lines[0] == NAMES
    assert [[date, city, *map(float, rest)] for date, city, *rest in lines[1:]] == expected
    objects = [json.loads(line) for line in file("ndjson").splitlines()]
    assert [list(row.values()) for row in objects] == expected
    sheet = load_workbook(io.BytesIO(file("xlsx"))).worksheets[0].iter_rows(values_only=True)
    assert plain(list(sheet)) == [NAMES, *expected]
    for table in (
        pq.read_table(io.BytesIO(file("parquet"))),
        pa.ipc.open_stream(file("arrow")).read_all(),
    ):
        assert plain([row.values() for row in table.to_pylist()]) == expected
        types = [pa.date32(), pa.string(), pa.int64(), pa.float64(), pa.int32()]
        assert table.schema.types == [*types, pa.float64(), pa.float64()]


def test_graphql_has_the_same_groups(site: Site, expected: list[list[Any]]) -> None:
    query = """query ($having: String, $order: String) {
      flight_delay_data_groups(having: $having, order_by: $order) { rows {
        by { month_Flight_Date Origin_City } count
        late: share(of: "Arrival_Delay_Minutes__gte:30")
        percentile_disc(p: 90) { Arrival_Delay_Minutes }
        chicago: share(of: "Destination_City:\\"Chicago, IL\\"")
        percent(of: "Arrival_Delay_Minutes/Departure_Delay_Minutes") } } }"""
    response = post(site, query, having=PARAMS["having"], order=PARAMS["order_by"])
    rows = data(response)["flight_delay_data_groups"]["rows"]
    flat = [
        [
            *(*row["by"].values(), row["count"], row["late"], *row["percentile_disc"].values()),
            *(row["chicago"], row["percent"]),
        ]
        for row in rows
    ]
    assert flat == expected


def test_the_explorer_shows_the_same_groups(site: Site, expected: list[list[Any]]) -> None:
    page = site.get(f"/explorer?table={FLIGHTS}&{urlencode(PARAMS)}")
    assert page.status == 200, page.body
    text = unescape(page.body.decode())
    for title in NAMES:
        assert title.replace("_", " ") in text
    assert f"Groups 1 to {len(expected)} of {len(expected)}" in text
    assert expected[0][0] in text
    chart = {"view": "chart", "chart": f"month_Flight_Date,{LATE}"}
    drawn = site.get(f"/explorer?table={FLIGHTS}&{urlencode({**PARAMS, **chart})}")
    assert drawn.status == 200, drawn.body
    assert "share Arrival Delay Minutes gte 30 by month Flight Date" in drawn.body.decode()


@pytest.mark.parametrize(
    ("params", "says", "allowed"),
    [
        ("aggregate=percent:Arrival_Delay_Minutes", "slash", "Departure_Delay_Minutes"),
        ("aggregate=percent:/Arrival_Delay_Minutes", "slash", "Departure_Delay_Minutes"),
        ("aggregate=percent", "slash", "Departure_Delay_Minutes"),
        ("aggregate=percent:Nope/Arrival_Delay_Minutes", "'Nope'", "Airline_Name"),
        ("aggregate=percent:Airline_Name/Arrival_Delay_Minutes", "column of numbers",
         "Arrival_Delay_Minutes"),
        ("aggregate=percent:Arrival_Delay_Minutes/Arrival_Delay_Minutes/1", "no column",
         "Arrival_Delay_Minutes"),
        ("aggregate=share", "needs a condition", "Airline_Name"),
        ("aggregate=share:Arrival_Delay_Minutes__gte", "needs a condition", "Airline_Name"),
        ("aggregate=share:Nope:1", "'Nope'", "Airline_Name"),
        ("aggregate=share:Arrival_Delay_Minutes__near:1", "no operator 'near'", "gte"),
        ("aggregate=share:Arrival_Delay_Minutes__contains:1", "no operator", "gte"),
        ("aggregate=share:Arrival_Delay_Minutes__gte:late", "not a whole number", ""),
        ("aggregate=share:Flight_Date:2013-02-30", "not a date", ""),
        ('aggregate=share:Origin_City:"New York, NY', "double quotes", ""),
        ('aggregate=share:Origin_City:"New York", NY', "unknown function 'NY'", "share:"),
        ("aggregate=share:Origin_City:New York, NY", "unknown function 'NY'", "share:"),
        ('aggregate=share:Origin_City:"a"b"', "unknown function", "share:"),
        ('aggregate=share:Origin_City:a-b,share:Origin_City:"a,b"', "two values", ""),
        ("aggregate=share:Origin_City:boston,share:Origin_City:Boston", "two values", ""),
        ("aggregate=disc0:Arrival_Delay_Minutes", "unknown function", "disc1 to disc99"),
        ("aggregate=disc100:Arrival_Delay_Minutes", "unknown function", "disc1 to disc99"),
        ("aggregate=p1१:Arrival_Delay_Minutes", "unknown function", "p1 to p99"),
        ("aggregate=disc1१:Arrival_Delay_Minutes", "unknown function", "disc1 to disc99"),
        ("or१=Airline_Name:x", "no column", "Airline_Name"),
        ("aggregate=disc90:Airline_Name", "column of numbers", "Arrival_Delay_Minutes"),
        ("group_by=week:Flight_Date", "'week' is unknown", "month:column"),
        ("group_by=month:Airline_Name", "dates or times", "Flight_Date"),
        ("group_by=month:", "''", "Flight_Date"),
        ("group_by=month:Flight_Date&having=Flight_Date:2013-01-01", "'Flight_Date'", "month_"),
        ("group_by=month:Flight_Date&having=month_Flight_Date:May", "not a date", ""),
        ("group_by=month:Flight_Date&order_by=Flight_Date", "'Flight_Date'", "month_"),
    ],
)  # fmt: skip
def test_an_invalid_group_is_refused_with_the_allowed_values(
    site: Site, params: str, says: str, allowed: str
) -> None:
    query = urlencode(dict(pair.split("=", 1) for pair in params.split("&")))
    response = site.get(f"/api/{FLIGHTS}/?{query}")
    assert response.status == 400, response.body
    problem = response.json()
    assert says in problem["detail"]
    assert allowed in " ".join(problem.get("allowed", ())), problem
    page = site.get(f"/explorer?table={FLIGHTS}&{query}", Accept="text/html")
    assert page.status == 400
    assert says in unescape(page.body.decode())


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ('share(of: "Arrival_Delay_Minutes__gte:1,count")', "not one value"),
        ('share(of: "Origin_City:New York, NY")', "double quotes"),
        ('percent(of: "Arrival_Delay_Minutes/Departure_Delay_Minutes,count")', "double quotes"),
        ('percent(of: "Arrival_Delay_Minutes")', "slash"),
        ("percentile_disc(p: 100) { Arrival_Delay_Minutes }", "unknown function"),
    ],
)
def test_graphql_refuses_invalid_groups_too(site: Site, field: str, says: str) -> None:
    assert says in refused(post(site, f"{{ flight_delay_data_groups {{ rows {{ {field} }} }} }}"))


def test_equal_values_are_computed_once(site: Site) -> None:
    late = "share:Arrival_Delay_Minutes__gte:30,Share:arrival_delay_minutes__GTE:30"
    (row,) = groups(site, FLIGHTS, aggregate=f"{late},count,COUNT")
    assert list(row) == [LATE, "count"]
    query = """{ flight_delay_data_groups { rows {
      a: share(of: "Flight_Date__isnull:true") b: share(of: "flight_date__isnull:True") } } }"""
    both = data(post(site, query))["flight_delay_data_groups"]["rows"]
    assert both == [{"a": 0.0, "b": 0.0}]


def test_a_long_name_is_cut_and_works(site: Site) -> None:
    city = "Destination_City__in:" + ",".join(f'"{name}, XX"' for name in ("San Juan",) * 9)
    (row,) = groups(site, FLIGHTS, aggregate=f"share:{city}")
    (name,) = row
    assert len(name) <= 63
    response = site.get(f"/api/{FLIGHTS}/?{urlencode({'aggregate': f'share:{city}'})}&format=csv")
    assert response.body.decode().splitlines() == [name, "0"]
