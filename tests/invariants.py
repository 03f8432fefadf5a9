"""Invariants of every response: status, format, time, and no leaked internals."""

import json
import re
import time
from urllib.parse import parse_qsl

from django.conf import settings

from flights.errors.responses import PROBLEM
from tests.platform import Response, Site

AIRLINES = "/api/airline_performance/"
DYNAMIC = "/api/dynamic_query?table_name=airline_performance"
SEARCH = "/api/search"
GRAPHQL = "/api/graphql"
SESSION = {"Cookie": "sessionid=none"}  # bypasses the response cache
INSIDE = re.compile(
    rb'Traceback|File "|psycopg|site-packages|SELECT .* FROM|__v\d+["\s]|/home/|/work/'
)


NAMES = [
    *("limit", "offset", "order_by", "columns", "cursor", "count", "facets", "format", "group_by"),
    *("aggregate", "having", "or", "Airline_Name", "Airline_Name__in", "Airline_Name__icontains"),
    *("Total_Flights__gte", "Total_Flights__in", "Avg_Arrival_Delay", "Airline_Name__regex", "pk"),
]
FIRST = ("/api/dynamic_query", "/api/advanced_search")
SLACK = 2.0  # seconds beyond the statement timeout, for a busy machine


def check_invariants(response: Response, path: str) -> Response:
    """Check the invariants of every response."""
    assert response.status in (200, 304) or 400 <= response.status < 500, response.body
    if response.status >= 400:
        assert not INSIDE.search(response.body), response.body
        if response.headers["content-type"].startswith("text/html"):
            assert "format=api" in path.lower(), path  # only this format is a page
        else:
            well_formed(response, path)
    return response


def well_formed(response: Response, path: str) -> None:
    """Check that an error has exactly the fields of its route."""
    body, kind = response.json(), response.headers["content-type"]
    if kind == PROBLEM:
        assert {"type", "title", "status", "detail"} <= body.keys(), body
        assert body.keys() <= {"type", "title", "status", "detail", "allowed"}, body
        assert (body["type"], body["status"]) == ("about:blank", response.status)
        before_routes = response.status in (408, 413, 414, 415) or "not UTF-8" in body["detail"]
        assert before_routes or not path.startswith((*FIRST, GRAPHQL)), path
    elif path.startswith(GRAPHQL):
        assert body["errors"][0]["extensions"]["status"] == response.status
    else:
        assert path.startswith(FIRST), (path, kind)
        assert kind == "application/json"
        assert body["error"] == body["message"] == body["detail"]
        assert body.keys() <= {"error", "message", "detail", "allowed"}


def timely(site: Site, method: str, path: str, **headers: str) -> Response:
    """Send a request, and check that the response meets the timeout of the tables."""
    began = time.monotonic()
    response = check_invariants(site.request(method, path, None, **headers), path)
    assert time.monotonic() - began < settings.READER_TIMEOUT_MS / 1000 + SLACK, path
    return response


def meaning(response: Response) -> object:
    """Normalize a response: the order of parameters in links, and which error is named, vary."""
    if response.status >= 400:
        return response.status
    if not response.headers.get("content-type", "").startswith("application/json"):
        return response.status, response.body
    body = json.loads(response.body)
    if isinstance(body, dict):
        links = {n: sorted(parse_qsl(str(body[n]))) for n in ("next", "previous") if n in body}
        body = {**body, **links}
    return response.status, body


def same_through_the_cache(site: Site, path: str) -> None:
    """Check that a path has the same response with and without the response cache."""
    responses = [timely(site, "GET", path) for _ in range(2)]
    responses.append(timely(site, "GET", path, **SESSION))
    first, *others = map(meaning, responses)
    assert others == [first, first], path
    assert site.request("HEAD", path).status == responses[0].status
