"""Transfers in the admin: what was asked for and how it went."""

from django.contrib import admin

from flights.admin import ReadOnly

from .models import Transfer


@admin.register(Transfer)
class TransferAdmin(ReadOnly):
    list_display = ["table", "status", "rows_done", "asked_by", "asked_at", "finished_at", "error"]
    list_filter = ["table", "status"]
