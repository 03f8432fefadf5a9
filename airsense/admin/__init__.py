"""Admin pages of users, groups, tokens and schedules, with django-unfold's templates."""

from django.contrib import admin

from . import people, schedules

__all__ = ["people", "schedules"]

admin.site.index_title = "Dashboard"
