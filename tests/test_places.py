"""The pages about things say what an independent computation over the demo flights says."""

import re
from html import unescape
from xml.etree import ElementTree

import duckdb
import pytest
import requests
from django.conf import settings
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.platform import Platform, Response, Site
from tests.samples import daily
from transfers import demo

PAGES = [
    "/routes/JFK-MCO/",
    "/routes/NYC-CHI/",
    "/airlines/B6/",
    "/airports/LGA/",
    "/airports/ORD/",
    "/flights/B6-583/",
    "/days/2013-02-09/",
    "/connections/?from=LGA&via=ORD&to=LAX&minutes=45",
    "/compare/?a=/airlines/B6/&b=/airlines/DL/",
    "/compare/?a=JFK&b=LGA",
    "/routes/",
    "/airlines/",
    "/airports/",
    "/days/",
]
ANSWERS = {
    "/routes/JFK-MCO/?airline=B6": "18.07 % of 3,304 flights of JetBlue Airways from New York (JFK)"
    " to Orlando (MCO) arrived 30 or more minutes late",
    "/airports/LGA/": "the worst month is Jul 2013 (65.80 % of 8,927 flights) and the worst hour of"
    " departure is 22:00 (58.82 % of 221 flights)",
    "/days/2013-02-09/": "On Saturday, 9 Feb 2013, 393 of 684 flights were cancelled",
    "/routes/NYC-CHI/": "the most punctual is American Airlines Inc. to ORD (77.65 % of 6,059"
    " flights on time)",
}
MISSING = {
    "/airlines/B7/": ("No airline has the code B7.", "/airlines/B6/"),
    "/airports/JKF/": ("No airport has the code JKF.", "/airports/JFK/"),
    "/routes/MCO-JFK/": ("No flight from Orlando (MCO) to New York (JFK)", "/routes/JFK-MCO/"),
    "/routes/JFK-MDW/": ("No flight from New York (JFK) to Chicago (MDW)", "/routes/NYC-CHI/"),
    "/flights/B6-5833/": ("No flight B6 5833 is in the published tables.", "/flights/B6-583/"),
    "/days/2014-01-01/": ("cover 1 Jan – 31 Dec 2013.", "/days/2013-12-31/"),  # noqa: RUF001
    "/days/tomorrow/": ("is not a day", "/days/"),
    "/days/20130209/": ("Write the day as 2013-02-09.", "/days/2013-02-09/"),
    "/airports/CHICAGO/": ("No airport has the code CHICAGO.", "/airports/MDW/"),
    "/airports/NYC/": ("NYC is a city with several airports.", "/airports/EWR/"),
    "/compare/?a=portland&b=Boston": ("No airport has the code PORTLAND.", "/airports/PDX/"),
    "/connections/?from=JFK&via=JKF": ("No airport has the code JKF.", "/airports/JFK/"),
}
REFUSED = {
    "/routes/JFK-MCO/?month=13": "month: '13' is not a month of the year.",
    "/routes/JFK-MCO/?weekday=someday": "weekday: 'someday' is not a day of the week.",
    "/routes/JFK-MCO/?airline=B6&airline=DL": "airline appears 2 times.",
    "/routes/?order=nicest": "order: 'nicest' is unknown.",
    "/routes/?page=99": "page: 99 is not a page from 1 to 2.",
    "/days/?year=1999": "year: '1999' is not a year of the published tables.",
    "/connections/?from=LGA&via=ORD&minutes=soon": "minutes: 'soon' is not a whole number",
    "/connections/?from=LGA&via=ORD&minutes=9999": "9999 is more than 1,440 minutes, a day.",
    "/compare/?a=B6&b=JFK": "compare two of a kind.",
    "/compare/?a=B6&b=b6": "compare two different things.",
    "/routes/JFK-MCO/?figure=nothing": "figure: 'nothing' is not a figure of this page.",
}


@pytest.mark.parametrize("path", ANSWERS)
def test_a_page_begins_with_the_sentence_that_answers(site: Site, path: str) -> None:
    assert ANSWERS[path] in _response(_body(site, path))


@pytest.mark.parametrize("path", PAGES)
def test_each_query_that_a_page_names_can_be_run(site: Site, path: str) -> None:
    body = _body(site, path)
    addresses = dict.fromkeys(map(unescape, re.findall(r'href="(/api/[^"]*)"', body)))
    assert [address for address in addresses if address != "/api/"]
    for address in addresses:
        assert site.get(address, Accept="application/json").status == 200, address


@pytest.mark.parametrize("path", daily(PAGES))
def test_a_page_has_a_description_and_a_picture_to_share(site: Site, path: str) -> None:
    body = _body(site, path)
    (description,) = re.findall(r'<meta name="description" content="([^"]*)"', body)
    assert unescape(description) == _response(body)
    (image,) = re.findall(r'<meta property="og:image" content="([^"]*)"', body)
    png = site.get(unescape(image).removeprefix(settings.PUBLIC_URL))
    assert png.headers["content-type"] == "image/png"
    assert png.body.startswith(b"\x89PNG")


@pytest.mark.parametrize("path", MISSING)
def test_an_unknown_page_is_404_and_suggests_similar_ones(site: Site, path: str) -> None:
    message, suggestion = MISSING[path]
    response = site.get(path, Accept="text/html")
    assert response.status == 404
    body = unescape(response.body.decode())
    assert message in body
    assert f'href="{suggestion}"' in body


@pytest.mark.parametrize("path", REFUSED)
def test_a_wrong_parameter_is_refused_with_what_is_allowed(site: Site, path: str) -> None:
    response = site.get(path, Accept="text/html")
    assert response.status == 400
    assert REFUSED[path] in unescape(response.body.decode())


def test_a_refused_choice_shows_the_choices(site: Site) -> None:
    for path, choice in {"/routes/?order=nicest": "busiest", "/days/?year=1999": "2013"}.items():
        assert f"<code>{choice}</code>" in site.get(path, Accept="text/html").body.decode()


def test_codes_in_lower_case_lead_to_the_page_for_good(demo: Platform) -> None:
    for path, target in {
        "/routes/jfk-mco/?airline=b6": "/routes/JFK-MCO/?airline=b6",
        "/airlines/b6/": "/airlines/B6/",
        "/flights/b6-583/": "/flights/B6-583/",
    }.items():
        response = Client(HTTP_HOST="localhost").get(path)
        assert (response.status_code, response["Location"]) == (301, target)


def test_a_route_counts_exactly_the_flights_that_are_chosen(site: Site) -> None:
    flights, late, cancelled = _one(
        """SELECT count(*), round(100.0 * count(*) FILTER ("Arrival Delay Minutes" >= 30)
            / count(*), 2), count(*) FILTER ("Departure Delay Minutes" IS NULL
            AND "Arrival Delay Minutes" IS NULL)
        FROM records WHERE Origin = 'EWR' AND Destination IN ('ORD', 'MDW')
            AND month("Flight Date") = 7 AND dayname("Flight Date") = 'Friday'"""
    )
    body = _body(site, "/routes/EWR-CHI/?month=7&weekday=friday")
    heading = "Newark (EWR) to Chicago (MDW, ORD): flights on Fridays in July"
    assert f"<h1>{heading}</h1>" in body
    where = "on Fridays in July from Newark (EWR)"
    assert f"{late:.2f} % of {flights} flights {where}" in _response(body)
    assert f"{cancelled} of {flights} flights" in body
    assert 'name="robots" content="noindex"' in body


def test_a_page_says_so_if_it_has_few_flights(site: Site) -> None:
    assert "Only 64 flights: below 100" in _body(site, "/routes/JFK-MCO/?month=7&weekday=Friday")
    assert "below 100" not in _body(site, "/routes/JFK-MCO/")
    assert "below 100" not in _body(site, "/routes/JFK-MCO/?airline=HA")  # no flight at all


def test_airlines_are_compared_only_if_there_are_several(site: Site) -> None:
    assert "Airlines compared" in _body(site, "/routes/JFK-MCO/")
    assert "Airlines compared" not in _body(site, "/routes/JFK-MCO/?airline=B6")


def test_a_month_of_an_airline_with_fewer_than_10_flights_has_no_percentage(site: Site) -> None:
    lines = site.get("/airlines/OO/?figure=months&format=csv").body.decode().splitlines()
    few = [line for line in lines[1:] if int(line.split(",")[-1]) < 10]
    assert few
    assert all(line.split(",")[-2] == "" for line in few), few


def test_a_missing_page_suggests_each_thing_once_and_nothing_for_no_letters(site: Site) -> None:
    for path, suggested in {"/routes/JFK-JFK/": 2, "/airlines/%F0%9F%98%80/": 0}.items():
        body = site.get(path, Accept="text/html").body.decode()
        main = body.partition("<main")[2].partition("</main>")[0]
        assert len(re.findall(r"<li><a ", main)) == suggested, main


def test_a_connection_is_made_if_the_first_flight_leaves_enough_minutes(site: Site) -> None:
    flights, share = _one(
        """SELECT count(*), round(100.0 * count(*) FILTER ("Arrival Delay Minutes" <= 75 - 45)
            / count(*), 2) FROM records WHERE Origin = 'LGA' AND Destination = 'ORD'"""
    )
    response = _response(_body(site, "/connections/?from=lga&via=ord&to=LAX&minutes=75&walk=45"))
    assert f"{share:.2f} % of {flights:,} flights from New York (LGA) arrived in time" in response
    assert "no flight from ORD to LAX is in the tables" in response
    short = _response(_body(site, "/connections/?from=LGA&via=ORD&minutes=1"))
    assert short.startswith(
        "With 1 minute at Chicago (ORD), if the way from gate to gate takes 30 minutes, "
    )


def test_things_to_compare_may_be_named(site: Site) -> None:
    for a, b in (("jetblue", "Delta"), ("LaGuardia", "jfk"), ("9+Feb+2013", "2013-07-10")):
        by_name = _response(_body(site, f"/compare/?a={a}&b={b}"))
        assert re.search(r"% of [\d,]+ flights .* arrived on time", by_name)
    assert "1 Jan" not in by_name  # the answer about two days states no other period


def test_airlines_are_compared_on_the_routes_that_both_fly(site: Site) -> None:
    routes, flights, share = _one(
        """WITH common AS (
            SELECT Origin, Destination FROM records WHERE "Airline Code" IN ('B6', 'DL')
            GROUP BY ALL HAVING count(DISTINCT "Airline Code") = 2)
        SELECT count(DISTINCT (Origin, Destination)), count(*),
            round(100.0 * count(*) FILTER ("Arrival Delay Minutes" < 15) / count(*), 2)
        FROM records JOIN common USING (Origin, Destination) WHERE "Airline Code" = 'B6'"""
    )
    response = _response(_body(site, "/compare/?a=B6&b=/airlines/DL/"))
    expected = (
        f"On the {routes} routes that both fly, {share:.2f} % of {flights:,} flights of JetBlue"
    )
    assert expected in response


def test_of_two_equal_percentages_the_one_with_more_flights_ranks_first(site: Site) -> None:
    days = site.get("/api/performance_by_date/?limit=500").json()["results"]
    share, flights = "On_Time_Percent", "Scheduled_Flights"
    assert len({day[share] for day in days}) < len(days)
    first = {"best": (-1, -1), "worst": (1, -1)}
    for order, (by_share, by_flights) in first.items():
        key = lambda day: (by_share * day[share], by_flights * day[flights])  # noqa: B023, E731
        expected = [day["Flight_Date"] for day in sorted(days, key=key)]
        for page in (1, 2, 3):
            body = _body(site, f"/days/?order={order}&page={page}").partition("All days")[2]
            listed = re.findall(r'href="/days/(\d{4}-\d\d-\d\d)/"', body)[:100]
            assert listed == expected[100 * page - 100 : 100 * page]


def test_a_ranking_leaves_out_things_with_few_flights(site: Site) -> None:
    (enough,) = _one(
        """SELECT count(*) FROM (SELECT Origin, Destination FROM records
        GROUP BY ALL HAVING count(*) >= 100)"""
    )
    body = _body(site, "/routes/?page=2")
    assert f"101 to {enough} of {enough}, most punctual first." in body
    assert "Only those with at least 100 flights are ranked." in body
    assert 'href="?order=best&amp;page=1"' in body


def test_the_sitemap_lists_the_pages_and_each_exists(site: Site) -> None:
    public = settings.PUBLIC_URL  # as in the canonical addresses of the pages
    assert f"Sitemap: {public}/sitemap.xml" in site.get("/robots.txt").body.decode()
    files = _locations(site.get("/sitemap.xml"))
    assert len(files) == 6
    for file in files:
        assert file.startswith(f"{public}/")
        pages = _locations(site.get(file.removeprefix(public)))
        assert pages
        for page in (pages[0], pages[-1]):
            response = site.get(page.removeprefix(public))
            assert response.status == 200, page
            canonical = re.findall(r'rel="canonical" href="([^"]*)"', response.body.decode())
            assert canonical in ([], [page])


def test_a_page_reads_each_table_a_few_times_and_by_its_indexes(demo: Platform) -> None:
    """A query of the single flights reads one route, airport, flight number or day."""
    for path in PAGES[:11]:
        with CaptureQueriesContext(connections["reader"]) as queries:
            assert Client(HTTP_HOST="localhost").get(path).status_code == 200
        statements = [q["sql"] for q in queries if "flights_tableversion" not in q["sql"]]
        assert len(statements) < 40, path
        single = [s for s in statements if "flight_delay_data__v" in s and "SELECT" in s]
        assert all(re.search(r"WHERE.*(Origin|Flight_Number|Flight_Date)\"", s) for s in single)


def test_a_figure_of_a_page_can_be_cited(site: Site) -> None:
    url = f"{site.url}/routes/JFK-MCO/?airline=B6"
    citation = requests.post(url, {"figure": "chances"}, timeout=30)
    assert citation.status_code == 200
    assert "/citations/" in citation.url
    assert "18.07" in citation.text


def _body(site: Site, path: str) -> str:
    response = site.get(path)
    assert response.status == 200, response.body
    return response.body.decode()


def _response(body: str) -> str:
    (response,) = re.findall(r'<p class="answer">(.*?)</p>', body)
    return unescape(response)


def _locations(response: Response) -> list[str]:
    assert response.status == 200
    root = ElementTree.fromstring(response.body)  # noqa: S314  # our own document
    return [element.text or "" for element in root.findall(".//{*}loc")]


def _one(sql: str) -> tuple[int, ...]:
    """The row of a query of the demo's records."""
    with duckdb.connect() as connection:
        connection.read_parquet(str(settings.HOME / "demo" / demo.NAME)).create_view("records")
        row = connection.execute(sql).fetchone()
        assert row
        return row
