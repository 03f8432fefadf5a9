"""Search: ranked values of every column, the rows that hold all words, and pages of both."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from flights.tables import TABLES
from tests.platform import Platform, Site


def search(site: Site, q: str, more: str = "") -> dict[str, dict[str, Any]]:
    response = site.get(f"/api/search?q={quote(q)}{more}")
    assert response.status == 200, response.body
    return {table["table"]: table for table in response.json()["tables"]}


def values(table: dict[str, Any]) -> list[str]:
    return [value["value"] for value in table["values"]]


@pytest.mark.parametrize("q", ["honolulu", " HONOLULU ", "Hónölülù", "honolu", "honlulu"])
def test_search_ignores_case_accents_and_typos(site: Site, q: str) -> None:
    result = search(site, q)
    assert values(result["busiest_airports_by_delays"])[0] == "Honolulu, HI"
    flights = result["flight_delay_data"]
    assert flights["values"][0] | {"fragments": []} == {
        "column": "Destination_City",
        "value": "Honolulu, HI",
        "fragments": [],
        "rows": 707,
        "alike": q == "honlulu",
        "url": "/api/flight_delay_data/?Destination_City=Honolulu,%20HI",
    }
    assert len(flights["rows"]) == 10
    assert {row[flights["columns"].index("Destination_City")] for row in flights["rows"]} == {
        "Honolulu, HI"
    }
    assert site.get(flights["values"][0]["url"] + "&limit=1").status == 200


def test_the_best_values_come_first(site: Site) -> None:
    cities = values(search(site, "san", "&limit=100")["busiest_airports_by_delays"])
    begin = [city.lower().startswith("san") for city in cities]
    assert begin == sorted(begin, reverse=True)
    assert any(begin)
    exact = values(search(site, "2013-02-01")["flight_delay_data"])
    assert exact[0] == "2013-02-01"


def test_matches_are_marked_as_data_and_not_as_html(site: Site) -> None:
    (city,) = search(site, "honó")["busiest_airports_by_delays"]["values"]
    assert city["fragments"] == [
        {"text": "Hono", "found": True},
        {"text": "lulu, HI", "found": False},
    ]


def test_a_row_holds_every_word_in_any_column(site: Site) -> None:
    flights = search(site, "delta boston 2013-02-01", "&limit=100")["flight_delay_data"]
    query = (
        "/api/flight_delay_data/?Airline_Name__startswith=Delta&Flight_Date=2013-02-01&limit=10000"
        "&Destination_City__startswith=Boston"
    )
    rows = [list(row.values()) for row in site.get(query).json()["results"]]
    assert flights["rows"] == rows
    assert rows
    assert search(site, "delta nosuchword")["flight_delay_data"]["rows"] == []


def test_numbers_are_found_as_they_are_written(site: Site) -> None:
    for q in ("11.7", "1.7", "11"):
        result = search(site, q, "&limit=100&table=delays_by_day")["delays_by_day"]
        assert result["values"]
        assert all(q in value["value"] for value in result["values"])
        assert all(any(q in str(value) for value in row) for row in result["rows"])


@pytest.mark.parametrize("q", ["a", "ma", "1", "-", "10"])
def test_short_words_have_bounded_answers(site: Site, q: str) -> None:
    for table in search(site, q).values():
        assert len(table["values"]) <= 10
        assert len(table["rows"]) <= 10
        assert table["values_found"] >= len(table["values"])


def test_pages_of_a_table_follow_each_other(site: Site) -> None:
    params = "&table=flight_delay_data&limit=5"
    pages = [search(site, "york", f"{params}&offset={n}")["flight_delay_data"] for n in (0, 5)]
    whole = search(site, "york", "&table=flight_delay_data&limit=10")["flight_delay_data"]
    for part in ("rows", "values"):
        assert pages[0][part] + pages[1][part] == whole[part]


@pytest.mark.parametrize("q", ["%", "_", "\\", "'", '"', "' OR 1=1 --", "{}", "<b>", "%(x)s"])
def test_no_character_is_a_wildcard_in_search(site: Site, q: str) -> None:
    for table in search(site, q).values():
        words = q.lower().split()
        for row in table["rows"]:
            text = " ".join(map(str, row)).lower()
            assert all(word in text for word in words)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("", "q="),
        ("?q=", "q="),
        ("?q=%20", "q="),
        (f"?q={'x' * 101}", "100"),
        ("?q=a%00b", "q="),
        ("?q=a+b+c+d+e+f+g+h+i", "9 words"),
        ("?q=a&table=nowhere", "delays_by_day"),
        ("?q=a&limit=x", "limit"),
        ("?q=a&columns=City", "offset"),
    ],
)
def test_an_invalid_search_is_refused_with_the_reason(site: Site, query: str, says: str) -> None:
    response = site.get(f"/api/search{query}")
    assert response.status in (400, 404), response.body
    assert says in response.body.decode()
    json.loads(response.body)


def test_a_search_response_states_its_versions_and_is_cached(site: Site) -> None:
    site.get("/api/search?q=chicago")
    response = site.get("/api/search?q=chicago")
    assert len(response.headers["x-airsense-version"].split(", ")) == len(TABLES)
    same = site.get("/api/search?q=chicago", If_None_Match=response.headers["etag"])
    assert (same.status, same.body) == (304, b"")


def understood(site: Site, q: str) -> list[tuple[str, str, bool]]:
    response = site.get(f"/api/search?q={quote(q)}&limit=1").json()
    return [(part["kind"], part["url"], part["exact"]) for part in response["understood"]]


def test_a_search_states_what_it_understood(site: Site) -> None:
    assert understood(site, "JetBlue 583 from JFK to orlando on 9 Feb 2013") == [
        ("flight", "/flights/B6-583/", True),
        ("airport", "/airports/JFK/", True),
        ("city", "/airports/MCO/", True),
        ("day", "/days/2013-02-09/", True),
    ]
    assert understood(site, "Jetbleu") == [("airline", "/airlines/B6/", False)]
    assert understood(site, "NYC") == [("city", "/search?q=New%20York%2C%20NY", True)]
    routes = site.get("/api/search?q=Miami%20from%20NYC").json()["routes"]
    assert [route["url"] for route in routes] == [
        f"/routes/{origin}-MIA/" for origin in ("LGA", "JFK", "EWR")
    ]


@pytest.mark.parametrize(
    "q", ["2013-02-09", "9 Feb 2013", "2/9/2013", "February 9th, 2013", "9.2.2013", "20130209"]
)
def test_a_date_matches_only_itself(site: Site, q: str) -> None:
    tables = search(site, q, "&limit=100")
    assert {v for table in tables.values() for v in values(table)} == {"2013-02-09"}
    for name in ("performance_by_date", "flight_delay_data"):
        day = tables[name]["columns"].index("Flight_Date")
        assert {row[day] for row in tables[name]["rows"]} == {"2013-02-09"}
    assert tables["delays_by_day"]["rows"] == []


@pytest.mark.parametrize("q", ["2014-02-09", "9 Feb 2014", "2013-02-30", "2013-13-01"])
def test_a_date_without_flights_matches_nothing(site: Site, q: str) -> None:
    assert not any(table["values"] or table["rows"] for table in search(site, q).values())


def test_close_matches_are_stated_if_nothing_matches(site: Site) -> None:
    def close(q: str) -> list[str]:
        return [thing["url"] for thing in site.get(f"/api/search?q={quote(q)}").json()["close"]]

    assert close("2014-02-09") == ["/days/2013-02-09/", "/days/2013-12-31/"]
    assert close("AA 9999")[-1] == "/airlines/AA/"
    assert close("orlnado nosuchword") == ["/airports/MCO/"]
    assert close("JFK") == []


@pytest.mark.parametrize(
    ("q", "same"),
    [
        *(("B6", "Airline_Code=B6"), ("jet blue", "Airline_Code=B6")),
        *(("B6 583", "Airline_Code=B6&Flight_Number=583"), ("ORD", "Destination=ORD")),
        *(("o'hare", "Destination=ORD"), ("JFK to MCO", "Origin=JFK&Destination=MCO")),
        ("flights from NYC to Chicago", "Destination_City=Chicago,%20IL"),
        ("Delta from LaGuardia on 9 Feb 2013", "Airline_Code=DL&Origin=LGA&Flight_Date=2013-02-09"),
    ],
)
def test_names_and_codes_find_exactly_their_flights(site: Site, q: str, same: str) -> None:
    table = search(site, q, "&limit=100")["flight_delay_data"]
    expected = site.get(f"/api/flight_delay_data/?{same}&limit=100&count=exact")
    linked = site.get(f"{table['url']}&limit=100&count=exact")
    assert table["rows"] == [list(row.values()) for row in expected.json()["results"]]
    assert linked.json()["results"] == expected.json()["results"]
    assert linked.headers["x-airsense-count"] == expected.headers["x-airsense-count"]
    assert site.get(table["explorer"]).status == 200


@pytest.mark.parametrize("q", ["san", "new york", "jfk mco", "delta boston", "honlulu", "11.7"])
def test_the_link_of_a_table_leads_to_exactly_its_matching_rows(site: Site, q: str) -> None:
    linked = 0
    for table in search(site, q, "&limit=100").values():
        if table["url"]:
            rows = site.get(f"{table['url']}&limit=100").json()["results"]
            assert table["rows"] == [list(row.values()) for row in rows], table["url"]
            linked += 1
        else:
            assert table["rows"] == []
    assert linked


def test_search_covers_published_versions_and_drops_pruned_ones(fresh: Platform) -> None:
    fresh.env["VERSIONS_KEPT"] = "1"
    for day in range(1, 4):
        fresh.ingest(f"2013-01-0{day},Ünïted {day},A,B,1,2")
        fresh.manage("transfer", "flight_delay_data")
    with fresh.site(processes=1) as site:
        assert values(search(site, "united")["flight_delay_data"]) == ["Ünïted 3"]
        assert values(search(site, "unitde 3")["flight_delay_data"])[0] in ("3", "Ünïted 3")
    names = "SELECT count(*) FROM pg_class WHERE relname ~ '^flight_delay_data__v[0-9]+__values$'"
    printed = fresh.python(
        "from django.db import connection as c; u = c.cursor();"
        f"u.execute({names!r}); print(u.fetchone()[0])"
    )
    assert 0 < int(printed.split()[-1]) < 3


def test_setup_makes_the_dictionaries_that_versions_lack(fresh: Platform) -> None:
    fresh.ingest("2013-01-01,Alpha,A,B,1,2")
    fresh.manage("transfer", "delays_by_day")
    dropped = "DROP TABLE delays_by_day__v1__values"
    fresh.python(f"from django.db import connection as c; c.cursor().execute({dropped!r})")
    fresh.manage("setup")
    with fresh.site(processes=1) as site:
        assert values(search(site, "tuesday")["delays_by_day"]) == ["Tuesday"]
