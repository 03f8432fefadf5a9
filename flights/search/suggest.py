"""`GET /api/search/suggest?q=new`: complete the beginning of a name."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from flights import entities, versions
from flights.entities import KINDS, Airline, Entity
from flights.entities.reach import Limits
from flights.entities.suggestions import LIMIT, LONGEST, MOST
from flights.errors import BadQuery
from flights.query.params import whole_number
from flights.web import caching
from flights.web.open_view import OpenView
from flights.web.params import single_values
from flights.web.problems import problems
from flights.web.renderers import JSON, Browsable

from .response_headers import SOURCES, response_headers
from .search import thing
from .serializers import Suggestions

PARAMETERS = {"q", "kind", "from", "to", "airline", "limit", "format"}
EVERY_KIND = (*KINDS, "origin", "destination")

ABOUT_KIND = (
    f"Kinds with commas between, of {', '.join(EVERY_KIND)}; all of the first {len(KINDS)} by"
    " default. An origin is an airport that flights leave, a destination one that they reach."
)


class Suggest(OpenView):
    """Airlines, airports, cities, routes, flights and days whose name or code begins with `q`."""

    throttle_scope = "search"
    renderer_classes = [JSON, Browsable]

    @extend_schema(
        operation_id="search_suggest",
        tags=["Search"],
        parameters=[
            OpenApiParameter(
                "q",
                description=f"The beginning of a name, code, flight number or route, or a date: at"
                f" most {LONGEST} characters. Empty: the things with the most flights.",
            ),
            OpenApiParameter("kind", description=ABOUT_KIND),
            OpenApiParameter(
                "from", description="Suggest only what has flights from this airport or city."
            ),
            OpenApiParameter(
                "to", description="Suggest only what has flights to this airport or city."
            ),
            OpenApiParameter(
                "airline", description="Suggest only what has flights of this airline."
            ),
            OpenApiParameter("limit", int, description=f"{LIMIT} by default, at most {MOST}."),
        ],
        responses={200: Suggestions, **problems(400, 401, 403, 406, 414, 429, 503)},
    )
    def get(self, request: Request) -> Response:
        params = single_values(request.query_params)
        if unknown := params.keys() - PARAMETERS:
            raise BadQuery(f"There is no parameter {min(unknown)[:80]!r}.", sorted(PARAMETERS))
        headers = versions.with_retry(lambda: response_headers(request, SOURCES))
        if caching.unchanged(request.META, headers):
            return Response(status=304, headers=headers)
        return Response(suggestions(params), headers=headers)


def suggestions(params: dict[str, str]) -> dict[str, Any]:
    """The data of `Suggestions`. Raises BadQuery."""
    text = params.get("q", "")
    if len(text) > LONGEST or "\0" in text:
        raise BadQuery(f"q: at most {LONGEST} characters, without NUL.")
    limit = min(whole_number(params, "limit", LIMIT), MOST)
    things = entities.suggest(text, limit, _kinds(params.get("kind", "")), _limits(params))
    return {"query": text, "suggestions": list(map(thing, things))}


def _kinds(text: str) -> tuple[str, ...]:
    kinds = tuple(kind.strip() for kind in text.split(",")) if text else KINDS
    if unknown := [kind for kind in kinds if kind not in EVERY_KIND]:
        raise BadQuery(f"kind: {unknown[0][:40]!r} is unknown.", list(EVERY_KIND))
    return kinds


def _limits(params: dict[str, str]) -> Limits:
    airlines = _codes(params, "airline", lambda e: (e,) if isinstance(e, Airline) else ())
    return Limits(
        origins=_codes(params, "from", entities.airports),
        destinations=_codes(params, "to", entities.airports),
        airline=airlines[0] if airlines else "",
    )


def _codes(
    params: dict[str, str], name: str, read: Callable[[Entity], tuple[Any, ...]]
) -> tuple[str, ...]:
    """The codes that a parameter means; none if it is missing. Raises BadQuery."""
    text = params.get(name, "").strip()
    if not text:
        return ()
    for mention in entities.find(text):
        for entity in (mention.entity, *mention.others):
            if mention.exact and (things := read(entity)):
                return tuple(thing.code for thing in things)
    kinds = ("airline",) if name == "airline" else ("airport",)
    close = [entity.value for entity in entities.suggest(text, 5, kinds)]
    raise BadQuery(f"{name}: no {kinds[0]} is called {text[:80]!r}.", close or None)
