"""The home page."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from flights.access import throttles
from flights.entities import directory
from flights.errors import NeverTransferred
from flights.mirror import MirroredTable
from flights.models import PublishedTable
from flights.pages import formatting
from flights.pages.charts import Figure
from flights.pages.figures import figures_page, respond
from flights.tables import NAMES, TABLES
from flights.versions import READER

from . import coverage, rankings, same_routes

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
FIGURES: tuple[Callable[[], Figure], ...] = (
    rankings.months,
    rankings.airlines,
    same_routes.figure,
    lambda: rankings.airports("departing"),
    lambda: rankings.airports("arriving"),
    rankings.hours,
    rankings.weekdays,
)


@figures_page
def home(request: HttpRequest) -> HttpResponse:
    """Show a form for a flight, the coverage of the data, figures, the tables and examples."""
    throttles.charge(request.META, "query")
    published = PublishedTable.objects.using(READER).select_related("current").in_bulk()
    days = directory.current().period
    context = {
        "headline": coverage.headline(days),
        "coverage": coverage.figures(published, days),
        "tables": [_summary(model, published.get(model._meta.db_table)) for model in TABLES],
        "examples": EXAMPLES.items(),
        "missing": [name for name in NAMES if name not in published],
    }
    figures = [figure for figure in map(_unless_missing, FIGURES) if figure and figure.flights]
    return respond(request, "home.html", context, figures)


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
