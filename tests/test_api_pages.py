"""The API for people: its front page, the filters of each table, and GraphiQL."""

import re
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from http.client import HTTPConnection
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from flights.mirror import MirroredTable, public
from flights.query import operators, values
from flights.tables import NAMES, TABLES
from tests.browser import assert_accessible, opened
from tests.platform import Site
from tests.samples import Sample

FLIGHTS = "/api/flight_delay_data/?limit=2"


@pytest.fixture
def plain(browser: Browser, site: Site) -> Iterator[Page]:
    """A page in a browser without JavaScript."""
    with opened(browser, site.url, java_script_enabled=False) as page:
        yield page


def test_programs_get_json_and_people_get_a_page(site: Site) -> None:
    assert [table["table"] for table in site.get("/api/").json()] == NAMES
    assert [table["table"] for table in site.get("/api/?table=nowhere").json()] == NAMES
    page = site.get("/api/", Accept="text/html,application/xml;q=0.9,*/*;q=0.8")
    assert page.headers["content-type"].startswith("text/html")
    assert "Accept" in page.headers["vary"].split(", ")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/api/", marks=pytest.mark.deep),
        FLIGHTS + "&Origin=EWR&Origin__not=LGA",
        pytest.param("/api/airlines/", marks=pytest.mark.deep),
    ],
)
def test_a_page_is_accessible_in_every_look(page: Page, path: str, sample: Sample) -> None:
    page.goto(path)
    for details in page.locator("details").all():
        details.evaluate("details => { details.open = true }")
    assert_accessible(page, sample)


def test_a_query_is_tried_without_javascript(plain: Page, site: Site) -> None:
    plain.goto("/api/")
    expect(plain.locator("#try ~ .scroll tbody tr")).to_have_count(3)
    plain.locator("[name=table]").select_option("Airlines")
    plain.get_by_role("button", name="Send").click()
    plain.locator("[name=column]").select_option("Airline Name")
    plain.locator("[name=operator]").select_option("starts with")
    plain.get_by_label("Value").fill("united")
    plain.get_by_role("button", name="Send").click()
    rows = plain.locator("#try ~ .scroll tbody tr")
    expect(rows).to_have_count(1)
    link = plain.locator("#address").get_attribute("href")
    assert link == "/api/airlines/?Airline_Name__istartswith=united&limit=3"
    row = site.get(link).json()["results"][0]
    assert rows.first.locator("td").all_inner_texts() == list(row.values())


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("table=delays_by_day&column=Total_Flights&operator=gte&value=many", 400, "whole number"),
        ("table=nowhere", 404, "There is no table &#x27;nowhere&#x27;"),
        ("table=delays_by_day&column=City&operator=drop&value=x&limit=9999", 200, "Wednesday"),
        ("table=delays_by_day&column=Day_of_Week&operator=exact&value=Someday", 200, "No row"),
    ],
)
def test_a_try_that_fails_says_why(site: Site, query: str, status: int, says: str) -> None:
    page = site.get(f"/api/?{query}", Accept="text/html")
    assert page.status == status
    assert says in page.body.decode()
    assert "Send</button>" in page.body.decode()


def test_every_link_of_the_front_page_to_the_api_works(page: Page) -> None:
    page.goto("/api/")
    links = page.locator("main a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    later = ("/api/ask", "/status")  # pages of other parts
    for link in {link for link in links if link.startswith("/api/") and "csv" not in link}:
        if not link.startswith(later):
            response = page.request.get(link, headers={"Accept": "application/json, */*;q=0.5"})
            assert response.ok, link


def test_filters_work_without_javascript(plain: Page) -> None:
    plain.goto(FLIGHTS)
    plain.get_by_text("Filter and sort").click()
    plain.get_by_label("Origin: operator").select_option("is")
    plain.get_by_label("Origin: value").fill("EWR")
    plain.get_by_label("Arrival Delay Minutes: operator").select_option("≥")
    plain.get_by_label("Arrival Delay Minutes: value").fill("60")
    plain.get_by_label("Tail Number: operator").select_option("has a value")
    plain.get_by_label("Sort by").select_option("Distance Miles, descending")
    plain.get_by_role("button", name="Filter").click()
    expect(plain.locator(".count")).to_have_text("3")
    plain.get_by_label("Arrival Delay Minutes: operator").nth(1).select_option("<")
    plain.get_by_label("Arrival Delay Minutes: value").nth(1).fill("90")
    plain.get_by_role("button", name="Filter").click()
    assert dict(parse_qsl(urlsplit(plain.url).query)) == {
        "Origin": "EWR",
        "Arrival_Delay_Minutes__gte": "60",
        "Arrival_Delay_Minutes__lt": "90",
        "Tail_Number__isnull": "false",
        "order_by": "-Distance_Miles",
        "limit": "2",
    }
    expect(plain.get_by_label("Response")).to_contain_text('"Origin": "EWR"')


def test_filters_work_by_keyboard_and_a_column_is_found_by_its_name(page: Page) -> None:
    page.goto("/api/flight_delay_data/#filters")
    find = page.get_by_label("Find a column")
    find.focus()
    page.keyboard.type("nothing like it")
    expect(page.get_by_text("No column has this name.")).to_be_visible()
    find.fill("")
    page.keyboard.type("departure_delay")
    expect(page.locator("[data-column]:visible")).to_have_count(1)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")  # from "is" to ">"
    page.keyboard.press("Tab")
    page.keyboard.type("1200")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?Departure_Delay_Minutes__gt=1200#filters")
    expect(page.get_by_label("Response")).to_contain_text('"Departure_Delay_Minutes": 1301')


@pytest.mark.parametrize("table", TABLES)
def test_every_condition_of_a_table_returns_through_the_form(
    site: Site, table: type[MirroredTable]
) -> None:
    path = f"/api/{table._meta.db_table}/"
    for start in range(0, 28, 14):
        params = {**dict(_conditions(table, start)), "limit": "1"}
        body = site.get(f"{path}?{urlencode(params)}", Accept="text/html").body
        address = _redirect(site, f"{path}filter?{urlencode(_controls(body.decode()))}")
        assert dict(parse_qsl(urlsplit(address).query)) == params


def test_parameters_without_a_control_are_sent_with_the_form(site: Site) -> None:
    query = "group_by=Airline_Name&aggregate=count&or=Origin:JFK,Origin:EWR&offset=3&format=api"
    body = site.get(f"/api/flight_delay_data/?{query}", Accept="text/html").body.decode()
    form = body[body.index('action="/api/flight_delay_data/filter"') :].split("column-filters")[0]
    for name in ("group_by", "aggregate", "or"):
        assert f'type="hidden" name="{name}"' in form
    assert 'name="offset"' not in form
    assert 'name="format"' not in form


def test_graphiql_completes_runs_and_explains_queries(page: Page) -> None:
    page.goto("/api/graphiql")
    page.get_by_role("button", name="Execute query").click()
    expect(page.locator(".result-window")).to_contain_text("Avg_Arrival_Delay")
    page.get_by_role("button", name="Show Documentation Explorer").click()
    expect(page.get_by_role("link", name="Query", exact=True)).to_be_visible()
    page.locator(".graphiql-query-editor .CodeMirror").first.click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("{ airp")
    expect(page.locator(".CodeMirror-hints")).to_be_visible()


@pytest.mark.deep
def test_graphiql_opens_with_the_query_and_variables_of_its_address_and_keeps_them(
    page: Page,
) -> None:
    query = "query($n: Long) { airlines(limit: $n) { version rows { Airline_Code } } }"
    page.goto(f"/api/graphiql?{urlencode({'query': query, 'variables': '{"n": 2}'})}")
    page.get_by_role("button", name="Execute query").click()
    expect(page.locator(".result-window")).to_contain_text('"version": 1')
    assert page.locator(".result-window").inner_text().count("Airline_Code") == 2
    page.locator(".graphiql-query-editor .CodeMirror").first.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" ")
    page.wait_for_url(lambda url: _params(url)["query"] == f"{query} ")
    page.get_by_role("button", name="Variables", exact=True).click()
    page.locator(".graphiql-editor-tool .CodeMirror:visible").click()
    page.keyboard.press("Control+A")
    page.keyboard.type('{"n": 1')  # the editor adds the brace
    page.wait_for_url(lambda url: _params(url)["variables"] == '{"n": 1}')
    page.reload()
    page.get_by_role("button", name="Execute query").click()
    expect(page.locator(".result-window")).to_contain_text('"version": 1')
    assert page.locator(".result-window").inner_text().count("Airline_Code") == 1


def _params(url: str) -> dict[str, str]:
    """The parameters of an address."""
    return dict(parse_qsl(urlsplit(url).query))


def _redirect(site: Site, path: str) -> str:
    """Where an address redirects."""
    with closing(HTTPConnection(urlsplit(site.url).netloc)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        assert response.status == 302
        return str(response.headers["location"])


def _conditions(table: type[MirroredTable], start: int) -> Iterator[tuple[str, str]]:
    """Some conditions: all columns in turn, each with another operator."""
    for number, field in enumerate(table.columns()):
        names = operators.names(field)
        name = names[(start + number) % len(names)]
        sign = "not_" * ((start + number) // 14 % 2 and name != "isnull")
        suffix = "" if name == "exact" and not sign else f"__{sign}{name}"
        yield f"{public(field)}{suffix}", "true" if name == "isnull" else values.sample(field)


def _controls(body: str) -> dict[str, str]:
    """What a browser would submit."""
    fields = dict(re.findall(r'<input [^>]*?name="([^"]+)" value="([^"]*)"', body))
    for name, options in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', body, re.S):
        chosen = re.search(r'<option(?: value="([^"]*)")? selected>([^<]*)', options)
        first = re.search(r'<option value="([^"]*)"', options)
        assert first
        fields[name] = (chosen[1] if chosen[1] is not None else chosen[2]) if chosen else first[1]
    return {name: unescape(value) for name, value in fields.items()}
