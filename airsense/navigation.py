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
    "flights.citation": "format_quote",
    "django_celery_beat.periodictask": "schedule",
    "auth.user": "person",
    "auth.group": "group",
    "authtoken.tokenproxy": "key",
    "flights.apikey": "vpn_key",
}
SCHEDULE = "django_celery_beat.periodictask"
SECTIONS = {
    "Operation": [
        "transfers.transfer",
        "flights.tableversion",
        "transfers.warehousejob",
        "transfers.downloadedmonth",
        "transfers.alert",
        "flights.export",
        "flights.citation",
    ],
    "Tables": [model._meta.label_lower for model in TABLES],
    "Schedules": [SCHEDULE],
    "People": [*(name for name in ICONS if name.startswith("auth")), "flights.apikey"],
}


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sections for this user, as django-unfold's SIDEBAR setting expects them."""
    sections: list[dict[str, Any]] = [
        {
            "title": title,
            "separator": True,
            "items": [_item(n) for n in names if _may_view(request, n)],
        }
        for title, names in SECTIONS.items()
    ]
    home = {"title": "Dashboard", "icon": "monitoring", "link": reverse("admin:index")}
    if _may_view(request, SCHEDULE):
        link = reverse("admin:housekeeping")
        item = {"title": "Housekeeping", "icon": "cleaning_services", "link": link}
        _items(sections, "Schedules").append(item)
    return [{"items": [home]}, *(section for section in sections if section["items"])]


def _items(sections: list[dict[str, Any]], title: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = next(s["items"] for s in sections if s["title"] == title)
    return items


def account(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the links of the user's own menu, as django-unfold's ACCOUNT expects them."""
    password = {"title": "Change password", "link": reverse("admin:password_change")}
    factor = {"title": "Second factor", "link": reverse("second-factor")}
    user = request.user
    has_password = user.is_authenticated and user.has_usable_password()
    return [password, factor] if has_password else [factor]


def _item(name: str) -> dict[str, Any]:
    options = apps.get_model(name)._meta
    link = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    title = capfirst(str(options.verbose_name_plural))
    return {"title": title, "icon": ICONS.get(name, "table"), "link": link}


def _may_view(request: HttpRequest, name: str) -> bool:
    app, model = name.split(".")
    return bool(request.user.has_perm(f"{app}.view_{model}"))
