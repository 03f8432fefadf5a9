"""Public pages."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from .models import PublishedTable
from .tables import TABLES
from .versions import READER


def home(request: HttpRequest) -> HttpResponse:
    """Every table with what is published of it."""
    published = PublishedTable.objects.using(READER).select_related("current").in_bulk()
    tables = [
        {
            "name": model._meta.verbose_name,
            "about": model.__doc__,
            "published": published.get(model._meta.db_table),
        }
        for model in TABLES
    ]
    return render(request, "home.html", {"tables": tables})
