"""Base classes of read-only admin pages."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin


class ReadOnly(ModelAdmin):
    """List rows and show the details of each, without a way to change them."""

    list_filter_submit = True
    list_fullwidth = True
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Live(ReadOnly):
    """Read-only pages that keep themselves up to date.

    An element with `data-active` says that something runs, so that the page updates often. The
    text of `data-news` is read out by screen readers when it changes.
    """

    class Media:
        js = ["idiomorph/idiomorph.min.js", "admin-live.js"]
