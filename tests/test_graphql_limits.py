"""GraphQL refuses invalid, too large and hostile queries with the reason."""

import json
from typing import Any

import pytest

from flights.query.cursor import Position
from tests.graphql import PATH, get, post, refused
from tests.platform import Site

WRONG = {
    "{ nowhere { rows } }": "Cannot query field 'nowhere'",
    "{ delays_by_day { rows { Nope } } }": "Cannot query field 'Nope'",
    "{ delays_by_day { rows } }": "must have a selection",
    "{ delays_by_day(": "Syntax Error",
    "": "query is missing",
    '{ delays_by_day(order_by: "Nope") { version } }': "has no column 'Nope'",
    "{ delays_by_day(limit: -1) { version } }": "limit: '-1' is not a whole number",
    '{ delays_by_day(limit: "1") { version } }': "not a whole number",
    "{ delays_by_day(limit: 1.5) { version } }": "not a whole number",
    f"{{ delays_by_day(offset: {'9' * 20}) {{ version }} }}": "rows of offset",
    f"{{ delays_by_day(limit: {'9' * 9_000}) {{ version }} }}": "whole number",
    '{ delays_by_day(cursor: "x") { version } }': "The cursor is of another query",
    '{ delays_by_day(cursor: "", offset: 1) { version } }': "cursor cannot be combined with offset",
    "{ delays_by_day(where: {Nope: {exact: 1}}) { version } }": "unknown field 'Nope'",
    "{ delays_by_day(where: {Total_Flights: {near: 1}}) { version } }": "unknown field 'near'",
    '{ delays_by_day(where: {Total_Flights: {gt: "1"}}) { version } }': "whole number",
    '{ delays_by_day(where: {Day_of_Week: {gt: "\\u0000"}}) { version } }': "Null",
    "{ delays_by_day(where: {Day_of_Week: {gt: null}}) { version } }": "is null",
    "{ delays_by_day(where: {not: {}}) { version } }": "no condition",
    "{ delays_by_day(where: {or: []}) { version } }": "no condition",
    '{ flight_delay_data(where: {Flight_Date: {gt: "2013-13-01"}}) { version } }': "a date",
    '{ delays_by_day_groups(having: "nope:1") { rows { count } } }': "has no column 'nope'",
    "{ flight_delay_data_groups { rows { percentile(p: 100) { Arrival_Delay_Minutes } } } }": (
        "unknown function"
    ),
    '{ search(q: "") { limit } }': "a text of 1 to 100",
    '{ search(q: "a", table: "nope") { limit } }': "There is no table",
    "mutation { delays_by_day { version } }": "mutation",
    "subscription { delays_by_day { version } }": "subscription",
    "{ delays_by_day { version } } { delays_by_day { version } }": "anonymous",
    "{ a: delays_by_day { version } a: airline_performance { version } }": "conflict",
}


@pytest.mark.parametrize("query", WRONG)
def test_an_invalid_query_is_refused_with_what_is_wrong(site: Site, query: str) -> None:
    response = post(site, query)
    assert WRONG[query] in refused(response, response.status)
    assert response.status == (404 if "nope" in query and "search" in query else 400)


@pytest.mark.parametrize("value", [None, "5", True, [1], {"a": 1}, 1.5, "\0", ["\0"]])
def test_a_variable_of_a_wrong_type_is_refused(site: Site, value: Any) -> None:
    query = "query ($n: Long!) { delays_by_day(limit: $n) { version } }"
    assert "$n" in refused(post(site, query, n=value))


def test_a_variable_that_is_missing_is_named(site: Site) -> None:
    query = "query ($n: Long!) { delays_by_day(limit: $n) { version } }"
    assert "$n" in refused(post(site, query))


def nested(before: str, times: int, inner: str, after: str) -> str:
    return before * times + inner + after * times


def aliases(count: int) -> str:
    return " ".join(f"a{i}: delays_by_day {{ count(way: estimated) }}" for i in range(count))


def doubling() -> str:
    """A field for each of 2^60 ways through the fragments."""
    fragments = [
        f"fragment f{i} on DelaysByDayPage {{ ...f{i + 1} ...f{i + 1} }}" for i in range(60)
    ]
    last = "fragment f60 on DelaysByDayPage { version }"
    return " ".join(["{ delays_by_day { ...f0 } }", *fragments, last])


FLIGHTS = (
    "flight_delay_data(limit: 10000)"
    " { rows { Flight_Date Airline_Name Origin_City Destination_City } }"
)
CONDITION = '{Day_of_Week: {gt: "a"}}'
HOSTILE = {
    "aliases": (f"{{ {aliases(300)} }}", "more than 2000 tokens"),
    "one alias": ("{ " + "a: __typename " * 600 + "}", "more than 500 fields"),
    "text": (f"{{ __typename }} #{'x' * 30_000}", "more than 20000"),
    "comments": ("#\n" * 9_000 + "{ __typename }", "comments"),
    "braces": ("{ a" * 5_000, "too deeply"),
    "lists": ("{ a(b: " + "[" * 1_900, "Syntax Error"),
    "objects": (
        f"{{ delays_by_day(where: {nested('{not: ', 400, '{}', '}')}) {{ version }} }}",
        "",
    ),
    "conditions": (
        f"{{ delays_by_day(where: {nested('{not: ', 9, CONDITION, '}')}) {{ version }} }}",
        "nested deeper than 8",
    ),
    "introspection": (
        f"{{ __schema {{ types {nested('{ fields { type ', 9, '{ name }', ' } }')} }} }}",
        "introspection depth",
    ),
    "introspection by fragments": (
        "{ __schema { types { ...a } } }"
        " fragment a on __Type { fields { type { ...b } } }"
        " fragment b on __Type { fields { type { ...c } } }"
        " fragment c on __Type { fields { type { fields { name } } } }",
        "introspection depth",
    ),
    "types of types": (
        f"{{ __schema {{ queryType {nested('{ ofType ', 20, '{ name }', ' }')} }} }}",
        "nested deeper than 20",
    ),
    "a cycle": (
        "{ delays_by_day { ...a } } fragment a on DelaysByDayPage { ...b }"
        " fragment b on DelaysByDayPage { ...a }",
        "within itself",
    ),
    "doubling": (doubling(), "more than 500 fields"),
    "directives": ("{ __typename " + "@skip(if: false) " * 200 + "}", "'@skip' can only be used"),
    "unknown directives": ("{ __typename " + "@nope " * 900 + "}", "@nope"),
    "queries": (f"{{ {aliases(11)} }}", "at most 10 queries"),
    "values of one column": (
        "{ flight_delay_data(limit: 10000) { rows { "
        + " ".join(f"a{i}: Airline_Name" for i in range(11))
        + " } } }",
        "at most 100,000 values",
    ),
    "values": (
        f"{{ a: {FLIGHTS} b: {FLIGHTS} c: {FLIGHTS} }}",
        "at most 100,000 values",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_query_is_refused(site: Site, name: str) -> None:
    query, says = HOSTILE[name]
    response = post(site, query)
    messages = [error["message"] for error in response.json()["errors"]]
    assert response.status in (200, 400)
    assert any(says in message for message in messages), messages


def test_fields_within_the_limits_are_answered_beside_refused_ones(site: Site) -> None:
    body = post(site, f"{{ {aliases(11)} }}").json()
    assert body["data"]["a9"] == {"count": 7}
    assert body["data"]["a10"] is None
    assert [error["path"] for error in body["errors"]] == [["a10", "count"]]


BODIES = [
    (b"[]", "application/json", 400, "no batching"),
    (b'[{"query": "{ __typename }"}]', "application/json", 400, "no batching"),
    (b"{", "application/json", 400, "not JSON"),
    (b"", "application/json", 400, "not JSON"),
    (b"[" * 60_000, "application/json", 400, "depth limit exceeded"),
    (b'{"query": {}}', "application/json", 400, "query is missing"),
    (b'{"query": "{ __typename }", "variables": []}', "application/json", 400, "an object"),
    (b'{"query": "{ __typename }", "extensions": []}', "application/json", 400, "an object"),
    (b'{"query": "{ __typename }", "more": 1}', "application/json", 400, "no parameter 'more'"),
    (b'"' + b"x" * 70_000 + b'"', "application/json", 413, "65,536 bytes"),
    (b"query=%7B__typename%7D", "application/x-www-form-urlencoded", 415, "media type"),
    (b"\xff", "application/json", 400, "not JSON"),
]


@pytest.mark.parametrize(("body", "type_", "status", "says"), BODIES)
def test_a_wrong_body_is_refused(
    site: Site, body: bytes, type_: str, status: int, says: str
) -> None:
    response = site.request("POST", PATH, body, Content_Type=type_)
    assert says in refused(response, status)


def test_thousands_of_aliases_are_refused(site: Site) -> None:
    assert "65,536 bytes" in refused(post(site, f"{{ {aliases(1_500)} }}"), 413)
    assert (
        "the limit is 100,000"
        in site.request(
            *("POST", "/api/graphql", json.dumps({"query": aliases(10_000)}).encode())
        ).body.decode()
    )


def test_a_deep_variable_is_refused(site: Site) -> None:
    value: dict[str, Any] = {"Day_of_Week": {"gt": "a"}}
    for _ in range(400):
        value = {"not": value}
    query = "query ($w: DelaysByDayWhere) { delays_by_day(where: $w) { version } }"
    assert "nested" in refused(post(site, query, w=value))


def test_a_cursor_of_a_pruned_version_is_refused_with_the_reason(site: Site) -> None:
    query = "query ($c: String) { delays_by_day(cursor: $c) { next } }"
    response = post(site, query, c=str(Position(999, False, [1])))
    assert "Version 999 is not available" in refused(response, 410)


def test_an_invalid_get_is_refused(site: Site) -> None:
    assert "'nope'" in refused(site.get(f"{PATH}?query=%7B__typename%7D&nope=1"))
    twice = site.get(f"{PATH}?query=%7B__typename%7D&query=%7B__typename%7D")
    assert "appears 2 times" in refused(twice)
    assert "query is missing" in refused(site.get(PATH))
    assert "not JSON" in refused(site.get(f"{PATH}?query=%7B__typename%7D&variables=x"))
    assert refused(get(site, "mutation { delays_by_day { version } }"))


def test_one_of_several_operations_is_run(site: Site) -> None:
    body = {"query": "query a { __typename } query b { delays_by_day { version } }"}
    for name, status in [("b", 200), ("c", 400), (None, 400)]:
        request = json.dumps({**body, "operationName": name}).encode()
        response = site.request("POST", PATH, request, Content_Type="application/json")
        assert response.status == status
    assert "a, b" in refused(response)
