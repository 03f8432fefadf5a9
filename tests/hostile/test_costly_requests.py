"""Small requests that cost much: GraphQL counts them, and slots keep cheap queries fast."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from graphql import get_introspection_query

from flights.access import rate_limiter
from flights.query.shared_slots import MEDIUM_QUERIES, PATIENCE, QUERIES
from tests import query_slots
from tests.graphql import data, post, refused
from tests.platform import Platform, Response, Site, until

FLIGHTS = "/api/flight_delay_data/"
SLOW = "or=" + ",".join(f"Origin_City__icontains:q{n}" for n in range(50))
MEDIUM = f"{FLIGHTS}?or=Airline_Name__icontains:qq,Origin_City__icontains:qq&limit="
LIGHT = f"{FLIGHTS}?columns=Flight_Date&limit=1"
TYPES = "types { name fields { name type { name ofType { name } } } }"


def schemas(aliases: int) -> str:
    """One small operation that requests the schema many times."""
    repeated = " ".join(f"a{i}: __schema {{ {TYPES} }}" for i in range(aliases))
    return f"{{ {repeated} }}"


@pytest.fixture(scope="module")
def fast(demo: Platform) -> Iterator[Site]:
    """A server with a very short timeout for operations."""
    own = Platform({**demo.env, "GRAPHQL_TIMEOUT_MS": "300", "HEAVY_AT_ONCE": "1"})
    with own.site(processes=1) as site:
        yield site


@contextmanager
def counting(demo: Platform, limit: str) -> Iterator[Site]:
    """A server with a request count of its own, which other tests do not share."""
    env = {**demo.env, "THROTTLE_PER_MINUTE": limit, "REDIS_PREFIX": f"costly{limit}:"}
    with Platform(env).site(processes=1) as site:
        yield site


def remaining_requests(response: Response) -> int:
    """The remaining requests of this client in its minute."""
    return int(response.headers["ratelimit"].split("r=")[1].split(";")[0])


def test_the_schema_cannot_be_repeated_in_one_operation(site: Site) -> None:
    message = refused(post(site, schemas(40)))
    assert "at most 100,000 values" in message
    assert "2 for each value of the schema" in message


def test_a_tool_reads_the_whole_schema_at_once(site: Site) -> None:
    assert data(post(site, get_introspection_query()))["__schema"]["queryType"]["name"] == "Query"


def test_an_operation_counts_as_many_requests_as_it_has_queries(demo: Platform) -> None:
    field = 'delays_by_day(where: {Day_of_Week: {gte: "A"}}) { count }'
    ten = " ".join(f"a{number}: {field}" for number in range(10))
    with counting(demo, "60") as site:
        responses = [post(site, f"{{ {ten} }}") for _ in range(14)]  # a minute may end in between
    assert [response.status for response in responses[:3]] == [200] * 3
    last = next(response for response in responses if response.status != 200)
    assert "More than 60 requests a minute" in refused(last, 429)


def test_a_read_of_the_whole_schema_counts_as_several_requests(demo: Platform) -> None:
    with counting(demo, "600") as site:
        # Begin when the minute has more than 5 s left, because the count starts again after it.
        until(lambda: rate_limiter._window("127.0.0.1")[1] > 5, 10)
        before = remaining_requests(post(site, "{ __typename }"))
        after = remaining_requests(post(site, get_introspection_query()))
    assert before - after >= 2


def test_an_operation_ends_with_its_time_and_the_next_query_has_the_usual_time(fast: Site) -> None:
    conditions = ", ".join(f'{{Origin_City: {{icontains: "q{n}"}}}}' for n in range(50))
    field = (
        f"flight_delay_data(where: {{or: [{conditions}]}}, limit: 1) {{ rows {{ Origin_City }} }}"
    )
    assert "took too long" in refused(post(fast, f"{{ {field} }}"), 503)
    assert fast.get(f"{FLIGHTS}?{SLOW}&limit=1").status == 200  # takes longer than 300 ms


def test_a_medium_query_waits_a_moment_for_a_slot(site: Site) -> None:
    with ThreadPoolExecutor(1) as pool:
        with query_slots.all_taken(MEDIUM_QUERIES):
            response = pool.submit(site.get, f"{MEDIUM}3")
            time.sleep(PATIENCE / 2)
        assert response.result().status == 200


def test_medium_queries_have_slots_of_their_own(site: Site) -> None:
    with query_slots.all_taken(MEDIUM_QUERIES):
        response = site.get(f"{MEDIUM}1")
        assert (response.status, response.headers["retry-after"]) == (503, "1")
        assert f"{MEDIUM_QUERIES.at_once} medium queries" in response.json()["detail"]
        assert site.get(LIGHT).status == 200
        assert site.get(f"{FLIGHTS}?{SLOW}&limit=2").status == 200
    with query_slots.all_taken(QUERIES):
        assert site.get(f"{MEDIUM}2").status == 200
        assert site.get(LIGHT).status == 200
