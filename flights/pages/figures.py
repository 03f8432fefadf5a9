"""Pages with figures: the page itself, one of its figures as a file, or a citation of one."""

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

CITING = 20  # requests that the rate limit counts for a citation

type View = Callable[..., HttpResponse]

FORMATS = {
    "svg": ("image/svg+xml", picture.svg),
    "png": ("image/png", picture.png),
    "csv": ("text/csv; charset=utf-8", Figure.csv),
}


def figures_page(view: View) -> View:
    """Decorator of a page with figures. To cite one is a POST that needs no CSRF token.

    A citation holds nothing but what the page says, and nobody's login has a part in it.
    """
    return csrf_exempt(page(caching.while_current(view)))


def respond(
    request: HttpRequest, template: str, context: dict[str, Any], figures: Iterable[Figure]
) -> HttpResponse:
    """The page; with `?figure=months&format=png` (or svg, csv) only that figure.

    A POST with `figure=months` keeps the figure, and leads to its citation.

    The template shows a figure by `{% include "figure.html" with figure=figures.months %}`.
    """
    named = {figure.name: figure for figure in figures}
    if request.method == "POST":
        throttles.charge(request.META, "query", CITING)
        figure = _named(named, request.POST.get("figure", ""))
        return redirect("citation", store.keep(figure, request.get_full_path()).name)
    if "figure" in request.GET:
        return _file(_named(named, request.GET["figure"]), request.GET.get("format", "svg"))
    return render(request, template, {**context, "figures": named})


def _named(figures: dict[str, Figure], name: str) -> Figure:
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
