"""Admin page of citations."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from flights.models import Citation

from . import formats
from .read_only import ReadOnly

MADE = formats.moments("made_at", "made")


@admin.register(Citation)
class CitationAdmin(ReadOnly):
    """Citations never change. Deleting one breaks the articles that embed it."""

    list_display = ["title", "source", "shown_flights", MADE]
    search_fields = ["name", "title", "source", "page"]
    exclude = ["picture"]
    view_on_site = True

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(ModelAdmin.has_delete_permission(self, request, obj))

    @display(description="flights")
    def shown_flights(self, citation: Citation) -> str:
        return "-" if citation.flights is None else f"{citation.flights:,}"
