"""`/explorer`: the tables for people. Its address holds its whole state."""

from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from rest_framework.exceptions import APIException
from rest_framework.response import Response

from flights import tables
from flights.access import throttles
from flights.errors.pages import page
from flights.errors.responses import error_response
from flights.models import PublishedTable
from flights.versions import READER
from flights.web import caching

from . import form, results
from .state import State


@page
@caching.while_current
def explorer(request: HttpRequest) -> HttpResponse:
    model = tables.by_name(request.GET.get("table") or tables.NAMES[0])
    if "form" in request.GET:
        return redirect(form.submitted(model, request.GET))
    throttles.charge(request.META, "query")
    state = State(model, request.GET)
    refusal = None
    try:
        outcome = results.context(state, state.result())
    except (APIException, OperationalError, InterfaceError) as error:
        refusal = error_response(error, {})
        assert refusal
        outcome = _why(state, refusal)
    context = {"state": state, "tables": _titles(), **form.context(state), **outcome}
    status = refusal.status_code if refusal else 200
    response = render(request, "explorer.html", context, status=status)
    if refusal and "Retry-After" in refusal.headers:
        response["Retry-After"] = refusal.headers["Retry-After"]
    return response


def _why(state: State, refusal: Response) -> dict[str, Any]:
    """The reason that the API would give, and the table if it was never published."""
    published = PublishedTable.objects.using(READER).filter(table=state.table).exists()
    missing = [] if published or refusal.status_code != 503 else [state.table]
    return {
        "error": refusal.data["detail"],
        "allowed": refusal.data.get("allowed"),
        "missing": missing,
    }


def _titles() -> list[tuple[str, str]]:
    return [(m._meta.db_table, str(m._meta.verbose_name).capitalize()) for m in tables.TABLES]
