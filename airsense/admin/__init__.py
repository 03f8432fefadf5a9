"""Admin pages of users, groups, tokens and schedules, with django-unfold's templates."""

from django.contrib import admin

from . import people, schedules, tokens

__all__ = ["people", "schedules", "tokens"]

admin.site.index_title = "Dashboard"
