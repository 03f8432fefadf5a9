"""Every JSON response has exactly the fields and types that the OpenAPI document describes."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from flights.exports import retention
from flights.models import Export
from flights.tables import NAMES
from tests.json_schema import violations
from tests.platform import Platform, Response, Site
from transfers.models import Transfer, WarehouseJob

EXPORT = {"table": "delays_by_day", "query": "", "format": "csv"}


class Call(NamedTuple):
    """A request for an operation, and the status that it gets."""

    path: str
    body: Any = None
    status: int = 200


# `{transfer}`, `{queued}` and `{export}` stand for the ids of a row each.
CALLS: dict[str, list[Call]] = {
    "tables": [Call("/api/")],
    "status": [Call("/api/status")],
    **{
        name: [
            Call(f"/api/{name}/?limit=3"),
            Call(f"/api/{name}/?limit=2&cursor="),
            Call(f"/api/{name}/?limit=2&count=exact"),
            Call(f"/api/{name}/?Nope=1", status=400),
        ]
        for name in NAMES
    },
    **{f"{name}_description": [Call(f"/api/{name}/describe")] for name in NAMES},
    "search": [
        Call("/api/search?q=boston+delta"),
        Call("/api/search?q=bostom"),
        Call("/api/search?q=a&table=nope", status=404),
    ],
    "search_suggest": [
        Call("/api/search/suggest?q=new"),
        Call("/api/search/suggest?kind=destination&from=JFK"),
        Call("/api/search/suggest?kind=ship", status=400),
    ],
    "advanced_search": [
        Call("/api/advanced_search", {"query": "boston"}),
        Call("/api/advanced_search", {"query": ""}, 400),
    ],
    "dynamic_query": [
        Call("/api/dynamic_query?table_name=delays_by_day"),
        Call("/api/dynamic_query?table_name=nope", status=404),
    ],
    "graphql": [Call("/api/graphql?query=%7Bdelays_by_day%7Bversion%7D%7D")],
    "graphql_by_post": [Call("/api/graphql", {"query": "{ delays_by_day { version } }"})],
    "chat": [
        Call("/api/chat", {"message": "How late is Delta?"}),
        Call("/api/chat", {"message": "Why?"}),
        Call("/api/chat", {}, 400),
    ],
    "ask": [
        Call("/api/ask?q=worst+airline+from+newark"),
        Call("/api/ask?q=cheapest+airline"),
        Call("/api/ask", status=400),
    ],
    "ask_by_post": [Call("/api/ask", {"question": "delays by month"})],
    "transfers": [Call("/api/transfers/"), Call("/api/transfers/?table=nope", status=400)],
    "start_transfers": [
        Call("/api/transfers/", {"tables": ["delays_by_day"]}, 202),
        Call("/api/transfers/", {"tables": ["nope"]}, 400),
    ],
    "transfer": [Call("/api/transfers/{transfer}/"), Call("/api/transfers/0/", status=404)],
    "cancel_transfer": [
        Call("/api/transfers/{queued}/"),
        Call("/api/transfers/{queued}/", status=409),
    ],
    "start_preview": [
        Call("/api/transfers/previews/", {"tables": ["delays_by_day"]}, 202),
        Call("/api/transfers/previews/", {"tables": ["nope"]}, 400),
    ],
    "preview": [
        Call("/api/transfers/previews/{preview}/"),
        Call("/api/transfers/previews/0/", status=404),
    ],
    "service_transfer": [Call("/service_transfer")],
    "transfer_table": [
        Call("/transfer_table", {"table_name": "delays_by_day"}),
        Call("/transfer_table", {"table_name": "nope"}, 404),
    ],
    "exports": [Call("/api/exports/")],
    "ask_for_export": [
        Call("/api/exports/", EXPORT, 202),
        Call("/api/exports/", {**EXPORT, "table": "nope"}, 400),
    ],
    "export": [Call("/api/exports/{export}"), Call("/api/exports/{export}?wait=30")],
}
# These respond with a file.
FILES = {"export_file"}


@pytest.fixture(scope="module")
def live(demo: Platform) -> Iterator[Site]:
    with demo.running("worker"), demo.site(processes=1) as site:
        yield site
    retention.remove(Export.objects.all())


@pytest.fixture(scope="module")
def document(live: Site) -> Any:
    """The OpenAPI document, where no object may have a field that is not described."""
    document = live.get("/api/schema?format=json").json()
    _close(document["components"]["schemas"])
    return document


@pytest.fixture(scope="module")
def ids(live: Site, token: dict[str, str]) -> dict[str, str]:
    queued = Transfer.objects.create(table="airline_performance", asked_by="test")
    export = _send(live, "POST", Call("/api/exports/", {**EXPORT, "query": "limit=2"}), token, {})
    newest = Transfer.objects.filter(table="delays_by_day").first()
    assert newest
    preview = WarehouseJob.objects.create(kind="preview", status="succeeded", asked_by="test")
    return {
        **{"queued": str(queued.pk), "export": export.json()["id"], "transfer": str(newest.pk)},
        "preview": str(preview.pk),
    }


@pytest.fixture(scope="module")
def token(demo: Platform) -> dict[str, str]:
    return {"Authorization": f"Token {demo.token()}"}


def test_every_json_operation_is_called(document: Any) -> None:
    operations = {operation["operationId"] for *_, operation in _operations(document)}
    assert operations == set(CALLS) | FILES


@pytest.mark.parametrize("operation_id", CALLS)
def test_responses_are_as_described(
    live: Site, document: Any, ids: dict[str, str], token: dict[str, str], operation_id: str
) -> None:
    (method, operation), *_ = (
        (method, operation)
        for _, method, operation in _operations(document)
        if operation["operationId"] == operation_id
    )
    for call in CALLS[operation_id]:
        response = _send(live, method, call, token, ids)
        assert response.status == call.status, response.body
        content = _resolve(document, operation["responses"][str(call.status)])["content"]
        schema = content[response.headers["content-type"].partition(";")[0]]["schema"]
        schema = {**schema, "components": document["components"]}
        assert violations(schema, response.json()) == []


def _send(site: Site, method: str, call: Call, token: dict[str, str], ids: Any) -> Response:
    body = None if call.body is None else json.dumps(call.body).encode()
    kind = {"Content_Type": "application/json"} if body else {}
    authorization = token if "/api/exports" in call.path or "transfer" in call.path else {}
    return site.request(method.upper(), call.path.format(**ids), body, **kind, **authorization)


def _operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield path, method, operation


def _resolve(document: Any, response: Any) -> Any:
    """A response, or the shared one that it refers to."""
    name = response.get("$ref", "").rpartition("/")[2]
    return document["components"]["responses"][name] if name else response


def _close(schemas: Any) -> None:
    """Forbid further fields wherever a schema lists fields and does not allow others."""
    for schema in schemas.values() if isinstance(schemas, dict) else schemas:
        if isinstance(schema, dict | list):
            _close(schema)
        if isinstance(schema, dict) and isinstance(schema.get("properties"), dict):
            schema.setdefault("additionalProperties", False)
