"""Read the payload of a GraphQL request, from the URL or the body, and check its limits."""

from dataclasses import dataclass
from typing import Any

from graphql import DocumentNode
from rest_framework.exceptions import APIException, UnsupportedMediaType
from rest_framework.request import Request

from flights.errors import BadQuery
from flights.tables import TABLES
from flights.web import json_input
from flights.web.params import single_values

from . import limits
from .limits import MAX_REQUEST_BYTES
from .schema import READS, SCHEMA

PARAMETERS = ["query", "variables", "operationName", "extensions"]


class TooLarge(APIException):
    """The body is too large; 413."""

    status_code = 413
    default_detail = f"A request can have at most {MAX_REQUEST_BYTES:,} bytes."


@dataclass(frozen=True)
class Payload:
    """A valid document, with the variables and the name of the operation to run."""

    document: DocumentNode
    variables: dict[str, Any] | None
    name: str | None
    root_fields: set[str]  # names of the operation's top-level fields

    @property
    def models(self) -> list[Any]:
        """The tables that the operation reads."""
        return [m for m in TABLES if any(m in READS.get(name, ()) for name in self.root_fields)]

    @property
    def cacheable(self) -> bool:
        """Whether the response changes only when a table's version changes."""
        return self.root_fields <= READS.keys() | {"__typename"} and bool(self.models)


def from_url(request: Request) -> Payload:
    """Read the payload of a GET request; BadQuery or InvalidRequest if it is wrong."""
    payload: dict[str, Any] = single_values(request.query_params)
    payload.pop("format", None)
    for name in {"variables", "extensions"} & payload.keys():
        payload[name] = json_input.read(payload[name], name)
    return _read(payload)


def from_body(request: Request) -> Payload:
    """Read the payload of a POST request; BadQuery or InvalidRequest if it is wrong."""
    if not request.content_type.startswith("application/json"):
        raise UnsupportedMediaType(request.content_type)
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_REQUEST_BYTES:
        raise TooLarge
    return _read(json_input.read(request.body))


def _read(payload: Any) -> Payload:
    if not isinstance(payload, dict):
        raise BadQuery(
            'Send one JSON object: {"query": "...", "variables": {...}}; there is no batching.'
        )
    if unknown := payload.keys() - set(PARAMETERS):
        raise BadQuery(f"There is no parameter {min(unknown)[:80]!r}.", PARAMETERS)
    text, name = payload.get("query"), payload.get("operationName")
    variables = payload.get("variables")
    if not isinstance(text, str) or not text.strip():
        raise BadQuery("query is missing: send a text such as { tables { table } }.")
    objects = variables, payload.get("extensions")
    if not all(isinstance(o, dict | None) for o in objects) or not isinstance(name, str | None):
        raise BadQuery(
            "variables and extensions must each be an object, and operationName a text; each is"
            " optional."
        )
    document = limits.parse_document(SCHEMA, text)
    operation = limits.select_operation(document, name or None)
    return Payload(document, variables, name or None, limits.root_fields(document, operation))
