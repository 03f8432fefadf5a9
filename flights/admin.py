"""Mirrored tables and their versions in the admin: to look at, never to change."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from .models import TableVersion
from .tables import TABLES


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic while it runs
    show_full_result_count = False  # COUNT(*) of a big table costs more than its page

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class MirrorAdmin(ReadOnly):
    """Rows of the current version, with every column of the table."""

    def get_list_display(self, request: HttpRequest) -> Any:
        return [field.name for field in self.model.columns()]


@admin.register(TableVersion)
class VersionAdmin(ReadOnly):
    list_display = ["table", "number", "rows", "published_at", "loaded_at", "source_version"]
    list_filter = ["table"]


admin.site.register(TABLES, MirrorAdmin)
