"""`/api/` in a browser: the tables, a form to try queries, and links to the documentation.

Programs get the JSON of `TableList` from the same address.
"""

from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework.exceptions import APIException

from flights import links
from flights.errors.responses import error_response
from flights.pages import formatting
from flights.tables import TABLES
from flights.web import caching
from flights.web.renderers import Browsable

from . import trial

# Ways to read the tables: title, text, and an example.
WAYS = (
    (
        "Rows of a table",
        "Filter by Column=value or Column__operator=value, choose columns, sort, and page.",
        "/api/airlines/?Airline_Name__icontains=air&order_by=Airline_Name&limit=5",
    ),
    (
        "Groups",
        "Count, sum, percentages and percentiles of the rows that have something in common.",
        "/api/flight_delay_data/?group_by=Airline_Name&aggregate=count,median:Arrival_Delay_Minutes"
        "&order_by=-count",
    ),
    (
        "Files",
        "Add format= to any query for all of its rows: csv, xlsx, ndjson, parquet, arrow.",
        "/api/delays_by_day/?format=csv",
    ),
    ("Search", "Find words in every column of every table.", "/api/search?q=chicago"),
    (
        "Ask",
        "Ask in English. The answer states its figures and the query that returns them.",
        "/api/ask?q=Which%20airline%20is%20most%20often%20on%20time%3F",
    ),
    (
        "A plain list",
        "The rows as a bare JSON list, as the first AirSense returned them.",
        "/api/dynamic_query?table_name=delays_by_day&order_by=Avg_Arrival_Delay&limit=2",
    ),
    (
        "Everything about a table",
        "Columns with units and operators, the published version, checks and limits.",
        "/api/flight_delay_data/describe",
    ),
)

CACHING = ("ETag", "X-AirSense-Version", "Cache-Control")


class FrontPage(Browsable):
    """The page of `/api/`."""

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> str:
        response, request = renderer_context["response"], renderer_context["request"]
        if data is None or response.exception:  # a 304, or an error of the request
            text: str = super().render(data, accepted_media_type, renderer_context)
            return text
        content = page(request._request, data)
        response.status_code = content.status_code
        for name in CACHING:  # the page changes with versions only; the JSON states freshness, too
            if name in content:
                response[name] = content[name]
        return content.content.decode()


def page(request: HttpRequest, described: list[dict[str, Any]]) -> HttpResponse:
    @caching.while_current
    def view(request: HttpRequest) -> HttpResponse:
        context = _context(request, described)
        return render(request, "api/front.html", context, status=context["status"])

    return view(request)


def _context(request: HttpRequest, described: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "tables": list(map(_card, described)),
        "ways": WAYS,
        "links": links,
        "operators": trial.choices(),
        "limits": trial.LIMITS,
        "titles": [(m._meta.db_table, str(m._meta.verbose_name).capitalize()) for m in TABLES],
        **_outcome(request),
    }


def _outcome(request: HttpRequest) -> dict[str, Any]:
    """The form with the first rows of its query, or with the API's error message."""
    form = request.GET
    try:
        query = trial.read(form)
    except APIException as error:
        return {"status": error.status_code, "error": str(error), "trial": trial.read(_empty(form))}
    try:
        return {"status": 200, "trial": query, "result": query.rows()}
    except (APIException, OperationalError, InterfaceError) as error:
        refusal = error_response(error, {})
        assert refusal
        # If no form was submitted, only its example failed: the page itself is a success.
        status = refusal.status_code if "table" in form else 200
        return {"status": status, "trial": query, "error": refusal.data["detail"]}


def _empty(form: Any) -> Any:
    return type(form)("")


def _card(table: dict[str, Any]) -> dict[str, Any]:
    return {
        **table,
        "title": table["table"].replace("_", " ").capitalize(),
        "rows": None if table["rows"] is None else formatting.number(table["rows"]),
        "columns": formatting.count(len(table["columns"]), "column"),
    }
