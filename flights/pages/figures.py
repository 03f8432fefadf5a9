"""Respond with a page that has figures, with one figure as a file, or by citing a figure."""

from collections.abc import Callable, Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt

from flights.access import throttles
from flights.errors import BadQuery
from flights.errors.pages import page
from flights.web import caching

from .charts import Figure, picture
from .citations import store

CITATION_COST = 20  # requests that the rate limit counts for one citation

type View = Callable[..., HttpResponse]

FORMATS = {
    "svg": ("image/svg+xml", picture.svg),
    "png": ("image/png", picture.png),
    "csv": ("text/csv; charset=utf-8", Figure.csv),
}


def figures_page(view: View) -> View:
    """Decorate the view of a page with figures.

    A POST that cites a figure needs no CSRF token: it does not depend on a login, and stores only
    what the page shows to everybody.
    """
    return csrf_exempt(page(caching.while_current(view)))


def respond(
    request: HttpRequest, template: str, context: dict[str, Any], figures: Iterable[Figure]
) -> HttpResponse:
    """Return the page; `?figure=months&format=png` (or svg, csv) returns one figure as a file.

    A POST of `figure=months` stores a citation of the figure and redirects to it. The template
    shows a figure by `{% include "figure.html" with figure=figures.months %}`.
    """
    by_name = {figure.name: figure for figure in figures}
    if request.method == "POST":
        throttles.charge(request.META, "query", CITATION_COST)
        figure = _find(by_name, request.POST.get("figure", ""))
        return redirect("citation", store.cite(figure, request.get_full_path()).name)
    if "figure" in request.GET:
        return _file(_find(by_name, request.GET["figure"]), request.GET.get("format", "svg"))
    return render(request, template, {**context, "figures": by_name})


def _find(figures: dict[str, Figure], name: str) -> Figure:
    if name not in figures:
        raise BadQuery(f"figure: {name[:40]!r} is not a figure of this page.", list(figures))
    return figures[name]


def _file(figure: Figure, file_format: str) -> HttpResponse:
    if file_format not in FORMATS:
        raise BadQuery(f"format: {file_format[:40]!r} is unknown.", list(FORMATS))
    media_type, write = FORMATS[file_format]
    response = HttpResponse(write(figure), content_type=media_type)
    response["Content-Disposition"] = f'inline; filename="{figure.name}.{file_format}"'
    return response
