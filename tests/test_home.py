"""The home page: its figures match the raw records, and each states its flights and its source."""

import csv
import io
import re
from html import unescape
from typing import NamedTuple

import duckdb
import pytest
import requests
from django.conf import settings

from flights.pages.home.same_routes import Flown, differences
from tests.platform import Platform, Site
from transfers import demo

HEADER = (
    "Flight_Date,Airline_Name,Airline_Code,Origin,Destination,Origin_City,Destination_City,"
    "Departure_Delay_Minutes,Arrival_Delay_Minutes"
)


class Group(NamedTuple):
    name: str
    flights: int
    percent: float

    def __str__(self) -> str:
        return f"{self.name} ({self.percent:.2f} % of {self.flights:,} flights)"


def test_the_headline_states_what_the_data_cover(site: Site) -> None:
    text = _text(site.get("/").body.decode())
    assert "Flights from New York, 2013" in text
    for figure in ("336,776 Flights", "16 Airlines", "107 Airports", "31 Dec 2013 Period"):
        assert figure in text


@pytest.mark.parametrize(
    ("figure", "by"),
    [
        ("months", "strftime(\"Flight Date\", '%B %Y')"),
        ("airlines", '"Airline Name"'),
        ("departing", "\"Origin City\" || ' (' || \"Origin\" || ')'"),
        ("arriving", "\"Destination City\" || ' (' || \"Destination\" || ')'"),
        ("hours", "split_part(\"Scheduled Departure\", ':', 1)::INT || ':00'"),
    ],
)
def test_a_figure_says_which_group_is_best_and_which_is_worst(
    site: Site, figure: str, by: str
) -> None:
    best, *_, worst = _on_time(by)
    text = _text(_figure(site, figure))
    if figure == "hours":  # 5:00 is written "5:00 to 5:59"
        text = re.sub(r"(\d+:00) to \d+:59", r"\1", text)
    assert f"On time most often: {best}. Least often: {worst}." in text


@pytest.mark.parametrize("name", ["months", "airlines", "same-routes", "arriving", "hours"])
def test_a_figure_has_its_flights_its_source_and_downloads(site: Site, name: str) -> None:
    body = _figure(site, name)
    assert re.search(
        r"[\d,]+ flights\. US Bureau of Transportation Statistics; \w+, version 1", body
    )
    assert re.search(r'data-value="[^"]+ (%|points), [\d,]+ flights"', unescape(body))
    rows = list(csv.reader(io.StringIO(site.get(f"/?figure={name}&format=csv").body.decode())))
    assert all(int(row[-1]) > 0 for row in rows[1:])
    assert site.get(f"/?figure={name}&format=svg").body.startswith(b"<svg")
    assert site.get(f"/?figure={name}&format=png").body.startswith(b"\x89PNG")
    (api,) = re.findall(r'<a href="(/api/[^"]+)"', body)
    assert site.get(unescape(api)).json()["results"]


def test_an_unknown_figure_or_format_names_those_that_exist(site: Site) -> None:
    page = site.get("/?figure=nothing")
    assert page.status == 400
    assert "is not a figure of this page" in unescape(page.body.decode())
    assert site.get("/?figure=months&format=gif").status == 400


def test_airlines_are_compared_on_the_routes_that_they_share() -> None:
    flown = [
        Flown(("A", "B"), "X", "X Air", 100, 90),
        Flown(("A", "B"), "Y", "Y Air", 300, 210),
        Flown(("A", "C"), "X", "X Air", 50, 10),  # alone on this route
        Flown(("B", "C"), "Y", "Y Air", 100, 50),
        Flown(("B", "C"), "Z", "Z Air", 100, 100),
    ]
    points = {row.code: (round(row.points, 6), row.flights) for row in differences(flown)}
    assert points == {"X": (20.0, 100), "Y": ((-20 * 300 - 50 * 100) / 400, 400), "Z": (50.0, 100)}


@pytest.mark.parametrize(
    ("query", "address"),
    [
        ("from=JFK&to=MCO", "/routes/JFK-MCO/"),
        ("from=jfk&to=Orlando&airline=JetBlue", "/routes/JFK-MCO/?airline=B6"),
        ("from=Newark&to=orlando&when=July", "/routes/EWR-MCO/?month=7"),
        ("from=EWR&to=MCO&when=Fridays&airline=b6", "/routes/EWR-MCO/?airline=B6&weekday=Friday"),
        ("from=EWR&to=MCO&when=2013-07-04", "/routes/EWR-MCO/?month=7&weekday=Thursday"),
        ("from=EWR&to=MCO&when=2013-07", "/routes/EWR-MCO/?month=7"),
    ],
)
def test_the_form_leads_to_the_page_of_the_route(site: Site, query: str, address: str) -> None:
    url = f"{site.url}/my-flight?{query}"
    response = requests.get(url, allow_redirects=False, timeout=30)
    assert (response.status_code, response.headers["Location"]) == (302, address)


def test_the_name_of_two_cities_offers_the_routes_to_both(site: Site) -> None:
    page = site.get("/my-flight?from=JFK&to=Portland")
    links = re.findall(r'<a href="(/routes/[^"]+)"', page.body.decode())
    assert sorted(links) == ["/routes/JFK-PDX/", "/routes/JFK-PWM/"]


def test_a_city_with_several_airports_offers_each_route_with_its_figure(site: Site) -> None:
    page = site.get("/my-flight?from=New+York&to=Chicago&when=Friday")
    links = re.findall(r'<a href="(/routes/[^"]+)"', page.body.decode())
    assert "/routes/EWR-MDW/?weekday=Friday" in links
    assert "/routes/LGA-ORD/?weekday=Friday" in links
    flights = r"([\d.]+) % of ([\d,]+) flights on Fridays arrived on time\."
    figures = re.findall(flights, _text(page.body.decode()))
    assert len(figures) == len(links)
    assert figures == sorted(figures, reverse=True)
    for link, (percent, count) in zip(links, figures, strict=True):
        assert f"{percent} % on time" in (route := _text(site.get(link).body.decode()))
        assert f"of {count} flights on Fridays from" in route


def test_a_route_without_a_flight_at_the_chosen_time_says_so(site: Site) -> None:
    page = site.get("/my-flight?from=New+York&to=Houston&when=February")
    assert "No flight in February is in the data." in _text(page.body.decode())


def test_the_form_without_a_flight_is_no_error(site: Site) -> None:
    page = site.get("/my-flight")
    assert page.status == 200
    assert 'role="alert"' not in page.body.decode()


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("from=&to=MCO", "Fill in from: an airport or a city, by name or code."),
        ("from=Qzqzq&to=MCO", "The data contain no airport or city called 'Qzqzq'."),
        ("from=JFK&to=MCO&airline=Nobody", "The data contain no airline called 'Nobody'."),
        ("from=MCO&to=JFK", "No flight from MCO to JFK is in the data."),
        ("from=JFK&to=MCO&airline=HA", "No flight by Hawaiian Airlines Inc. from JFK to MCO"),
        ("from=JFK&to=MCO&when=soon", "Write 2013-07-04, July or Friday."),
        ("from=JFK&to=MCO&when=2013-13", "'2013-13' is not a date, month or day of the week."),
        ("from=%3Cscript%3E&to=MCO", "called '<script>'."),
    ],
)
def test_the_form_says_what_it_does_not_know(site: Site, query: str, message: str) -> None:
    page = site.get(f"/my-flight?{query}")
    assert page.status == 400
    assert message in unescape(page.body.decode())
    assert "<script>&" not in page.body.decode()


def test_nothing_is_ranked_by_few_flights(fresh: Platform) -> None:
    lines = [
        f"2013-01-0{1 + n // 40},{name},AAA,ZZZ,A,Z,60,{60 if n else 0}"
        for n, name in enumerate([*["Many,M1"] * 99, "Few,F1"])
    ]
    fresh.warehouse.mkdir(parents=True, exist_ok=True)
    (file := fresh.warehouse / "coded.csv").write_text("\n".join([HEADER, *lines]) + "\n")
    for command in (["ingest", "--replace", str(file)], ["broker"], ["transfer", "--all"]):
        fresh.manage(*command)
    with fresh.site(processes=1) as site:
        text = _text(_figure(site, "months"))
        assert "January 2013: 1.00 % of 100 flights." in text
        assert "Airlines with at least" not in _text(site.get("/").body.decode())
    fresh.env["FLIGHTS_TO_RANK"] = "99"
    with fresh.site(processes=1) as site:
        text = _text(_figure(site, "airlines"))
        assert "Many: 1.01 % of 99 flights." in text
        assert "Few" not in text


def _on_time(by: str) -> list[Group]:
    """The groups with at least 100 flights, the best first; by an independent query."""
    records = duckdb.read_parquet(str(settings.HOME / "demo" / demo.NAME))
    on_time = 'count(*) FILTER ("Arrival Delay Minutes" < 15)'
    groups = records.aggregate(f"{by} AS name, count(*) AS flights, {on_time} AS on_time", by)
    rows = groups.filter("flights >= 100").order("on_time / flights DESC").fetchall()
    return [Group(name, flights, 100 * count / flights) for name, flights, count in rows]


def _figure(site: Site, name: str) -> str:
    body = site.get("/").body.decode()
    return body[body.index(f'id="figure-{name}"') :].partition("</figure>")[0]


def _text(body: str) -> str:
    """The text of a page, with each value before its label as displayed."""
    body = re.sub(r"<dt>(.*?)</dt><dd>(.*?)</dd>", r"\2 \1", body)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", "", body)))
