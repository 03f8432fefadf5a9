"""The explorer displays everything in its address: groups, charts, facets and row counts."""

import csv
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from itertools import product
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest

from flights.pages.explorer.code import ORIGIN
from tests import graphql
from tests.platform import Site
from tests.samples import daily

FLIGHTS = "/explorer?table=flight_delay_data"
GROUPED = f"{FLIGHTS}&group_by=Airline_Name&aggregate=count,avg:Arrival_Delay_Minutes"
DELTA = f"Airline_Name={quote('Delta Air Lines Inc.')}"


def body(site: Site, path: str) -> str:
    page = site.get(path)
    assert page.status == 200, page.body
    return page.body.decode()


def figure(site: Site, path: str) -> list[list[str]]:
    """The lines of the chart's values as CSV, without the titles."""
    page = site.get(f"{path}&figure=chart&format=csv")
    assert page.status == 200, page.body
    return list(csv.reader(page.body.decode().splitlines()))[1:]


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
    page = body(site, f"/explorer?{form}&{columns}&order_by=-count&limit=25")
    params = dict(parse_qsl(urlsplit(api(page)).query))
    assert params == {
        "group_by": "Airline_Name",
        "aggregate": "count,avg:Arrival_Delay_Minutes",
        "having": "count__gte:20000",
        "or": "Origin_City:Newark, NJ",
        "count": "estimated",
        "order_by": "-count",
        "limit": "25",
    }
    assert "avg Arrival Delay Minutes" in page


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
    labels = [line[0] for line in figure(site, f"{GROUPED}&view=chart{query}")]
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
    (section,) = re.findall(r'<section class="facets".*?</section>', page, re.S)
    matches = re.findall(r'<li><a href="([^"]+)"[^>]*>(.*?)</a> <span>([\d,]+)</span>', section)
    assert [(unescape(text), int(rows.replace(",", ""))) for _, text, rows in matches] == [
        (value["value"], value["rows"]) for values in counted.values() for value in values
    ]
    link, city, rows = matches[0]
    assert f"of {rows}</span>" in body(site, unescape(link))
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
        (f"{FLIGHTS}&Airline_Name=Nobody", "No rows</span>"),
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
        ("cursor=", "The explorer has no cursor. Use the API: /api/flight_delay_data/"),
        ("format=csv", "The explorer has no format. Use the API: /api/flight_delay_data/"),
        ("count=about", "is unknown"),
        ("view=chart&view=table", "view appears 2 times"),
        ("facets=Origin_City&group_by=Airline_Name", "facets cannot be combined with group_by"),
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


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (FLIGHTS, "All 336,776 flights"),
        (f"{FLIGHTS}&{DELTA}", "48,110 of 336,776 flights, 14 %"),
        (f"{FLIGHTS}&{DELTA}&Flight_Date=2013-02-09", "101 of 336,776 flights, 0.03 %"),
        (f"{GROUPED}&{DELTA}", "48,110 of 336,776 flights, 14 %"),
        ("/explorer?table=airlines&Airline_Code__in=B6,DL,AA", "3 of 16 airlines, 19 %"),
    ],
)
def test_the_number_of_matching_rows_is_stated_in_words(site: Site, path: str, says: str) -> None:
    assert says in text(body(site, path))


def test_a_slow_count_runs_after_the_first_rows_are_shown(site: Site) -> None:
    slow = f"{FLIGHTS}&Tail_Number__icontains=n1&facets=Airline_Code&limit=10"
    page = body(site, slow)
    assert "More than 10 of 336,776 flights" in text(page)
    assert "Count the values of Airline Code" in page
    assert len(re.findall("<tr>", page)) == 11
    (link,) = set(re.findall(r'data-later="([^"]+)"', page))
    complete = body(site, unescape(link))
    number = site.get(f"{api(page)}&count=exact").headers["x-airsense-count"]
    assert f"{int(number):,} of 336,776 flights" in text(complete)
    assert "data-later" not in complete
    assert 'aria-label="Most frequent values"' in complete
    assert "complete=yes" not in complete


def test_a_month_is_not_named_as_a_month_of_itself(site: Site) -> None:
    page = body(site, "/explorer?table=performance_by_month")
    assert ">Month</a>" in (suggested := page.partition("Summarise by")[2].partition("</ul>")[0])
    assert "Month of Month" not in suggested


def test_a_summary_is_built_by_clicking(site: Site) -> None:
    page = body(site, f"{FLIGHTS}&Origin=JFK&order_by=-Arrival_Delay_Minutes")
    page = body(site, link(page, "Month of Flight Date"))
    fields = {
        "add:group": "Airline_Name",
        "add:function": "avg",
        "add:column": "Arrival_Delay_Minutes",
        "add:part": "Air_Minutes",
        "add:whole": "Elapsed_Minutes",
        "add:share": "Destination_City",
        "add:operator": "exact",
        "add:value": "Orlando, FL",
    }
    page = body(site, submitted(page, fields))
    assert dict(parse_qsl(urlsplit(api(page)).query)) == {
        "Origin": "JFK",  # the order by a column that groups lack is left out
        "group_by": "month:Flight_Date,Airline_Name",
        "aggregate": "count,avg:Arrival_Delay_Minutes,percent:Air_Minutes/Elapsed_Minutes,"
        'share:Destination_City__exact:"Orlando, FL"',
        "limit": "50",
    }
    assert "% of flights with Destination City is" in text(page)
    page = body(site, link(page, "by Month of Flight Date, do not group by it"))
    page = body(site, link(page, "avg Arrival Delay Minutes"))  # sorts by the measure
    params = dict(parse_qsl(urlsplit(api(page)).query))
    assert params["group_by"] == "Airline_Name"
    assert params["order_by"] == "-avg_Arrival_Delay_Minutes"
    averages = [row["avg_Arrival_Delay_Minutes"] for row in site.get(api(page)).json()["results"]]
    assert averages == sorted(averages, reverse=True)
    page = body(site, link(page, "Average of Arrival Delay Minutes, leave this value out"))
    assert "order_by" not in api(page)


def test_a_group_leads_to_its_rows(site: Site) -> None:
    page = body(site, f"{FLIGHTS}&{DELTA}&group_by=month:Flight_Date,Origin&order_by=-count")
    (group, *_) = site.get(api(page)).json()["results"]
    (first, *_) = re.findall(r'<td><a href="([^"]+)" title="The rows of this group"', page)
    rows = body(site, unescape(first))
    assert f"{group['count']:,} of 336,776 flights" in text(rows)
    days = [row["Flight_Date"][:7] for row in site.get(api(rows)).json()["results"]]
    assert {*days} == {group["month_Flight_Date"][:7]}


EVERYTHING = {
    "Airline_Name": "Delta Air Lines Inc.",
    "Arrival_Delay_Minutes__gte": "15",
    "or": "Origin:JFK,Origin:LGA",
    "columns": "Origin,Flight_Date,Arrival_Delay_Minutes",
    "order_by": "Origin",
    "limit": "10",
    "offset": "10",
    "facets": "Origin",
}


def test_every_click_keeps_the_rest_of_the_state(site: Site) -> None:
    page = body(site, f"{FLIGHTS}&{urlencode(EVERYTHING)}&language=r")
    (main,) = re.findall(r'<section class="results".*', page, re.S)
    links = [unescape(each) for each in re.findall(r'href="(/explorer\?[^"]+)"', main)]
    changed = set()
    for each in links:
        params = dict(parse_qsl(urlsplit(each).query, keep_blank_values=True))
        differs = {n for n, v in EVERYTHING.items() if params.get(n) != v} - {"offset"}
        grouped = "group_by" in params  # groups have other columns and no facets
        expected = {"columns", "facets", "order_by"} if grouped else differs
        assert differs <= expected, each
        assert grouped or len(differs) <= 1, each
        changed |= differs
    assert changed >= EVERYTHING.keys() - {"limit", "offset"}
    kept = dict(parse_qsl(urlsplit(api(body(site, submitted(page, {})))).query))
    # A submitted form begins with the first page.
    assert kept == {name: value for name, value in EVERYTHING.items() if name != "offset"}


def test_an_active_facet_value_removes_its_filter(site: Site) -> None:
    page = body(site, f"{FLIGHTS}&facets=Origin&limit=10")
    page = body(site, link(page, "EWR"))
    assert "120,835 of 336,776 flights" in text(page)
    assert "All 336,776 flights" in text(body(site, link(page, "EWR")))
    assert "facets" not in link(page, "Origin")


def test_suggestions_are_values_that_exist(site: Site) -> None:
    page = body(site, FLIGHTS)
    lists = re.findall(r'<datalist id="values-(\w+)">(.*?)</datalist>', page)
    assert {"Airline_Name", "Origin_City", "Destination", "Flight_Number"} <= dict(lists).keys()
    for column, options in lists:
        suggested = [unescape(value) for value in re.findall(r'value="([^"]*)"', options)]
        rows = site.get(f"/api/flight_delay_data/?group_by={column}&limit=10000").json()["results"]
        assert {*suggested} <= {row[column] for row in rows}
        assert 0 < len(suggested) <= 200


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ("Origin=EWR&Origin_City=Nowhere&Flight_Date=2013-02-02", ["Origin City is Nowhere"]),
        ("Origin=EWR&Arrival_Delay_Minutes__gte=90000", ["Arrival Delay Minutes ≥ 90000"]),
        ("Origin=XXX", ["Origin is XXX"]),
        ("Origin=XXX&Destination=YYY", []),
    ],
)  # fmt: skip
def test_an_empty_result_names_the_filter_to_remove(
    site: Site, filters: str, names: list[str]
) -> None:
    page = body(site, f"{FLIGHTS}&{filters}")
    (empty,) = re.findall(r'<div class="empty">.*?</div>', page, re.S)
    for name in names:
        assert "No rows" not in text(body(site, link(empty, f"{name}, remove it, then rows match")))
    assert len(re.findall("<li>", empty)) == len(names)
    assert ("Remove all" in empty) is not bool(names)


def test_a_histogram_has_every_row_once_and_leads_to_its_rows(site: Site) -> None:
    path = f"{FLIGHTS}&{DELTA}&view=chart&chart=histogram:Arrival_Delay_Minutes"
    classes = figure(site, path)
    page = body(site, path)
    number = site.get(
        f"/api/flight_delay_data/?{DELTA}&Arrival_Delay_Minutes__isnull=false&count=exact"
    )
    assert sum(int(rows) for _, rows, _ in classes) == int(number.headers["x-airsense-count"])
    (wide,) = re.findall(r'wide-chart".*?</svg>', page, re.S)
    links = re.findall(r'data-value="([^"]+): ([\d,]+) flights[^"]*".*?<a href="([^"]+)"', wide)
    assert len(links) > 10
    for _, rows, address in (links[0], links[5], links[-1]):
        assert f"{rows} of 336,776 flights" in text(body(site, unescape(address)))


def test_lines_are_drawn_of_the_airlines_with_the_most_flights(site: Site) -> None:
    """Each has a row a month, so rows cannot tell them apart."""
    page = body(site, "/explorer?table=performance_by_month&view=chart")
    assert "The 4 of 16 with the most flights." in text(page)
    assert set(re.findall(r'data-value="(\w+), \w+ 2013: ', page)) == {"UA", "B6", "EV", "DL"}


def test_the_values_of_a_chart_of_flights_have_no_empty_column_of_flights(site: Site) -> None:
    page = body(site, "/days/2013-02-09/")
    (table,) = re.findall(r'aria-label="Values: How flights ended".*?</table>', page, re.S)
    assert re.findall(r'<th scope="col">([^<]*)', table) == ["Outcome", "flights"]
    assert "–" not in table  # noqa: RUF001


@pytest.mark.parametrize(
    ("query", "heads", "line"),
    [
        (
            "group_by=month:Flight_Date,Origin&aggregate=avg:Air_Minutes"
            "&chart=month_Flight_Date,avg_Air_Minutes",
            ["month Flight Date", "EWR, minutes", "Flights", "JFK, minutes", "Flights"],
            ["Jan 2013", "9893"],
        ),
        (
            "group_by=Day_of_Week,Scheduled_Departure_Hour"
            "&chart=grid:Day_of_Week,Scheduled_Departure_Hour,count",
            ["Day of Week", "Scheduled Departure Hour", "flights", "Flights"],
            ["Monday", "5"],
        ),
        (
            "group_by=Scheduled_Departure_Hour&aggregate=share:Arrival_Delay_Minutes__gte:30"
            "&chart=Scheduled_Departure_Hour,share_Arrival_Delay_Minutes_gte_30",
            ["Scheduled Departure Hour", "%", "Flights"],
            ["1", "0.0", "1"],
        ),
        (
            "group_by=Airline_Name&aggregate=avg:Departure_Delay_Minutes,avg:Arrival_Delay_Minutes"
            "&chart=scatter:avg_Departure_Delay_Minutes,avg_Arrival_Delay_Minutes",
            ["Airline Name", "avg Departure Delay Minutes, minutes", "minutes", "Flights"],
            ["AirTran Airways Corporation", "3260"],
        ),
    ],
    ids=["lines", "grid", "columns", "points"],
)  # fmt: skip
def test_a_chart_fits_its_columns_and_states_the_flights(
    site: Site, query: str, heads: list[str], line: list[str]
) -> None:
    path = f"{FLIGHTS}&{query}&view=chart"
    page = site.get(f"{path}&figure=chart&format=csv").body.decode()
    first, second, *_ = csv.reader(page.splitlines())
    assert first[: len(heads)] == heads
    assert {*line} <= {*second}
    page = body(site, path)
    assert "336,776 flights. US Bureau of Transportation Statistics; flight_delay_data" in page
    assert site.get(f"{path}&figure=chart&format=png").body.startswith(b"\x89PNG")


def test_airports_are_drawn_on_a_map(site: Site) -> None:
    groups = "group_by=Destination&Origin=JFK&aggregate=share:Arrival_Delay_Minutes__gte:30"
    page = body(site, f"{FLIGHTS}&{groups}&view=chart")
    path = link(page, "Map")
    assert "chart=map%3ADestination,share_Arrival_Delay_Minutes_gte_30" in path
    flights = {label: int(number) for label, _, number in figure(site, path)}
    assert flights["Orlando (MCO)"] == 5464
    assert sum(flights.values()) == 111_279
    lines = body(site, path).split("wide-chart")[1].split("</svg>")[0].count('class="arc"')
    assert lines == len(flights)  # from JFK to each destination
    several = body(site, f"{FLIGHTS}&group_by=Destination,Origin&view=chart")
    assert ">Map</a>" not in several


LANGUAGES = ["curl", "python", "javascript", "graphql"]
PROGRAMS = [
    f"{FLIGHTS}&{urlencode(EVERYTHING)}",
    f"{FLIGHTS}&Origin__not=EWR&Destination__not_in=ATL,BOS&Flight_Date__gte=2013-05-01"
    "&Flight_Date__lt=2013-06-01&or=Airline_Code:B6,Airline_Code__not:DL&or1=Air_Minutes__gt:300"
    "&Tail_Number__isnull=false&limit=20&columns=Origin,Destination,Tail_Number",
    f"{GROUPED},p90:Arrival_Delay_Minutes,median:Air_Minutes,share:Origin:JFK&order_by=-count"
    "&having=count__gte:5000",
    f"{FLIGHTS}&group_by=month:Flight_Date,Origin&Destination_City=St.%20Louis,%20MO&view=chart",
    "/explorer?table=airports&Airport_Name__icontains=o%27hare",
]  # fmt: skip


@pytest.mark.parametrize(("language", "path"), daily([*product(LANGUAGES, PROGRAMS)]))
def test_the_programs_read_exactly_what_is_shown(site: Site, path: str, language: str) -> None:
    page = body(site, f"{path}&language={language}")
    (code,) = re.findall(r'<code id="program">(.*?)</code>', page, re.S)
    program = unescape(re.sub("<[^>]*>", "", code)).replace(ORIGIN, site.url)
    rows = [list(row.values()) for row in site.get(api(page)).json()["results"]]
    assert rows
    assert RUN[language](site, program) == rows


def test_the_graphql_tab_names_the_query_to_use_instead(site: Site) -> None:
    page = body(site, f"{FLIGHTS}&group_by=Origin&aggregate=count:Tail_Number&language=graphql")
    text = unescape(re.sub("<[^>]*>", "", page))
    assert "count:Tail_Number. Use the filter Tail_Number__isnull=false and count" in text
    groups = "/api/flight_delay_data/?group_by=Origin&columns=Origin,"
    direct = site.get(f"{groups}count_Tail_Number&aggregate=count:Tail_Number").json()
    instead = site.get(f"{groups}count&aggregate=count&Tail_Number__isnull=false").json()
    assert [[*row.values()] for row in direct["results"] if row["count_Tail_Number"]] == [
        [*row.values()] for row in instead["results"]
    ]


def test_the_program_in_r_has_the_same_address(site: Site) -> None:
    page = body(site, f"{PROGRAMS[0]}&language=r")
    assert f"{ORIGIN}{api(page)}" in unescape(re.sub("<[^>]*>", "", page))
    assert site.get(f"{FLIGHTS}&language=cobol").status == 400


def _curl(_: Site, line: str) -> list[list[Any]]:
    done = subprocess.run([*shlex.split(line), "--silent"], capture_output=True, check=True)
    return [list(row.values()) for row in json.loads(done.stdout)["results"]]


def _python(_: Site, program: str) -> list[list[Any]]:
    lines = f"{program}\nprint(json.dumps([list(row.values()) for row in rows]))"
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, check=True)
    rows: list[list[Any]] = json.loads(done.stdout.splitlines()[-1])
    return rows


def _javascript(_: Site, program: str) -> list[list[Any]]:
    if not (node := shutil.which("node")):
        pytest.skip("needs node")
    lines = f"{program}\nconsole.log(JSON.stringify(rows.map(Object.values)));"
    command = [node, "--input-type=module", "-e", lines]
    done = subprocess.run(command, capture_output=True, check=True)
    rows: list[list[Any]] = json.loads(done.stdout.splitlines()[-1])
    return rows


def _graphql(site: Site, operation: str) -> list[list[Any]]:
    (table,) = graphql.data(graphql.post(site, operation)).values()
    return [list(_flat(row)) for row in table["rows"]]


def _flat(row: dict[str, Any]) -> Iterator[Any]:
    for value in row.values():
        yield from _flat(value) if isinstance(value, dict) else [value]


RUN = {"curl": _curl, "python": _python, "javascript": _javascript, "graphql": _graphql}


def text(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", page)))


def link(page: str, words: str) -> str:
    """The address of the first link with exactly these words."""
    for address, inner in re.findall(r'<a [^>]*?href="(/explorer\?[^"]+)"[^>]*>(.*?)</a>', page):
        if text(inner).strip().replace(" \u00d7 \u2013 ", ", ") == words:
            return unescape(address)
    pytest.fail(f"no link {words!r}")


def submitted(page: str, changes: dict[str, str]) -> str:
    """The address that a browser opens when the form is sent with some changes."""
    (form,) = re.findall(r'<form method="get" action="/explorer".*?</form>', page, re.S)
    inputs = re.findall(r'<input [^>]*?name="([^"]+)" value="([^"]*)"( checked)?', form)
    fields = [(n, unescape(v)) for n, v, ticked in inputs if n != "column" or ticked]
    for name, options in re.findall(r'<select name="([^"]+)".*?>(.*?)</select>', form, re.S):
        chosen = re.findall(r'<option(?: value="([^"]*)")? selected>([^<]*)', options)
        first = re.findall(r'<option(?: value="([^"]*)")?>([^<]*)', options)[:1]
        ((value, words),) = chosen or first
        fields.append((name, unescape(value or (words if words.isdigit() else ""))))
    kept = [(name, value) for name, value in fields if name not in changes]
    return f"/explorer?{urlencode([*kept, *changes.items()])}"
