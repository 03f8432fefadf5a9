"""`/explorer`: filter, group and chart tables in a browser. The URL contains the whole state."""

from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from rest_framework.exceptions import APIException
from rest_framework.response import Response

from flights import tables
from flights.access import throttles
from flights.errors.responses import error_response
from flights.models import PublishedTable
from flights.pages import figures
from flights.pages.charts import Figure
from flights.versions import READER

from . import code, form, results, rows_figure
from .chart_drawing import Drawing
from .state import State

TEMPLATE = "explorer.html"


@figures.figures_page
def explorer(request: HttpRequest) -> HttpResponse:
    model = tables.by_name(request.GET.get("table") or tables.NAMES[0])
    if "form" in request.GET:
        return redirect(form.submitted(model, request.GET))
    throttles.charge(request.META, "query")
    state = State(model, request.GET)
    try:
        outcome, charts = _outcome(state)
    except (APIException, OperationalError, InterfaceError) as error:
        if "figure" in request.GET or request.method == "POST":
            raise
        return _refused(request, state, error)
    return figures.respond(request, TEMPLATE, {**_form_context(state), **outcome}, charts)


def _outcome(state: State) -> tuple[dict[str, Any], list[Figure]]:
    """The template's context for a result, and the result's figures."""
    result = results.read(state)
    charts = [_figure(state, result)] if result.page.rows else []
    program = {"tabs": code.tabs(state), "program": code.program(state), "origin": code.ORIGIN}
    return {**results.context(state, result), **program}, charts


def _figure(state: State, result: results.Result) -> Figure:
    chart = state.view == "chart"
    return Drawing(state, result).figure() if chart else rows_figure.figure(state, result)


def _form_context(state: State) -> dict[str, Any]:
    return {"state": state, "tables": _titles(), **form.context(state)}


def _refused(request: HttpRequest, state: State, error: Exception) -> HttpResponse:
    """Show the form with the API's error message."""
    refusal = error_response(error, {})
    assert refusal
    context = {**_form_context(state), **_error_context(state, refusal)}
    response = render(request, TEMPLATE, context, status=refusal.status_code)
    if "Retry-After" in refusal.headers:
        response["Retry-After"] = refusal.headers["Retry-After"]
    return response


def _error_context(state: State, refusal: Response) -> dict[str, Any]:
    """The API's error message, and the table if it has never been published."""
    published = PublishedTable.objects.using(READER).filter(table=state.table).exists()
    missing = [] if published or refusal.status_code != 503 else [state.table]
    return {
        "error": refusal.data["detail"],
        "allowed": refusal.data.get("allowed"),
        "missing": missing,
    }


def _titles() -> list[tuple[str, str]]:
    return [(m._meta.db_table, str(m._meta.verbose_name).capitalize()) for m in tables.TABLES]
