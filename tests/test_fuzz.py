"""Random queries, documents and cursors are answered or refused, and cause no server error."""

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tests.invariants import (
    AIRLINES,
    DYNAMIC,
    GRAPHQL,
    NAMES,
    SEARCH,
    check_invariants,
    same_through_the_cache,
    timely,
)
from tests.json_schema import violations
from tests.platform import Site

PIECES = st.one_of(
    st.sampled_from(["Airline_Name", "Total_Flights", "avg:Total_Flights", "count", "-", "1", "0"]),
    st.sampled_from(["__gte", "__nulls_first", "__in", "__not", ":", ",", '"', "%", "'", "\0"]),
    st.text(max_size=8),
    st.integers().map(str),
    st.floats().map(str),
)
VALUES = st.lists(PIECES, max_size=6).map("".join)
PARAMETERS = st.tuples(st.one_of(st.sampled_from(NAMES), VALUES), VALUES)
QUERIES = st.lists(PARAMETERS, max_size=5).map(
    lambda pairs: urlencode(
        [(n.encode("utf-8", "replace"), v.encode("utf-8", "replace")) for n, v in pairs]
    )
)
DOCUMENTS = st.lists(
    st.one_of(
        st.sampled_from(["{", "}", "(", ")", "airline_performance", "rows", "limit:", "where:",
                         "Airline_Name", "groups", "count", "query", "fragment", "...", "@skip",
                         "$n", "search", '"', "[", "]", "1", "-1", "1e999", "null"]),
        st.text(max_size=5),
    ),
    max_size=25,
).map(" ".join)  # fmt: skip


def fuzz(examples: int) -> settings:
    """Settings with the same examples on every run, so that failures repeat."""
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


def schema_of_pages(site: Site) -> dict[str, Any]:
    """The described schema of a page of rows."""
    described = site.get("/api/schema?format=json").json()
    content = described["paths"][AIRLINES]["get"]["responses"]["200"]["content"]["application/json"]
    return {**content["schema"], "components": described["components"]}


def fuzz_queries(site: Site, examples: int) -> None:
    schema = schema_of_pages(site)

    @fuzz(examples)
    @given(QUERIES, st.sampled_from([f"{AIRLINES}?", f"{DYNAMIC}&", f"{SEARCH}?"]))
    def check(query: str, path: str) -> None:
        same_through_the_cache(site, path + query)
        response = site.get(path + query)
        kind = response.headers.get("content-type")
        if path.startswith(AIRLINES) and response.status == 200 and kind == "application/json":
            assert violations(schema, response.json()) == []

    check()


GROUPING = st.lists(
    st.one_of(
        st.sampled_from(["share:", "percent:", "disc90:", "p5:", "month:", "year:", "count"]),
        st.sampled_from(["Airline_Name", "Total_Flights", "Avg_Arrival_Delay", "Flight_Date"]),
        st.sampled_from([":", "/", ",", '"', '""', "__gte:", "__in:", "__not:", "1", "-1", "_"]),
        st.text(max_size=4),
    ),
    max_size=9,
).map("".join)


def fuzz_groups(site: Site, examples: int) -> None:
    path = "/api/flight_delay_data/?limit=3&"

    @fuzz(examples)
    @given(GROUPING, GROUPING, GROUPING)
    @example("share:Airline_Name:" + '"' * 501, "", "")
    @example("share:Airline_Name:a,share:Airline_Name__in:a", "month:Flight_Date", "count__gte:1")
    def check(aggregate: str, group_by: str, having: str) -> None:
        params = {"aggregate": aggregate, "group_by": group_by, "having": having}
        texts = {name: text.encode("utf-8", "replace") for name, text in params.items()}
        response = check_invariants(site.get(path + urlencode(texts)), path)
        if response.status == 200:
            names = [name for row in response.json()["results"] for name in row]
            assert all(len(name.encode()) <= 63 for name in names)

    check()


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just([])
)
POSITIONS = st.one_of(
    st.tuples(st.integers(0, 3), st.booleans(), st.lists(SCALARS, max_size=4)),
    st.tuples(st.just(1), st.booleans(), st.tuples(st.integers(), st.text(max_size=5))),
    st.tuples(SCALARS, SCALARS, SCALARS),
    SCALARS,
)


def fuzz_cursors(site: Site, examples: int) -> None:
    path = f"{AIRLINES}?Total_Flights__gte=1000&order_by=Total_Flights&limit=3&cursor="
    version = site.get(path).json()["version"]

    @fuzz(examples)
    @given(st.one_of(POSITIONS.map(json.dumps), st.text(max_size=9)))
    @example("[1, false, [null, null]]")  # of columns that are never null
    def check(position: str) -> None:
        cursor = base64.urlsafe_b64encode(position.encode("utf-8", "replace")).decode().rstrip("=")
        response = timely(site, "GET", path + cursor)
        assert response.status in (200, 400, 410), response.body
        if response.status == 200:
            assert response.json()["version"] == version
            assert all(row["Total_Flights"] >= 1_000 for row in response.json()["results"])

    check()


def fuzz_documents(site: Site, examples: int) -> None:
    @fuzz(examples)
    @given(DOCUMENTS)
    def check(document: str) -> None:
        body = json.dumps({"query": document}).encode()
        check_invariants(
            site.request("POST", GRAPHQL, body, Content_Type="application/json"), GRAPHQL
        )

    check()


def test_random_queries_are_answered_or_refused(site: Site) -> None:
    fuzz_queries(site, 100)


def test_random_groups_are_answered_or_refused(site: Site) -> None:
    fuzz_groups(site, 100)


def test_random_documents_are_answered_or_refused(site: Site) -> None:
    fuzz_documents(site, 100)


def test_forged_cursors_return_no_other_rows(site: Site) -> None:
    fuzz_cursors(site, 100)


@pytest.mark.deep
def test_many_random_queries_documents_and_cursors_cause_no_server_error(site: Site) -> None:
    fuzz_queries(site, 10_000)
    fuzz_groups(site, 5_000)
    fuzz_documents(site, 5_000)
    fuzz_cursors(site, 5_000)
