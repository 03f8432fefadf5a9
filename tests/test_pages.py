"""The web pages: they match the data and display exactly what their address requests."""

import re
from collections.abc import Iterable
from html import escape, unescape
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import duckdb
import pytest
from django.conf import settings
from django.db import connections
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from tests.expected_tables import rounded
from tests.platform import Platform, Site
from transfers import demo

STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' OR 1=1 --",
    "100%",
    "%s",
    "{{ 7|add:7 }}",
    "\x00",
    "९" * 30,
]
VIEWS = [
    "table=airline_performance",
    "table=flight_delay_data&Arrival_Delay_Minutes__isnull=true&limit=5&offset=3",
    "table=flight_delay_data&Flight_Date__gte=2013-12-31&order_by=-Arrival_Delay_Minutes",
    "table=busiest_airports_by_delays&City__icontains=san&columns=Total_Arrivals,City&LIMIT=3",
    "table=busiest_airports_by_delays&City__in=%22Chicago, IL%22,%22Boston, MA%22",
    "table=delays_by_day&view=chart",
    "table=delays_by_day&view=chart&chart=day_of_week,total_flights&order_by=-Total_Flights",
]
REFUSED = [
    "Total_Flights__gte=many",
    "Total_Flights__like=4",
    "Nothing=1",
    "order_by=Nothing",
    "columns=Airline_Name,Nothing",
    "limit=-1",
    "offset=x",
    "Total_Flights=1&Total_Flights=2",
    "self=1",
]


def test_the_home_page_matches_the_raw_records(site: Site) -> None:
    text = _text(site, "/")
    assert "Flights from New York, 2013" in text
    assert "336,776 Flights" in text
    assert "1 Jan – 31 Dec 2013 Period" in text  # noqa: RUF001
    airlines, days = _averages('"Airline Name"'), _averages('dayname("Flight Date")')
    assert f"{len(airlines)} Airlines" in text
    ranked = {name: airline for name, airline in airlines.items() if airline.flights >= 1_000}
    assert len(ranked) < len(airlines)
    best, worst = _least(ranked), _most(ranked)
    assert (
        f"Flights of {best} land {ranked[best].average:.2f} minutes late on average"
        f" ({ranked[best].flights:,} flights), the best of {len(ranked)} airlines with at least"
        f" 1,000 flights; those of {worst} land {ranked[worst].average:.2f} minutes late"
        f" ({ranked[worst].flights:,} flights), the worst."
    ) in text
    worst = _most(days)
    assert (
        f"On {worst} flights land {days[worst].average:.2f} minutes late on average"
        f" ({days[worst].flights:,} flights)"
    ) in text


@pytest.mark.parametrize(
    ("city", "what", "place", "cities"),
    [
        ("Origin City", "departure", "from", "cities of origin"),
        ("Destination City", "arrival", "in", "destinations"),
    ],
)
def test_home_ranks_origins_and_destinations_each_by_their_own_late_flights(
    site: Site, city: str, what: str, place: str, cities: str
) -> None:
    delay = f"{what.title()} Delay Minutes"
    every = _averages(f'"{city}"', delay, _records().filter(f'"{delay}" > 0'))
    ranked = {name: average for name, average in every.items() if average.flights >= 1_000}
    worst = _most(ranked)
    assert (
        f"Late {what}s {place} {worst} are {ranked[worst].average:.2f} minutes late on average"
        f" ({ranked[worst].flights:,} late {what}s), the longest delay of {len(ranked)} {cities}"
        f" with at least 1,000 late {what}s."
    ) in _text(site, "/")


def test_home_shows_the_number_of_flights_beside_every_bar(site: Site) -> None:
    body = _body(site, "/")
    charts = re.findall(r"<ol class.*?</ol>", body, re.S)
    counts = [re.findall(r'class="flights">([\d,]+)<', chart) for chart in charts]
    assert [len(bars) for bars in counts] == [len(_bars(chart)) for chart in charts]
    assert min(int(n.replace(",", "")) for bars in counts for n in bars) >= 1_000
    origins = _averages(
        '"Origin City"',
        "Departure Delay Minutes",
        _records().filter('"Departure Delay Minutes" > 0'),
    )
    assert sorted(_bars(charts[1])) == sorted(
        [city, f"{origin.average:.2f}"] for city, origin in origins.items()
    )


def test_each_chart_leads_to_a_view_of_the_same(site: Site) -> None:
    body = _body(site, "/")
    links = re.findall(r'class="more"><a href="([^"]+)"', body)
    charts = [sorted(_bars(chart)) for chart in re.findall(r"<ol class.*?</ol>", body, re.S)]
    assert list(map(len, charts)) == [11, 2, 10, 7]
    for link, bars in zip(links, charts, strict=True):
        assert sorted(_bars(_body(site, unescape(link)))) == bars


@pytest.mark.parametrize("view", VIEWS)
def test_the_explorer_shows_the_rows_of_the_address_that_it_shows(site: Site, view: str) -> None:
    body = _body(site, f"/explorer?{view.replace(' ', '%20')}")
    (address,) = re.findall(r'id="api" href="([^"]+)"', body)
    rows = site.get(unescape(address)).json()["results"]
    assert rows
    assert _displayed_rows(body) == [[_displayed(value) for value in row.values()] for row in rows]


def test_every_row_of_a_view_can_be_downloaded_as_csv(site: Site) -> None:
    body = _body(site, "/explorer?table=flight_delay_data&Origin_City=Newark,%20NJ&limit=2")
    (address,) = re.findall(r'href="([^"]+)" aria-label="All rows as CSV"', body)
    assert len(site.get(unescape(address)).body.splitlines()) == 1 + 120_835


def test_a_submitted_form_becomes_an_address(site: Site) -> None:
    body = _body(
        site,
        "/explorer?form=1&table=busiest_airports_by_delays&view=table&City:operator=istartswith"
        "&City:text=San&Total_Arrivals__gte=1000&Total_Arrivals__lte=&City__endswith=CA"
        "&column=City&column=Total_Arrivals&order_by=-Total_Arrivals&limit=50",
    )
    (address,) = re.findall(r'id="api" href="([^"]+)"', body)
    assert unescape(address) == (
        "/api/busiest_airports_by_delays/?Total_Arrivals__gte=1000&City__endswith=CA&order_by=-Total_Arrivals"
        "&City__istartswith=San&columns=City,Total_Arrivals&limit=50"
    )


@pytest.mark.parametrize("query", REFUSED)
def test_the_explorer_refuses_an_invalid_query_with_the_message_of_the_api(
    site: Site, query: str
) -> None:
    refused = site.get(f"/api/airline_performance/?{query}")
    page = site.get(f"/explorer?table=airline_performance&{query}", Accept="text/html")
    assert page.status == refused.status == 400
    assert f'role="alert">\n    <p><b>{escape(refused.json()["detail"])}' in page.body.decode()


@pytest.mark.parametrize("query", ["view=map", "view=chart&chart=City,City", "view=chart&chart=x"])
def test_an_unknown_view_is_refused_with_the_available_views(site: Site, query: str) -> None:
    page = site.get(f"/explorer?{query}")
    assert page.status == 400
    assert "Use one of: <code>" in page.body.decode()


def test_an_unknown_table_is_not_found(site: Site) -> None:
    page = site.get("/explorer?table=nothing")
    assert page.status == 404
    assert "There are: airline_performance" in page.body.decode()


@pytest.mark.parametrize("value", HOSTILE)
def test_text_from_an_address_is_escaped(site: Site, value: str) -> None:
    quoted = quote(value)
    for path in (
        f"/explorer?table={quoted}",
        f"/explorer?Airline_Name={quoted}",
        f"/explorer?Airline_Name__in={quoted}&Total_Flights={quoted}",
        f"/explorer?{quoted}={quoted}",
        f"/explorer?order_by={quoted}&columns={quoted}&limit={quoted}&offset={quoted}",
        f"/explorer?view={quoted}&chart={quoted}",
        f"/explorer?form=1&Airline_Name:operator={quoted}&Airline_Name:text={quoted}&column={quoted}",
        f"/api/airline_performance/?Airline_Name={quoted}",
        f"/api/airline_performance/?{quoted}={quoted}",
        f"/{quoted}",
    ):
        page = site.get(path, Accept="text/html")
        assert page.status < 500, path
        assert "<script>alert" not in page.body.decode(), path
        assert "<img src=x" not in page.body.decode(), path


def test_before_the_first_transfer_pages_say_what_to_run(fresh: Platform) -> None:
    with fresh.site(processes=1) as site:
        assert "Nothing is published yet" in _body(site, "/")
        page = site.get("/explorer")
        assert page.status == 503
        assert page.headers["retry-after"] == "60"
        assert b"manage.py transfer --all" in page.body
        assert site.get("/about").status == 200


def test_unusual_data_are_displayed_and_escaped(fresh: Platform) -> None:
    fresh.env["FLIGHTS_TO_RANK"] = "1"
    evil = "<script>alert(1)</script>"
    fresh.ingest(
        f"2013-01-07,{evil},A,B,0,0\n2013-01-07,Beta,A,<b>,-1,5\n2013-01-07,Beta,A,B,-1,-5\n"
        '2013-01-07,"O\'Hara & ""Sons""",A,C,5,0\n2013-01-08,Gone,B,A,,'
    )
    fresh.manage("transfer", "--all")
    with fresh.site(processes=1) as site:
        body, text = _body(site, "/"), _text(site, "/")
        assert (
            f'Flights of {evil}, Beta and O\'Hara & "Sons" land on time on average (4 flights).'
            in text
        )
        assert "On Monday flights land on time on average (4 flights)." in text
        assert (
            "Late departures from A are 5.00 minutes late on average (1 late departure)"
            " with at least 1 late departure."
        ) in text
        assert "Late arrivals in <b> are 5.00 minutes late on average (1 late arrival)" in text
        assert "Flights from A and B, 2013" in text
        for page in (body, _body(site, "/explorer"), _body(site, "/explorer?view=chart")):
            assert evil not in page
            assert escape(evil) in page
        assert '<span class="none" title="no value">–</span>' in _body(site, "/explorer")  # noqa: RUF001


def test_nothing_is_ranked_by_few_flights(fresh: Platform) -> None:
    flights = [
        f"2013-01-0{1 + n // 40},{'Many' if n < 99 else 'Few'},{'ABCDE'[n % 5]},Z,60,60"
        for n in range(100)
    ]
    fresh.ingest("\n".join(flights))
    fresh.manage("transfer", "--all")
    with fresh.site(processes=1) as site:
        text = _text(site, "/")
        assert "Flights from 5 cities, 2013" in text
        assert "in the explorer" not in text
    fresh.env["FLIGHTS_TO_RANK"] = "99"
    with fresh.site(processes=1) as site:
        text = _text(site, "/")
        assert "Flights of Many land 60.00 minutes late on average (99 flights)." in text
        assert "Few" not in text
        assert "Late departures from" not in text
        assert "Late arrivals in Z are 60.00 minutes late on average (100 late arrivals)" in text


def test_a_browser_gets_errors_as_a_page_and_a_program_as_json(site: Site) -> None:
    browser = site.get("/nothing", Accept="text/html,application/xml;q=0.9,*/*;q=0.8")
    assert browser.status == 404
    assert "<h1>There is nothing at /nothing.</h1>" in browser.body.decode()
    nothing = site.get("/nothing", Accept="*/*").json()
    assert nothing["detail"] == "There is nothing at /nothing."


@pytest.mark.parametrize("path", ["/", "/explorer", "/about", "/api/", "/nothing"])
def test_a_page_may_load_files_of_its_own_site_only(site: Site, path: str) -> None:
    policy = site.get(path, Accept="text/html").headers["content-security-policy"]
    assert sorted(policy.split("; ")) == sorted(STRICT.split("; "))


def test_only_the_admin_has_a_relaxed_content_security_policy(site: Site) -> None:
    policy = site.get("/admin/login/").headers["content-security-policy"]
    assert "'unsafe-eval'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in site.get("/administration").headers["content-security-policy"]


@pytest.mark.parametrize(
    ("path", "queries"), [("/", 8), ("/about", 1), ("/explorer?table=flight_delay_data", 6)]
)
def test_a_page_runs_few_sql_queries(demo: Platform, path: str, queries: int) -> None:
    """Does not count the queries for published versions, four per second and table."""
    with CaptureQueriesContext(connections["reader"]) as captured:
        view = resolve(urlsplit(path).path).func
        assert view(RequestFactory().get(path)).status_code == 200
    table_queries = [query for query in captured if "flights_publishedtable" not in query["sql"]]
    assert len(table_queries) <= queries


def _body(site: Site, path: str) -> str:
    page = site.get(path)
    assert page.status == 200, page.body
    return page.body.decode()


def _text(site: Site, path: str) -> str:
    """The text of a page, with each value before its label as displayed."""
    body = re.sub(r"<dt>(.*?)</dt><dd>(.*?)</dd>", r"\2 \1", _body(site, path))
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", "", body)))


def _displayed_rows(body: str) -> list[list[str]]:
    """The cells of each row of the table, or label and value of each bar."""
    rows = re.findall(r"<tr>(<td.*?)</tr>", body)
    return [_words(re.findall("<td.*?</td>", row)) for row in rows] or _bars(body)


def _bars(body: str) -> list[list[str]]:
    matches = re.findall(
        r'<li>\s*<span class="label">(.*?)</span>\s*(?:<span class="plot">)?<svg.*?</svg>'
        r'.*?<span class="value">(.*?)</span>',
        body,
        re.S,
    )
    return [_words(bar) for bar in matches]


def _words(parts: Iterable[str]) -> list[str]:
    return [unescape(re.sub("<[^>]*>", "", part)) for part in parts]


def _displayed(value: object) -> str:
    if value is None:
        return "–"  # noqa: RUF001
    if isinstance(value, str):
        return value
    number = f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"
    return number.replace("-", "−")  # noqa: RUF001


def _records() -> duckdb.DuckDBPyRelation:
    return duckdb.read_parquet(str(settings.HOME / "demo" / demo.NAME))


class Average(NamedTuple):
    average: float
    flights: int


def _averages(
    by: str,
    delay: str = "Arrival Delay Minutes",
    records: duckdb.DuckDBPyRelation | None = None,
) -> dict[str, Average]:
    """The average delay of each group, and its flights."""
    sums = f'{by}, sum("{delay}"), count("{delay}"), count(*)'
    rows = (records or _records()).aggregate(sums, by).fetchall()
    return {
        name: Average(rounded(total, count) or 0.0, flights)
        for name, total, count, flights in rows
        if count
    }


def _least(averages: dict[str, Average]) -> str:
    return min(averages, key=lambda name: averages[name].average)


def _most(averages: dict[str, Average]) -> str:
    return max(averages, key=lambda name: averages[name].average)
