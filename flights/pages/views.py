"""The page about the data, and what every page shows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from flights.errors.pages import page
from flights.mirror import MirroredTable, public
from flights.models import PublishedTable
from flights.tables import NAMES, TABLES
from flights.versions import READER
from flights.web import caching

from . import formatting


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
