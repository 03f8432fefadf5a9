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

# What people may ask first, as `Ask the API` shows it.
EXAMPLES = {
    "The three destinations with the longest delays, of those with 1,000 late arrivals or more": (
        "/api/busiest_airports_by_delays/"
        "?Total_Arrivals__gte=1000&order_by=-Avg_Arrival_Delay&limit=3"
    ),
    "The best days of the week, as a bare list": (
        "/api/dynamic_query?table_name=delays_by_day&order_by=Avg_Arrival_Delay&limit=2"
    ),
    "Every flight from Newark, as CSV": (
        "/api/flight_delay_data/?Origin_City=Newark,%20NJ&format=csv"
    ),
}

RANKED = (insights.airlines, insights.origins, insights.destinations, insights.days)


def around(request: HttpRequest) -> dict[str, Any]:
    """What templates/base.html says around every page; nothing is read where nothing asks."""
    return {"release": settings.VERSION, "table_names": NAMES, "freshest": _freshest}


def _freshest() -> PublishedTable | None:
    return PublishedTable.objects.using(READER).select_related("current").order_by("-since").first()


@page
@caching.while_current
def home(request: HttpRequest) -> HttpResponse:
    """What the data say, what they cover, and how to ask them."""
    throttles.charge(request, "query")
    published = PublishedTable.objects.using(READER).select_related("current").in_bulk()
    told = [_unless_missing(fact) for fact in RANKED]
    context = {
        "headline": _unless_missing(insights.headline) or "Flight delays",
        "facts": [fact for fact in told if fact],
        "coverage": _coverage(published),
        "tables": [_listed(model, published.get(model._meta.db_table)) for model in TABLES],
        "examples": EXAMPLES.items(),
        "missing": [name for name in NAMES if name not in published],
    }
    return render(request, "home.html", context)


def _coverage(published: dict[str, PublishedTable]) -> list[tuple[str, str]]:
    """What the tables cover and since when they do; a final table has a row for each."""
    counted = {
        "Flights": "flight_delay_data",
        "Airlines": "airline_performance",
        "Cities with late flights": "busiest_airports_by_delays",
    }
    days = _unless_missing(insights.coverage)
    rows = {name: formatting.number(entry.current.rows) for name, entry in published.items()}
    return [
        *([("Period", formatting.period(*days))] if days else []),
        *((label, rows[table]) for label, table in counted.items() if table in rows),
        *(
            [("Published", formatting.day(max(p.since for p in published.values())))]
            if rows
            else []
        ),
    ]


def _listed(model: type[MirroredTable], published: PublishedTable | None) -> dict[str, Any]:
    return {
        "name": model._meta.db_table,
        "title": model._meta.verbose_name,
        "about": model.__doc__,
        "published": published,
        "rows": formatting.number(published.current.rows) if published else None,
    }


def _unless_missing[T](fact: Callable[[], T]) -> T | None:
    try:
        return fact()
    except NeverTransferred:
        return None


@page
@caching.while_current
def about(request: HttpRequest) -> HttpResponse:
    """Where the data come from, what each column means, and what may be done with them."""
    return render(request, "about.html", {"tables": [_defined(model) for model in TABLES]})


def _defined(model: type[MirroredTable]) -> dict[str, Any]:
    return {
        "name": model._meta.db_table,
        "title": model._meta.verbose_name,
        "about": model.__doc__,
        "columns": [(public(field), formatting.kind(field), field) for field in model.columns()],
    }
