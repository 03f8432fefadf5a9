"""The home page and the page about the data."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from flights.access import throttles
from flights.errors import NeverTransferred
from flights.errors.pages import page
from flights.mirror import MirroredTable, public
from flights.models import PublishedTable
from flights.tables import NAMES, TABLES
from flights.versions import READER
from flights.web import caching

from . import formatting, insights

# Example queries, which the home page lists under `Ask the API`.
EXAMPLES = {
    "The three destinations with the longest delays and at least 1,000 late arrivals": (
        "/api/busiest_airports_by_delays/"
        "?Total_Arrivals__gte=1000&order_by=-Avg_Arrival_Delay&limit=3"
    ),
    "The two days of the week with the shortest delays, as a plain list": (
        "/api/dynamic_query?table_name=delays_by_day&order_by=Avg_Arrival_Delay&limit=2"
    ),
    "Every flight from Newark, as CSV": (
        "/api/flight_delay_data/?Origin_City=Newark,%20NJ&format=csv"
    ),
}

INSIGHTS = (insights.airlines, insights.origins, insights.destinations, insights.days)


def base_context(request: HttpRequest) -> dict[str, Any]:
    """Context processor: what templates/base.html shows on every page.

    Django calls `latest_publication` only for templates that use it.
    """
    context = {"release": settings.VERSION, "table_names": NAMES}
    return {**context, "latest_publication": _latest_publication}


def _latest_publication() -> PublishedTable | None:
    return PublishedTable.objects.using(READER).select_related("current").order_by("-since").first()


@page
@caching.while_current
def home(request: HttpRequest) -> HttpResponse:
    """Show insights, the coverage of the data, the tables and example queries."""
    throttles.charge(request.META, "query")
    published = PublishedTable.objects.using(READER).select_related("current").in_bulk()
    ranked = [_unless_missing(insight) for insight in INSIGHTS]
    context = {
        "headline": _unless_missing(insights.headline) or "Flight delays",
        "insights": [insight for insight in ranked if insight],
        "coverage": _coverage(published),
        "tables": [_summary(model, published.get(model._meta.db_table)) for model in TABLES],
        "examples": EXAMPLES.items(),
        "missing": [name for name in NAMES if name not in published],
    }
    return render(request, "home.html", context)


def _coverage(published: dict[str, PublishedTable]) -> list[tuple[str, str]]:
    """Label and text of each figure in the header of the home page.

    `airline_performance` has one row per airline, and `busiest_airports_by_delays` one per city.
    """
    tables = {
        "Flights": "flight_delay_data",
        "Airlines": "airline_performance",
        "Cities with late flights": "busiest_airports_by_delays",
    }
    days = _unless_missing(insights.coverage)
    rows = {name: formatting.number(entry.current.rows) for name, entry in published.items()}
    return [
        *([("Period", formatting.period(*days))] if days else []),
        *((label, rows[table]) for label, table in tables.items() if table in rows),
        *(
            [("Published", formatting.day(max(p.since for p in published.values())))]
            if rows
            else []
        ),
    ]


def _summary(model: type[MirroredTable], published: PublishedTable | None) -> dict[str, Any]:
    return {
        "name": model._meta.db_table,
        "title": model._meta.verbose_name,
        "about": model.__doc__,
        "published": published,
        "rows": formatting.number(published.current.rows) if published else None,
    }


def _unless_missing[T](read: Callable[[], T]) -> T | None:
    """Call `read`; None if its table has not been published."""
    try:
        return read()
    except NeverTransferred:
        return None


@page
@caching.while_current
def about(request: HttpRequest) -> HttpResponse:
    """Show the sources of the data, the meaning of each column, and the licences."""
    return render(request, "about.html", {"tables": [_definition(model) for model in TABLES]})


def _definition(model: type[MirroredTable]) -> dict[str, Any]:
    return {
        "name": model._meta.db_table,
        "title": model._meta.verbose_name,
        "about": model.__doc__,
        "columns": [(public(field), formatting.kind(field), field) for field in model.columns()],
    }
