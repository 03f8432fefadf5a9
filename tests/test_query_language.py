"""Queries beyond filters: negation, alternatives, groups, cursors, counts, facets."""

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.platform import Platform, Site

AIRPORTS = "/api/busiest_airports_by_delays/"
FLIGHTS = "/api/flight_delay_data/"
DAYS = "/api/delays_by_day/"


def results(site: Site, path: str) -> list[dict[str, object]]:
    response = site.get(path)
    assert response.status == 200, response.body
    rows: list[dict[str, object]] = response.json()["results"]
    return rows


def walked(site: Site, path: str, link: str, way: str = "next") -> Iterator[dict[str, object]]:
    """Yield every row of all pages that follow a link."""
    step: str | None = link
    while step:
        page = site.get(path + step).json()
        yield from page["results"]
        step = page[way]


@pytest.mark.parametrize(
    ("negated", "excluded"),
    [
        ("Day_of_Week__not=Monday", {"Monday"}),
        ("Day_of_Week__not_in=Monday,Friday", {"Monday", "Friday"}),
        ("Day_of_Week__not_startswith=T", {"Tuesday", "Thursday"}),
        ("Day_of_Week__not_isnull=false", {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
                                           "Saturday", "Sunday"}),
    ],
)  # fmt: skip
def test_a_negated_filter_returns_all_other_rows(
    site: Site, negated: str, excluded: set[str]
) -> None:
    every = {row["Day_of_Week"] for row in results(site, DAYS)}
    assert {row["Day_of_Week"] for row in results(site, f"{DAYS}?{negated}")} == every - excluded


def test_a_negated_filter_returns_rows_without_a_value(site: Site) -> None:
    def count(condition: str) -> int:
        response = site.get(f"{FLIGHTS}?limit=1&count=exact&{condition}")
        return int(response.headers["x-airsense-count"])

    late = "Arrival_Delay_Minutes__gt=0"
    assert count(late) + count("Arrival_Delay_Minutes__not_gt=0") == 336_776
    assert count("Arrival_Delay_Minutes__not_gt=0") > count("Arrival_Delay_Minutes__lte=0")


def test_or_returns_rows_that_match_any_condition(site: Site) -> None:
    either = quote("Day_of_Week:Monday,Day_of_Week__startswith:T")
    days = {row["Day_of_Week"] for row in results(site, f"{DAYS}?or={either}")}
    assert days == {"Monday", "Tuesday", "Thursday"}
    both = f"{DAYS}?or={either}&or2={quote('Day_of_Week:Monday,Day_of_Week:Sunday')}"
    assert {row["Day_of_Week"] for row in results(site, both)} == {"Monday"}
    comma = quote("City:Chicago, IL,City__iexact:boston, ma")
    assert len(results(site, f"{AIRPORTS}?or={comma}")) == 2
    assert results(site, f"{AIRPORTS}?or={quote('City__endswith:MA ')}") == []
    assert len(site.get(f"/api/dynamic_query?table_name=delays_by_day&or={either}").json()) == 3


def test_empty_values_come_first_or_last_as_requested(site: Site) -> None:
    def first(order: str) -> object:
        path = f"{FLIGHTS}?columns=Arrival_Delay_Minutes&limit=1&order_by={order}"
        return results(site, path)[0]["Arrival_Delay_Minutes"]

    for name in ("Arrival_Delay_Minutes", "-Arrival_Delay_Minutes"):
        assert first(name) is not None
        assert first(f"{name}__nulls_first") is None
        assert first(f"{name}__nulls_last") == first(name)


def test_groups_equal_the_tables_that_the_broker_computes(site: Site) -> None:
    """The warehouse computed the same averages by its own SQL."""
    groups = results(
        site,
        f"{FLIGHTS}?group_by=Airline_Name&aggregate=count,avg:Arrival_Delay_Minutes"
        "&order_by=Airline_Name",
    )
    published = results(site, "/api/airline_performance/?order_by=Airline_Name")
    assert [(g["Airline_Name"], g["count"]) for g in groups] == [
        (row["Airline_Name"], row["Total_Flights"]) for row in published
    ]
    for group, row in zip(groups, published, strict=True):
        average = group["avg_Arrival_Delay_Minutes"]
        assert average == pytest.approx(row["Avg_Arrival_Delay"], abs=0.00501)


def test_groups_are_filtered_sorted_and_paged_by_aggregates(site: Site) -> None:
    path = (
        f"{FLIGHTS}?group_by=Origin_City,Destination_City&aggregate=count,max:Arrival_Delay_Minutes"
        "&having=count__gte:4000&order_by=-count&limit=5"
    )
    first = site.get(path).json()
    assert list(first["results"][0]) == [
        *("Origin_City", "Destination_City", "count", "max_Arrival_Delay_Minutes")
    ]
    rows = [*first["results"], *walked(site, FLIGHTS, first["next"])]
    counts = [row["count"] for row in rows]
    assert counts == sorted(counts, reverse=True)
    assert min(counts) >= 4000
    assert len(rows) == int(site.get(f"{path}&count=exact").headers["x-airsense-count"]) > 5


def test_rows_are_grouped_by_column_or_as_a_whole(site: Site) -> None:
    days = results(site, f"{DAYS}?group_by=Day_of_Week&columns=Day_of_Week")
    assert len(days) == 7
    whole = "min:Flight_Date,max:Flight_Date,count_distinct:Airline_Name"
    assert results(site, f"{FLIGHTS}?aggregate={whole}") == [
        {
            "min_Flight_Date": "2013-01-01",
            "max_Flight_Date": "2013-12-31",
            "count_distinct_Airline_Name": 16,
        }
    ]
    sums = "aggregate=count,sum:Arrival_Delay_Minutes"
    for nothing in ("Airline_Name=none", "Airline_Name__in=", f"Arrival_Delay_Minutes={2**31}"):
        none = results(site, f"{FLIGHTS}?{sums}&{nothing}")
        assert none == [{"count": 0, "sum_Arrival_Delay_Minutes": None}]
    assert results(site, f"{FLIGHTS}?{sums}&having=count__in:") == []


def test_the_median_lies_between_percentiles(site: Site) -> None:
    aggregates = ",".join(
        f"{f}:Total_Arrivals" for f in ("min", "p10", "median", "p50", "p90", "max")
    )
    (row,) = results(site, f"{AIRPORTS}?aggregate={aggregates}")
    least, tenth, median, half, ninetieth, most = row.values()
    assert least < tenth < median == half < ninetieth < most  # type: ignore[operator]


@pytest.mark.parametrize(
    "order",
    [
        "",
        "Airline_Name",
        "-Arrival_Delay_Minutes",
        "Arrival_Delay_Minutes__nulls_first,-Flight_Date",
        "Arrival_Delay_Minutes&Arrival_Delay_Minutes__gte=-90",
    ],
)
def test_a_cursor_walks_every_row_once_both_ways(site: Site, order: str) -> None:
    query = f"Origin_City={quote('Newark, NJ')}&Destination_City={quote('Phoenix, AZ')}"
    names = "columns=Flight_Date,Airline_Name,Arrival_Delay_Minutes"
    whole = results(site, f"{FLIGHTS}?{query}&{names}&order_by={order}&limit=10000")
    page = f"?{query}&{names}&order_by={order}&limit=700&cursor="
    assert list(walked(site, FLIGHTS, page)) == whole
    assert len(whole) > 2_000
    last, link = None, page
    while link:
        last = site.get(FLIGHTS + link).json()
        link = last["next"]
    assert last
    back = list(walked(site, FLIGHTS, last["previous"], "previous"))
    assert len(back) == len(whole) - len(last["results"])


def test_a_cursor_stays_with_its_version_until_that_is_pruned(fresh: Platform) -> None:
    fresh.env["VERSIONS_KEPT"] = "2"
    days = "\n".join(f"2013-01-0{day},Alpha,A,B,{day},{day}" for day in range(1, 8))
    fresh.ingest(days)
    fresh.manage("transfer", "flight_delay_data")
    with fresh.site(processes=1) as site:
        first = site.get(f"{FLIGHTS}?limit=3&cursor=").json()
        for number in range(2):
            fresh.ingest(f"2013-02-0{number + 1},Beta,A,B,1,1")
            fresh.manage("transfer", "flight_delay_data", "--despite-checks", "fewer flights")
            if number == 0:
                rest = list(walked(site, FLIGHTS, first["next"]))
                assert [row["Airline_Name"] for row in rest] == ["Alpha"] * 4
        gone = site.get(FLIGHTS + first["next"])
        assert gone.status == 410
        assert "cursor=" in gone.json()["detail"]


def test_a_count_states_whether_it_is_exact_or_estimated(site: Site) -> None:
    query = f"{FLIGHTS}?limit=1&Airline_Name={quote('Delta Air Lines Inc.')}"
    exact, estimated = (site.get(f"{query}&count={way}").headers for way in ("exact", "estimated"))
    assert exact["x-airsense-count"] == "48110"
    assert (exact["x-airsense-count-is"], estimated["x-airsense-count-is"]) == (
        *("exact", "estimated"),
    )
    assert 24_000 < int(estimated["x-airsense-count"]) < 96_000
    whole = site.get(f"{FLIGHTS}?limit=1&count=estimated")
    assert whole.headers["x-airsense-count"] == "336776"
    assert "x-airsense-count" not in site.get(f"{FLIGHTS}?limit=1").headers


def test_facets_count_the_values_of_the_rows_that_match(site: Site) -> None:
    delta = quote("Delta Air Lines Inc.")
    body = site.get(f"{FLIGHTS}?limit=1&facets=Origin_City&Airline_Name={delta}").json()
    facet = body["facets"]["Origin_City"]
    assert sum(value["rows"] for value in facet) == 48_110
    assert [value["rows"] for value in facet] == sorted((v["rows"] for v in facet), reverse=True)
    assert "facets" not in site.get(f"{FLIGHTS}?limit=1").json()


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("or=", 400, "conditions"),
        ("or=%20", 400, "conditions"),
        ("or=Nope:1", 400, "Airline_Name"),
        ("or=Arrival_Delay_Minutes:many", 400, "whole number"),
        ("Airline_Name__not_near=1", 400, "not_"),
        ("order_by=Airline_Name__nulls_middle", 400, "nulls_first"),
        ("group_by=Nope", 400, "Airline_Name"),
        ("aggregate=avg:Airline_Name", 400, "Arrival_Delay_Minutes"),
        ("aggregate=p0:Arrival_Delay_Minutes", 400, "p1 to p99"),
        ("aggregate=avg", 400, "p1 to p99"),
        ("having=count:1", 400, "group_by"),
        ("group_by=Airline_Name&having=Origin_City:x", 400, "count"),
        ("group_by=Airline_Name&having=count:x", 400, "whole number"),
        ("group_by=Airline_Name&cursor=", 400, "offset"),
        ("cursor=&offset=3", 400, "offset"),
        ("cursor=abc", 400, "Follow"),
        ("cursor=WzEsZmFsc2UsWyJcdTAwMDAiXV0", 400, "Follow"),
        ("cursor=WzEsIGZhbHNlLCBbMWU5OTldXQ", 400, "Follow"),
        ("cursor=WzksIGZhbHNlLCBbIjIwMTMtMDEtMDEiLCAxXV0", 410, "cursor="),
        ("cursor=" + quote("é" * 20), 400, "Follow"),
        ("count=about", 400, "estimated"),
        ("facets=Flight_Date", 400, "Origin_City"),
        ("facets=Origin_City&group_by=Airline_Name", 400, "cannot be combined with group_by"),
    ],
)
def test_an_invalid_query_is_refused_with_the_reason(
    site: Site, query: str, status: int, says: str
) -> None:
    response = site.get(f"{FLIGHTS}?limit=1&{query}")
    assert response.status == status, response.body
    assert says in response.body.decode()
    assert "SELECT" not in response.body.decode()
    json.loads(response.body)


def test_facets_are_refused_where_the_response_is_a_list(site: Site) -> None:
    response = site.get(
        "/api/dynamic_query?table_name=flight_delay_data&limit=1&facets=Origin_City"
    )
    assert response.status == 400
    assert "/api/flight_delay_data/" in response.json()["detail"]


def test_the_explorer_shows_groups_and_keeps_alternatives(site: Site) -> None:
    page = site.get(
        "/explorer?table=flight_delay_data&group_by=Airline_Name&aggregate=avg:Arrival_Delay_Minutes"
    )
    assert page.status == 200, page.body
    assert b"avg Arrival Delay Minutes" in page.body
    assert b'aria-label="All rows as Excel"' in page.body
    either = site.get("/explorer?table=delays_by_day&or=Day_of_Week:Monday&Day_of_Week__not=Sunday")
    assert either.status == 200
    assert b"not: is Sunday" in either.body
