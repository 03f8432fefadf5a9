"""The explorer displays everything in its address: groups, charts, facets and row counts."""

import re
from html import unescape
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from tests.platform import Site

FLIGHTS = "/explorer?table=flight_delay_data"
GROUPED = f"{FLIGHTS}&group_by=Airline_Name&aggregate=count,avg:Arrival_Delay_Minutes"
DELTA = f"Airline_Name={quote('Delta Air Lines Inc.')}"


def body(site: Site, path: str) -> str:
    page = site.get(path)
    assert page.status == 200, page.body
    return page.body.decode()


def api(page: str) -> str:
    (address,) = re.findall(r'id="api" href="([^"]+)"', page)
    return unescape(address)


def hidden(page: str) -> dict[str, str]:
    inputs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return {name: unescape(value) for name, value in inputs}


def test_show_keeps_parameters_without_a_form_control(site: Site) -> None:
    having = "having=count__gte:20000&facets=&count=estimated&or=Origin_City:Newark,%20NJ"
    page = body(site, f"{GROUPED}&{having}&order_by=-count")
    hidden_fields = hidden(page)
    assert hidden_fields["group_by"] == "Airline_Name"
    assert hidden_fields["aggregate"] == "count,avg:Arrival_Delay_Minutes"
    ticked = re.findall(r'name="column" value="([^"]+)" checked', page)
    assert ticked == ["Airline_Name", "count", "avg_Arrival_Delay_Minutes"]
    assert '<option value="-avg_Arrival_Delay_Minutes">' in page
    form = "&".join(f"{name}={quote(value)}" for name, value in hidden_fields.items())
    columns = "column=Airline_Name&column=count&column=avg_Arrival_Delay_Minutes"
    shown = body(site, f"/explorer?{form}&{columns}&order_by=-count&limit=25")
    params = dict(parse_qsl(urlsplit(api(shown)).query))
    assert params == {
        "group_by": "Airline_Name",
        "aggregate": "count,avg:Arrival_Delay_Minutes",
        "having": "count__gte:20000",
        "or": "Origin_City:Newark, NJ",
        "count": "estimated",
        "order_by": "-count",
        "limit": "25",
    }
    assert "avg Arrival Delay Minutes" in shown


@pytest.mark.parametrize(
    ("query", "drawn"),
    [
        ("", "count by Airline Name"),
        ("&order_by=-avg_Arrival_Delay_Minutes", "avg Arrival Delay Minutes by Airline Name"),
        ("&chart=airline_name,COUNT", "count by Airline Name"),
    ],
)
def test_the_chart_of_a_grouping_draws_its_groups(site: Site, query: str, drawn: str) -> None:
    page = body(site, f"{GROUPED}&view=chart{query}")
    assert f"<h2>{drawn}</h2>" in page
    rows = site.get(api(page)).json()["results"]
    labels = [unescape(text) for text in re.findall(r'<li>\s*<span class="label">(.*?)<', page)]
    assert labels == [row["Airline_Name"] for row in rows]
    assert len(labels) == 16


def test_groups_of_a_number_are_drawn_and_one_group_has_nothing_to_draw_by(site: Site) -> None:
    days = f"{FLIGHTS}&group_by=Departure_Delay_Minutes&view=chart&limit=10"
    assert "<h2>count by Departure Delay Minutes</h2>" in body(site, days)
    alone = site.get(f"{FLIGHTS}&aggregate=count&view=chart")
    assert alone.status == 400
    assert b"A chart needs a column of numbers" in alone.body


def test_facets_are_shown_and_lead_to_their_rows(site: Site) -> None:
    page = body(site, f"{FLIGHTS}&{DELTA}&facets=Origin_City,Airline_Name&limit=10")
    counted = site.get(api(page)).json()["facets"]
    (shown,) = re.findall(r'<section class="facets".*?</section>', page, re.S)
    matches = re.findall(r'<li><a href="([^"]+)">(.*?)</a> <span>([\d,]+)</span>', shown)
    assert [(unescape(text), int(rows.replace(",", ""))) for _, text, rows in matches] == [
        (value["value"], value["rows"]) for values in counted.values() for value in values
    ]
    link, city, rows = matches[0]
    assert f"of {rows}</p>" in body(site, unescape(link))
    assert f"Origin City is {unescape(city)}" in unescape(body(site, unescape(link)))
    wrong = site.get(f"{FLIGHTS}&facets=Flight_Date")
    assert wrong.status == 400
    assert b"Origin_City" in wrong.body


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (FLIGHTS, "Rows 1 to 50 of 336,776"),
        (f"{FLIGHTS}&{DELTA}", "Rows 1 to 50 of 48,110"),
        (f"{FLIGHTS}&{DELTA}&limit=10&offset=20", "Rows 21 to 30 of 48,110"),
        (f"{FLIGHTS}&{DELTA}&offset=50000", "No rows of 48,110"),
        (GROUPED, "Groups 1 to 16 of 16"),
        (f"{FLIGHTS}&Airline_Name=Nobody", "No rows</p>"),
    ],
)
def test_the_number_of_matching_rows_is_shown(site: Site, path: str, says: str) -> None:
    assert says in body(site, path)


def test_an_expensive_count_is_shown_as_an_estimate(site: Site) -> None:
    page = body(site, f"{FLIGHTS}&{DELTA}&count=estimated")
    assert re.search(r"Rows 1 to 50 of about [\d,]{6}<", page)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("cursor=", "cursor is of the API alone: /api/flight_delay_data/"),
        ("format=csv", "format is of the API alone: /api/flight_delay_data/"),
        ("count=about", "is unknown"),
        ("view=chart&view=table", "view appears 2 times"),
        ("facets=Origin_City&group_by=Airline_Name", "facets count rows, not groups"),
    ],
)
def test_parameters_that_the_explorer_does_not_support_are_refused(
    site: Site, query: str, says: str
) -> None:
    page = site.get(f"{FLIGHTS}&{query}", Accept="text/html")
    assert page.status == 400
    assert says in unescape(page.body.decode())


def test_files_of_a_view_with_facets_are_of_all_its_rows(site: Site) -> None:
    page = body(site, f"{FLIGHTS}&{DELTA}&facets=Origin_City&count=exact")
    (address,) = re.findall(r'href="([^"]+)" aria-label="All rows as CSV"', page)
    assert "facets" not in address
    assert "count" not in address
    assert len(site.get(unescape(address)).body.splitlines()) == 48_111
