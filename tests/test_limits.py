"""Limits of a request: larger ones are refused with the limit."""

import http.client
import re
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from flights.query import limits
from tests.platform import Site

DAYS, FLIGHTS = "/api/delays_by_day/", "/api/flight_delay_data/"
DYNAMIC = "/api/dynamic_query?table_name=delays_by_day"
COLUMN = "Total_Flights"


def several(count: int, each: str, between: str = ",") -> str:
    return between.join(each.format(n=n) for n in range(count))


TOO_MUCH = {
    "parameters": several(51, "x{n}=1", "&"),
    "values of in": f"{COLUMN}__in={several(501, '{n}')}",
    "conditions of or": f"or={several(51, COLUMN + ':{n}')}",
    "columns": f"columns={several(101, COLUMN)}",
    "columns of order_by": f"order_by={several(11, COLUMN)}",
    "values of aggregate": f"aggregate={several(21, 'p{n}1:' + COLUMN)}",
    "rows of offset": "offset=1000001",
}


@pytest.mark.parametrize(("what", "query"), TOO_MUCH.items(), ids=TOO_MUCH)
def test_requests_above_a_limit_are_refused_with_the_limit(
    site: Site, what: str, query: str
) -> None:
    for path in (f"{DAYS}?", f"{DYNAMIC}&"):
        response = site.get(path + query)
        assert response.status == 400
        body = response.json()
        detail = body.get("detail") or body["error"]
        assert re.match(rf"[\d,]+ {what} exceed the limit of [\d,]+ in one request", detail)


@pytest.mark.parametrize(
    "query",
    [
        f"{COLUMN}__in={several(500, '{n}')}",
        f"or={several(50, COLUMN + ':{n}')}",
        f"order_by={several(10, COLUMN)}",
        f"aggregate={','.join(f'p{n}:{COLUMN}' for n in range(1, 21))}",
        "offset=1000000",
    ],
)
def test_requests_within_the_limits_are_answered(site: Site, query: str) -> None:
    assert site.get(f"{DAYS}?{query}").status == 200


def test_conditions_of_where_are_filters(site: Site) -> None:
    response = site.get(f"{DYNAMIC}&where={several(51, COLUMN + '__not:{n}')}")
    assert response.status == 400
    assert "the limit of 50" in response.json()["error"]


@pytest.mark.parametrize("path", [DAYS, DYNAMIC, "/api/search", "/api/nowhere", "/api/"])
def test_a_long_address_is_refused_with_its_length(site: Site, path: str) -> None:
    sign = "&" if "?" in path else "?"
    response = site.get(f"{path}{sign}{'a' * limits.ADDRESS}", Accept="*/*")
    assert response.status == 414
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["title"] == "URI Too Long"  # of RFC 9110, whatever Python's version
    assert "the limit is 8,000" in response.json()["detail"]


def test_a_page_with_a_long_address_says_so(site: Site) -> None:
    response = site.get(f"/explorer?{'a' * limits.ADDRESS}", Accept="text/html")
    assert (response.status, b"<h1>The address has" in response.body) == (414, True)


def test_an_address_that_the_server_itself_cannot_take_is_refused(site: Site) -> None:
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc)
    connection.request("GET", f"{DAYS}?{'a' * 100_000}")
    assert connection.getresponse().status == 414
    connection.close()


def test_too_many_parameters_are_refused(site: Site) -> None:
    response = site.get(f"{DAYS}?{'a&' * 1_500}", Accept="*/*")
    assert (response.status, response.json()["title"]) == (400, "Bad Request")


def test_a_long_body_is_refused_before_it_is_read(site: Site) -> None:
    body = b'{"query": "%s"}' % (b"a" * settings.BODY_LIMIT)
    response = site.request("POST", "/api/advanced_search", body, Content_Type="application/json")
    assert (response.status, response.json()["status"]) == (413, 413)
