"""The admin's sidebar: links to the lists that a user may view, by section."""

from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst

from flights.tables import TABLES

ICONS = {
    "transfers.transfer": "sync_alt",
    "flights.tableversion": "history",
    "transfers.warehousejob": "warehouse",
    "transfers.downloadedmonth": "cloud_download",
    "transfers.alert": "notifications",
    "flights.export": "download",
    "django_celery_beat.periodictask": "schedule",
    "django_celery_beat.crontabschedule": "calendar_month",
    "django_celery_beat.intervalschedule": "timer",
    "auth.user": "person",
    "auth.group": "group",
    "authtoken.tokenproxy": "key",
    "flights.apikey": "vpn_key",
}
SECTIONS = {
    "Operation": [
        "transfers.transfer",
        "flights.tableversion",
        "transfers.warehousejob",
        "transfers.downloadedmonth",
        "transfers.alert",
        "flights.export",
    ],
    "Tables": [model._meta.label_lower for model in TABLES],
    "Schedules": [name for name in ICONS if name.startswith("django_celery_beat")],
    "People": [*(name for name in ICONS if name.startswith("auth")), "flights.apikey"],
}


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sections for this user, as django-unfold's SIDEBAR setting expects them."""
    sections = [
        {
            "title": title,
            "separator": True,
            "items": [_item(n) for n in names if _may_view(request, n)],
        }
        for title, names in SECTIONS.items()
    ]
    home = {"title": "Dashboard", "icon": "monitoring", "link": reverse("admin:index")}
    return [{"items": [home]}, *(section for section in sections if section["items"])]


def _item(name: str) -> dict[str, Any]:
    options = apps.get_model(name)._meta
    link = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    title = capfirst(str(options.verbose_name_plural))
    return {"title": title, "icon": ICONS.get(name, "table"), "link": link}


def _may_view(request: HttpRequest, name: str) -> bool:
    app, model = name.split(".")
    return bool(request.user.has_perm(f"{app}.view_{model}"))
