"""`/explorer`: a table of the API for people, all of its state in its address."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from rest_framework.response import Response

from flights import tables
from flights.access import throttles
from flights.errors.pages import page
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
    throttles.charge(request, "query")
    state = State(model, request.GET)
    answer = state.answer()
    found = results.shown(state, answer) if answer.status_code == 200 else _why(state, answer)
    context = {"state": state, "tables": _titles(), **form.shown(state), **found}
    response = render(request, "explorer.html", context, status=answer.status_code)
    if "Retry-After" in answer.headers:
        response["Retry-After"] = answer.headers["Retry-After"]
    return response


def _why(state: State, answer: Response) -> dict[str, Any]:
    """The API's reason, and the table where it was never published."""
    there = PublishedTable.objects.using(READER).filter(table=state.table).exists()
    missing = [] if there or answer.status_code != 503 else [state.table]
    return {
        "error": answer.data["detail"],
        "allowed": answer.data.get("allowed"),
        "missing": missing,
    }


def _titles() -> list[tuple[str, str]]:
    return [(m._meta.db_table, str(m._meta.verbose_name).capitalize()) for m in tables.TABLES]
