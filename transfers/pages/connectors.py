"""`/connectors`: whether the databases answer, the latest transfers, and a form to start one.

Everybody may read it; a visitor causes no query of a warehouse that costs money. Starting a
transfer needs the session of a user with the permission.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from flights import tables
from flights.access import throttles
from flights.errors.pages import page, refuse
from transfers import tasks, warehouse_contact
from transfers.exceptions import TransferError

from . import listing
from .shared import for_a_second

PATH = "/connectors"
FORBIDDEN = "Starting a transfer needs a user with the permission to start transfers."


class State(Protocol):
    """Whether a part of the platform answers (airsense.status.State)."""

    part: str
    up: bool | None  # None: never checked
    at: datetime | None  # when it was checked, if not now


type States = Callable[[HttpRequest], list[Any]]


def view(states: States) -> Callable[[HttpRequest], HttpResponse]:
    """Make the view; `states` checks the warehouse and PostgreSQL within a time limit."""

    @page
    @never_cache
    @require_http_methods(["GET", "HEAD", "POST"])
    @for_a_second
    def connectors(request: HttpRequest) -> HttpResponse:
        throttles.charge(request.META, "query")
        lights = states(request)
        return _start(request, lights) if request.method == "POST" else _page(request, lights)

    return connectors


def _page(
    request: HttpRequest, lights: list[State], error: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "lights": [(_name(light.part), light.up, light.at) for light in lights],
        "names": tables.NAMES,
        "login": f"/admin/login/?{urlencode({'next': PATH})}",
        "error": error,
        # Sessions and transfers are in PostgreSQL, which must not make this page wait.
        **(_from_database(request) if _has_database(lights) else {}),
    }
    return render(request, "transfers/connectors.html", context, status=status)


def _name(part: str) -> str:
    if part == "postgresql":
        return "PostgreSQL"
    return "Databricks" if warehouse_contact.costs_money() else "Warehouse"


def _has_database(lights: list[State]) -> bool:
    return all(light.up for light in lights if light.part == "postgresql")


def _from_database(request: HttpRequest) -> dict[str, Any]:
    params = request.GET
    return {
        "listing": listing.read(params),
        "table": params.get("table", ""),
        "started": params.get("started", ""),
        "is_user": request.user.is_authenticated,
        "may_start": _may_start(request),
    }


def _may_start(request: HttpRequest) -> bool:
    user = request.user
    return user.is_active and user.is_staff and user.has_perm("transfers.start_transfer")


def _start(request: HttpRequest, lights: list[State]) -> HttpResponse:
    """Queue a transfer of the table of the form, and show the page with it."""
    if not _has_database(lights):
        return _page(request, lights, "PostgreSQL does not answer. Try again later.", 503)
    if not _may_start(request):
        return refuse(request, FORBIDDEN, 403)
    model = tables.by_name(request.POST.get("table", ""))
    try:
        tasks.start([model], request.user.get_username(), forced="force" in request.POST)
    except TransferError as error:
        return _page(request, lights, str(error), 503)
    response = HttpResponseRedirect(f"{PATH}?{urlencode({'started': model._meta.db_table})}")
    response.status_code = 303  # so that reloading the page does not start another one
    return response
