"""Show a page about a thing, a figure of it, or an error page."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.urls import reverse

from flights.access import throttles
from flights.pages import figures
from flights.pages.figures import figures_page
from flights.web.params import single_values

from .missing import NoSuchThing
from .page import Page

type Params = dict[str, str]
type View = Callable[..., HttpResponse]

FIGURE = ("figure", "format")  # parameters that choose a picture of the page


def view(build: Callable[..., Page]) -> View:
    """The view of a page that `build(params, **codes)` makes; codes are in upper case."""

    @figures_page
    def respond(request: HttpRequest, **codes: str) -> HttpResponse:
        upper = {name: code.upper() for name, code in codes.items()}
        if upper != codes:
            return HttpResponsePermanentRedirect(_address(request, upper))
        throttles.charge(request.META, "query")
        params = {k: v for k, v in single_values(request.GET).items() if k not in FIGURE}
        try:
            return _respond(request, build(params, **codes))
        except NoSuchThing as missing:
            return render(request, "places/missing.html", {"missing": missing}, status=404)

    return respond


def _respond(request: HttpRequest, place: Page) -> HttpResponse:
    context: dict[str, Any] = {
        "place": place,
        "canonical": f"{settings.PUBLIC_URL}{request.path}",
        "main": place.figures[0] if place.figures else None,
    }
    return figures.respond(request, "places/place.html", context, place.figures)


def _address(request: HttpRequest, codes: dict[str, str]) -> str:
    assert request.resolver_match
    query = request.META.get("QUERY_STRING", "")
    return reverse(request.resolver_match.view_name, kwargs=codes) + (query and f"?{query}")
