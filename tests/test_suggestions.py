"""Suggestions: what the beginning of a text may become, limited to what flights connect."""

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.platform import Platform, Site, until


def suggestions(site: Site, **params: str) -> list[dict[str, Any]]:
    address = urlencode({name.rstrip("_"): value for name, value in params.items()})
    response = site.get(f"/api/search/suggest?{address}")
    assert response.status == 200, response.body
    listed: list[dict[str, Any]] = response.json()["suggestions"]
    return listed


def test_a_suggestion_leads_to_a_page_and_states_its_flights(site: Site) -> None:
    assert suggestions(site, q="orla") == [
        {
            "kind": "airport",
            "name": "Orlando International (MCO)",
            "detail": "Orlando, FL",
            "value": "MCO",
            "url": "/airports/MCO/",
            "flights": 14_082,
        }
    ]


def test_fields_of_a_form_get_only_what_flights_connect(site: Site) -> None:
    origins = suggestions(site, q="", kind="origin")
    assert {thing["value"] for thing in origins} == {"EWR", "JFK", "LGA"}
    from_there = suggestions(site, q="o", kind="destination", from_="LaGuardia")
    assert {"MCO", "ORD"} <= {thing["value"] for thing in from_there}
    assert "OAK" not in {thing["value"] for thing in from_there}
    flying = suggestions(site, kind="airline", from_="JFK", to="Orlando International (MCO)")
    assert [(a["value"], a["flights"]) for a in flying] == [
        *(("B6", 3_304), ("DL", 1_430), ("AA", 730))
    ]
    reached = suggestions(site, q="", kind="destination", airline="Hawaiian")
    assert [(a["value"], a["flights"]) for a in reached] == [("HNL", 342)]


def test_a_text_without_letters_or_digits_suggests_nothing(site: Site) -> None:
    assert suggestions(site, q="–") == suggestions(site, q="\N{GRINNING FACE}") == []  # noqa: RUF001


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("kind=ship", "destination"),
        ("limit=many", "limit"),
        ("q=a&q=b", "2 times"),
        ("size=3", "airline"),
        (f"q={'x' * 101}", "100"),
        ("q=a%00", "NUL"),
        ("from=Atlantis", "no airport is called 'Atlantis'"),
        ("kind=airport&from=orlnado", "MCO"),
        ("airline=zz", "no airline"),
    ],
)
def test_an_invalid_request_is_refused_with_the_reason(site: Site, query: str, says: str) -> None:
    response = site.get(f"/api/search/suggest?{query}")
    assert response.status == 400, response.body
    assert says in response.body.decode()


def test_suggestions_are_cached_until_a_table_is_published(site: Site) -> None:
    query = "/api/search/suggest?q=chi"
    until(lambda: site.get(query).headers["x-airsense-cache"] == "hit")  # each process has a cache
    same = site.get(query, If_None_Match=site.get(query).headers["etag"])
    assert same.status == 304


def test_without_published_tables_there_are_no_suggestions(fresh: Platform) -> None:
    fresh.manage("setup")
    with fresh.site(processes=1) as site:
        response = site.get("/api/search/suggest?q=jfk")
        assert (response.json()["suggestions"], response.headers["cache-control"]) == (
            [],
            "no-store",
        )
        assert site.get("/search?q=jfk").status == 200
