"""What a request to GraphQL asks, whichever way it came: read, checked and within the limits."""

from dataclasses import dataclass
from typing import Any

from graphql import DocumentNode
from rest_framework.exceptions import APIException, UnsupportedMediaType
from rest_framework.request import Request

from flights.errors import BadQuery
from flights.tables import TABLES
from flights.web import json_input
from flights.web.params import once

from . import limits
from .limits import LARGEST
from .schema import READS, SCHEMA

PARAMETERS = ["query", "variables", "operationName", "extensions"]


class TooLarge(APIException):
    status_code = 413
    default_detail = f"A request has at most {LARGEST:,} bytes."


@dataclass(frozen=True)
class Asked:
    document: DocumentNode
    variables: dict[str, Any] | None
    name: str | None
    roots: set[str]  # the fields at the top

    @property
    def models(self) -> list[Any]:
        """The tables that are read."""
        return [m for m in TABLES if any(m in READS.get(root, ()) for root in self.roots)]

    @property
    def kept(self) -> bool:
        """Whether the answer changes with versions alone."""
        return self.roots <= READS.keys() | {"__typename"} and bool(self.models)


def by_address(request: Request) -> Asked:
    given: dict[str, Any] = once(request.query_params)
    given.pop("format", None)
    for name in {"variables", "extensions"} & given.keys():
        given[name] = json_input.read(given[name], name)
    return _read(given)


def by_body(request: Request) -> Asked:
    if not request.content_type.startswith("application/json"):
        raise UnsupportedMediaType(request.content_type)
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST:
        raise TooLarge
    return _read(json_input.read(request.body))


def _read(given: Any) -> Asked:
    if not isinstance(given, dict):
        raise BadQuery('Give one {"query": "...", "variables": {...}}; there is no batching.')
    if unknown := given.keys() - set(PARAMETERS):
        raise BadQuery(f"There is no parameter {min(unknown)[:80]!r}.", PARAMETERS)
    text, name = given.get("query"), given.get("operationName")
    variables = given.get("variables")
    if not isinstance(text, str) or not text.strip():
        raise BadQuery("query is missing: a text such as { tables { table } }.")
    objects = variables, given.get("extensions")
    if not all(isinstance(o, dict | None) for o in objects) or not isinstance(name, str | None):
        raise BadQuery(
            "variables or extensions is an object, operationName a text, or each is left out."
        )
    document = limits.document(SCHEMA, text)
    operation = limits.operation(document, name or None)
    return Asked(document, variables, name or None, limits.roots(document, operation))
