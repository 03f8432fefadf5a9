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


def check_invariants(answer: Response, path: str) -> Response:
    """Check the invariants of every response."""
    assert answer.status in (200, 304) or 400 <= answer.status < 500, answer.body
    if answer.status >= 400:
        assert not INSIDE.search(answer.body), answer.body
        if answer.headers["content-type"].startswith("text/html"):
            assert "format=api" in path.lower(), path  # only this format is a page
        else:
            well_formed(answer, path)
    return answer


def well_formed(answer: Response, path: str) -> None:
    """Check that an error has exactly the fields of its route."""
    body, kind = answer.json(), answer.headers["content-type"]
    if kind == PROBLEM:
        assert {"type", "title", "status", "detail"} <= body.keys(), body
        assert body.keys() <= {"type", "title", "status", "detail", "allowed"}, body
        assert (body["type"], body["status"]) == ("about:blank", answer.status)
        before_routes = answer.status in (408, 413, 414, 415) or "not UTF-8" in body["detail"]
        assert before_routes or not path.startswith((*FIRST, GRAPHQL)), path
    elif path.startswith(GRAPHQL):
        assert body["errors"][0]["extensions"]["status"] == answer.status
    else:
        assert path.startswith(FIRST), (path, kind)
        assert kind == "application/json"
        assert body["error"] == body["message"] == body["detail"]
        assert body.keys() <= {"error", "message", "detail", "allowed"}


def timely(site: Site, method: str, path: str, **headers: str) -> Response:
    """Send a request, and check that the response meets the timeout of the tables."""
    began = time.monotonic()
    answer = check_invariants(site.ask(method, path, None, **headers), path)
    assert time.monotonic() - began < settings.READER_TIMEOUT_MS / 1000 + SLACK, path
    return answer


def meaning(answer: Response) -> object:
    """Normalize a response: the order of parameters in links, and which error is named, vary."""
    if answer.status >= 400:
        return answer.status
    if not answer.headers.get("content-type", "").startswith("application/json"):
        return answer.status, answer.body
    body = json.loads(answer.body)
    if isinstance(body, dict):
        links = {n: sorted(parse_qsl(str(body[n]))) for n in ("next", "previous") if n in body}
        body = {**body, **links}
    return answer.status, body


def same_through_the_cache(site: Site, path: str) -> None:
    responses = [timely(site, "GET", path) for _ in range(2)]
    responses.append(timely(site, "GET", path, **SESSION))
    first, *others = map(meaning, responses)
    assert others == [first, first], path
    assert site.ask("HEAD", path).status == responses[0].status
