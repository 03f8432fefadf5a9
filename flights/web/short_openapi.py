"""A short OpenAPI description for people: ordered by kind, with one parameter for each column.

The whole description (`/api/schema`) has a parameter for each operator of each column, which tools
need. Measured with one object for all operators instead: openapi-python-client sends `gte=10` for
the style `deepObject` and has no types for patterns of names, and schemathesis invents operators.
"""

import copy
import re
from typing import Any

from drf_spectacular.generators import SchemaGenerator

type Json = dict[str, Any]

# Kinds of operations in the order in which people need them: name, description, and paths.
KINDS: tuple[tuple[str, str, str], ...] = (
    ("Tables", "What each table contains: columns, units, version, limits.", r"/api/|.*/describe"),
    (
        "Query",
        "Rows of a table. Filter by `Column=value` or `Column__operator=value`, with the operators"
        " `gt gte lt lte in isnull`, of texts also `iexact contains icontains startswith"
        " istartswith endswith iendswith`; `not_` before an operator negates it.",
        r"/api/(?!exports|transfers)[a-z_]+/|/api/dynamic_query",
    ),
    (
        "Groups",
        "Every table can group its rows (`group_by`, `aggregate`, `having`), such as the flights.",
        r"/api/flight_delay_data/",
    ),
    ("Search", "Words in every column of every table.", r"/api/search|/api/suggest.*"),
    ("Ask", "English questions.", r"/api/(ask|chat)"),
    (
        "Files",
        "Any query with `format=` is a file of all its rows. Exports are files that a worker"
        " writes; they need a key or a login.",
        r"/api/exports/.*",
    ),
    ("GraphQL", "Several tables in one request. `/api/graphiql` completes names.", r"/api/graphql"),
    (
        "First AirSense",
        "Paths that clients of the first AirSense use.",
        r"/api/advanced_search|/service_transfer|/transfer_table",
    ),
    ("Transfers", "Copies from the warehouse; they need a login.", r"/api/transfers/.*"),
    (
        "Health",
        "Whether the platform works.",
        r"/healthz|/readyz|/connector|/(db|rds)status|/api/status",
    ),
    ("Other", "Everything else.", r".*"),
)
NAMES = [name for name, _, _ in KINDS]
DESCRIBED = re.compile(r"/api/([a-z_]+)/describe")
# Any filter, written as JSON: {"City__icontains": "San"} becomes City__icontains=San.
FILTERS: Json = {
    "name": "filters",
    "in": "query",
    "style": "form",
    "explode": True,
    "description": (
        'More filters, as JSON: `{"Column__operator": "value"}` is sent as'
        " `Column__operator=value`."
    ),
    "schema": {"type": "object", "additionalProperties": {"type": "string"}, "default": {}},
}


class ShortGenerator(SchemaGenerator):
    """Makes the short description of the whole one."""

    def get_schema(self, request: Any = None, public: bool = False) -> Json:
        generator: Any = super()  # drf-spectacular's methods are untyped
        return shortened(generator.get_schema(request=request, public=public))


def shortened(whole: Json) -> Json:
    result = copy.deepcopy(whole)
    shared = result["components"]["parameters"]
    paths = _one_description({**result["paths"], **HEALTH})
    for path, operations in paths.items():
        for operation in operations.values():
            parameters = [_resolved(p, shared) for p in operation.get("parameters", [])]
            operation |= {"tags": kinds(path), "parameters": _short(parameters)}
    headers = _shared_headers(paths)
    used = {kind for path in paths for kind in kinds(path)}
    ordered = sorted(paths, key=lambda path: NAMES.index(kinds(path)[0]))
    return {
        **result,
        "paths": {path: paths[path] for path in ordered},
        "tags": [{"name": name, "description": text} for name, text, _ in KINDS if name in used],
        "components": {**result["components"], "parameters": {}, "headers": headers},
    }


def _shared_headers(paths: Json) -> Json:
    """Let responses refer to their headers, so that each is described once; returns them."""
    shared: Json = {}
    operations = (operation for item in paths.values() for operation in item.values())
    for response in (r for o in operations for r in o["responses"].values()):
        for name, header in response.get("headers", {}).items():
            if shared.setdefault(name, header) == header:
                response["headers"][name] = {"$ref": f"#/components/headers/{name}"}
    return shared


def kinds(path: str) -> list[str]:
    """The kinds of a path's operations: one, or also groups of rows."""
    every = [name for name, _, pattern in KINDS if re.fullmatch(pattern, path)]
    return [name for name in every if name in (every[0], "Groups")]


def _one_description(paths: Json) -> Json:
    """The paths with one `/api/{table}/describe` in the place of one for each table."""
    tables = {match[1]: path for path in paths if (match := DESCRIBED.fullmatch(path))}
    rest = {path: item for path, item in paths.items() if path not in tables.values()}
    if not tables:
        return rest
    get = copy.deepcopy(paths[next(iter(tables.values()))]["get"])
    name = {"type": "string", "enum": list(tables)}
    table = {"name": "table", "in": "path", "required": True, "schema": name}
    get |= {"summary": "Describe a table", "operationId": "description", "parameters": [table]}
    return {**rest, "/api/{table}/describe": {"get": get}}


def _resolved(parameter: Json, shared: Json) -> Json:
    name = parameter.get("$ref", "").rpartition("/")[2]
    return dict(shared[name]) if name else parameter


def _short(parameters: list[Json]) -> list[Json]:
    """The parameters of a query, then one for each column, then one for all other filters."""
    columns = {p["name"].partition("__")[0] for p in parameters if "__" in p["name"]}
    plain = [p for p in parameters if "__" not in p["name"]]
    common = sorted(
        (p for p in plain if p["name"] not in columns), key=lambda p: p["name"] == "format"
    )
    named = [_column(p) for p in plain if p["name"] in columns]
    return [*common, *named, *([FILTERS] if columns else [])]


def _column(parameter: Json) -> Json:
    """The parameter of a column, whose description says how to write other operators."""
    name, meaning = parameter["name"], parameter["description"].removesuffix(": exact")
    return {**parameter, "description": f"{meaning}. Also `{name}__gte` and other operators."}


def _health(summary: str, path: str) -> Json:
    """The description of an endpoint that is up (200) or not (503)."""
    responses = {"200": {"description": "It works."}, "503": {"description": "It does not."}}
    name = path.strip("/")
    return {"get": {"operationId": name, "summary": summary, "responses": responses}}


HEALTH: Json = {
    path: _health(summary, path)
    for path, summary in {
        "/healthz": "Does the web process run?",
        "/readyz": "Can it answer queries of every table?",
        "/connector": "Does a worker respond?",
        "/dbstatus": "Does the warehouse respond?",
        "/rdsstatus": "Does PostgreSQL respond?",
    }.items()
}
