"""People, tokens and schedules in the admin, in the look of the rest of it."""

from django.contrib import admin

from . import people, schedules

__all__ = ["people", "schedules"]

admin.site.index_title = "Dashboard"
