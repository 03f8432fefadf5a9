"""`/sitemap.xml` and `/robots.txt`: the pages that search engines should list."""

from collections.abc import Callable
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.contrib.sitemaps import views as django_views
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from flights import links, versions
from flights.access import throttles
from flights.errors.pages import page
from flights.mirror import MirroredTable
from flights.models import PublishedTable, TableVersion
from flights.models.mirrored import (
    Airlines,
    PerformanceByAirport,
    PerformanceByDate,
    PerformanceByFlight,
    PerformanceByRoute,
)
from flights.query import cost

# Crawlers would follow the filters of these pages without end.
ROBOTS = """\
User-agent: *
Disallow: /admin/
Disallow: /api/
Disallow: /explorer?
Disallow: /connections/?
Disallow: /compare/?
Sitemap: {sitemap}
"""
PAGES = ["/", "/about", "/explorer", "/routes/", "/airlines/", "/airports/", "/days/"]

type Item = tuple[Any, ...]


class Public(Sitemap):  # type: ignore[type-arg]  # not generic
    """Addresses below PUBLIC_URL, as those that the pages call canonical."""

    def get_protocol(self, protocol: str | None = None) -> str:
        return str(settings.PUBLIC_URL).partition("://")[0]

    def get_domain(self, site: object = None) -> str:
        return str(settings.PUBLIC_URL).partition("://")[2]


class Pages(Public):
    """The pages that are about no single thing."""

    def items(self) -> list[str]:
        return PAGES

    def location(self, item: str) -> str:
        return item


class Things(Public):
    """The pages about the things that some columns of a table name."""

    limit = 5_000  # addresses of a file; the protocol allows 50,000

    def __init__(
        self, model: type[MirroredTable], link: Callable[..., str], *keys: str, least: int = 1
    ) -> None:
        self.model, self.link, self.keys, self.least = model, link, keys, least

    @cached_property
    def lastmod(self) -> datetime | None:
        """When the table was published."""
        table = self.model._meta.db_table
        published = PublishedTable.objects.using(versions.READER).filter(table=table).first()
        return published.since if published else None

    def items(self) -> list[Item]:
        read = self.model, self.keys, self.least
        return versions.read(self.model, lambda version: _items(version, *read))

    def location(self, item: Item) -> str:
        return self.link(*item)


@lru_cache(maxsize=8)
def _items(
    version: TableVersion, model: type[MirroredTable], keys: tuple[str, ...], least: int
) -> list[Item]:
    """The different values of the keys, with enough flights where the table counts them."""
    rows = versions.rows(model, version).order_by(*keys).values_list(*keys)
    if least > 1:
        rows = rows.annotate(flights=Sum("scheduled_flights")).filter(flights__gte=least)
    items = cost.fetch(rows.distinct(), version)
    return list(dict.fromkeys(item[: len(keys)] for item in items))


def _sections() -> dict[str, Any]:
    flights, least = ("airline_code", "flight_number"), settings.FLIGHTS_TO_RANK
    return {
        "pages": Pages(),
        "airlines": Things(Airlines, links.airline, "airline_code"),
        "airports": Things(PerformanceByAirport, links.airport, "airport"),
        "routes": Things(PerformanceByRoute, links.route, "origin", "destination"),
        "flights": Things(PerformanceByFlight, links.flight, *flights, least=least),
        "days": Things(PerformanceByDate, links.day, "flight_date"),
    }


@page
def index(request: HttpRequest) -> HttpResponse:
    throttles.charge(request.META, "query")
    response = django_views.index(request, _sections(), sitemap_url_name="sitemap_of")
    for file in (response.context_data or {})["sitemaps"]:  # Django uses the request's host
        file.location = f"{settings.PUBLIC_URL}/{file.location.split('/', 3)[3]}"
    return response.render()


@page
def section(request: HttpRequest, section: str) -> HttpResponse:
    throttles.charge(request.META, "query")
    return django_views.sitemap(request, _sections(), section).render()


def robots(request: HttpRequest) -> HttpResponse:
    sitemap = f"{settings.PUBLIC_URL}{reverse('sitemap')}"
    return HttpResponse(ROBOTS.format(sitemap=sitemap), content_type="text/plain; charset=utf-8")
