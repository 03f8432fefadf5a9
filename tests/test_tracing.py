"""Traces: one from a request, or a schedule, through the queue to the queries of the warehouse."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from airsense import data_folder
from tests.otlp import Collector, Span, collector
from tests.platform import Platform, Site, until
from tests.platforms import own_platform
from tests.warehouse.running import running

RECORDS = "2013-01-07,Alpha,X,Y,10,5\n2013-01-08,Beta,Y,X,1,2"
PHASES = {"reading", "copying", "indexing", "making the dictionary", "verifying", "checking"}
TRANSFER = "run transfers.tasks.transfer"
SCHEDULE = """
from django_celery_beat.models import IntervalSchedule, PeriodicTask
every, _ = IntervalSchedule.objects.get_or_create(every=2, period="seconds")
PeriodicTask.objects.create(name="mine", interval=every, args='["airports"]',
    task="transfers.tasks.transfer_tables")
"""


@pytest.fixture(scope="module")
def traces() -> Iterator[tuple[Collector, str]]:
    with collector() as (received, address):
        yield received, address


def tracing(address: str) -> dict[str, str]:
    """The settings of a platform that sends its spans to a collector."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": address,
        "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=airsense",
        "OTEL_BSP_SCHEDULE_DELAY": "200",  # milliseconds
    }


@pytest.fixture(scope="module")
def own(traces: tuple[Collector, str]) -> Iterator[Platform]:
    with own_platform(**tracing(traces[1]), LOG_FORMAT="json") as own:
        own.ingest(RECORDS)
        yield own


@pytest.fixture
def databricks(tmp_path: Path) -> Iterator[tuple[Platform, Collector]]:
    """A platform whose warehouse is a Databricks server, without spans of its preparation."""
    with collector() as (received, address), running(tmp_path) as server, own_platform() as own:
        file = own.csv(RECORDS)
        own = Platform(own.env | server.env)
        own.manage("ingest", str(file))
        own.manage("broker")
        yield Platform(own.env | tracing(address)), received


@pytest.fixture(scope="module")
def site(own: Platform) -> Iterator[Site]:
    with own.running("worker"), own.running("beat"), own.site(1) as site:
        yield site


def request_transfer(own: Platform, site: Site, **headers: str) -> None:
    headers |= {"Authorization": f"Token {own.token()}", "Content-Type": "application/json"}
    response = site.request("POST", "/api/transfers/", b'{"tables": ["airlines"]}', **headers)
    assert response.status == 202, response.body


def trace_of(spans: list[Span], root: Span) -> dict[str, list[Span]]:
    """The spans of a trace by name; each has its parent in the same trace."""
    own = [span for span in spans if span.trace == root.trace]
    ids = {span.id for span in own} | {root.parent}
    assert {span.parent for span in own} <= ids
    return {span.name: [s for s in own if s.name == span.name] for span in own}


def assert_leads_to_the_warehouse(
    spans: dict[str, list[Span]], table: str, query: str = "duckdb query"
) -> None:
    (transfer,), (run,) = spans["transfer"], spans[TRANSFER]
    assert transfer.parent == run.id
    assert transfer.attributes["table"] == table
    assert set(spans) >= PHASES | {"publish"}
    assert {s.parent for s in spans["copying"] + spans[query]} == {transfer.id}
    assert any(table in s.attributes["db.query.text"] for s in spans[query])


def test_a_request_and_its_transfer_are_one_trace(
    own: Platform, site: Site, traces: tuple[Collector, str]
) -> None:
    received, _ = traces
    client = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    headers = {"traceparent": f"00-{'-'.join(client)}-01", "X-Request-ID": "traced"}
    request_transfer(own, site, **headers)
    until(lambda: any(s.trace == client[0] for s in received.named(TRANSFER)), 60)
    (request,) = received.named("POST /api/transfers/")
    assert (request.trace, request.parent) == client
    assert request.attributes["airsense.request_id"] == "traced"
    assert request.attributes["http.response.status_code"] == 202
    spans = trace_of(received.spans, request)
    assert_leads_to_the_warehouse(spans, "airlines")
    (queue,), (run,) = spans["queue transfers.tasks.transfer"], spans[TRANSFER]
    assert (queue.parent, run.parent) == (request.id, queue.id)
    assert {span.service for span in received.spans} == {"airsense"}
    assert {header["x-tenant"] for header in received.headers} == {"airsense"}
    assert client[0] in own.log.read_text()


def test_a_schedule_and_its_transfer_are_one_trace(
    own: Platform, site: Site, traces: tuple[Collector, str]
) -> None:
    received, _ = traces
    own.python(SCHEDULE)
    until(lambda: received.named("run transfers.tasks.transfer_tables"), 60)
    # Beat and the worker send their spans by themselves, so either may be first.
    until(lambda: received.named("queue transfers.tasks.transfer_tables"), 60)
    root = received.named("queue transfers.tasks.transfer_tables")[0]
    assert root.parent == ""
    until(lambda: any(s.trace == root.trace for s in received.named(TRANSFER)), 60)
    own.python("from django_celery_beat.models import PeriodicTask as P; P.objects.all().delete()")
    assert_leads_to_the_warehouse(trace_of(received.spans, root), "airports")


@pytest.mark.deep
def test_a_trace_leads_to_the_queries_of_a_databricks_warehouse(
    databricks: tuple[Platform, Collector],
) -> None:
    own, received = databricks
    with own.running("worker"), own.site(1) as site:
        request_transfer(own, site)
        until(lambda: received.named(TRANSFER) and received.named("POST /api/transfers/"), 60)
    (request,) = received.named("POST /api/transfers/")
    spans = trace_of(received.spans, request)
    assert_leads_to_the_warehouse(spans, "airlines", "databricks query")
    assert "duckdb query" not in spans
    assert {s.attributes["db.system.name"] for s in spans["databricks query"]} == {"databricks"}


def test_a_query_is_a_span_of_its_request(
    own: Platform, site: Site, traces: tuple[Collector, str]
) -> None:
    received, _ = traces
    own.manage("transfer", "delays_by_day")
    until(lambda: site.get("/api/delays_by_day/?limit=1").status == 200)
    until(lambda: received.named("GET /api/delays_by_day/"))
    requests = {span.id for span in received.named("GET /api/delays_by_day/")}
    until(lambda: any(s.parent in requests for s in received.named("postgresql query")))


def test_without_a_collector_no_tracing_library_is_loaded(demo: Platform) -> None:
    loaded = demo.python("import sys, airsense.wsgi; print('airsense.tracing' in sys.modules)")
    assert loaded.strip() == "False"
    # redis-py imports the SDK where it is installed, so it must not be by default.
    base = (data_folder.PROJECT / "requirements" / "base.txt").read_text()
    assert "opentelemetry-sdk" not in base
