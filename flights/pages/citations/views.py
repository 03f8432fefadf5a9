"""Pages of citations: a citation with its texts to copy, its files, and the figure to embed."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_exempt

from flights.access import throttles
from flights.errors import BadQuery
from flights.errors.pages import page
from flights.models import Citation
from flights.pages.charts import picture
from flights.pages.charts.figure import csv_text, value_texts
from flights.versions import READER

from . import texts

FOREVER = "public, max-age=31536000, immutable"
TYPES = {"svg": "image/svg+xml", "png": "image/png", "csv": "text/csv; charset=utf-8"}


@page
def show(request: HttpRequest, name: str) -> HttpResponse:
    """Show a citation; `?format=svg`, `png` or `csv` returns it as a file."""
    citation = _read(request, name)
    if "format" in request.GET:
        return _file(citation, request.GET["format"])
    heads, rows = value_texts(citation.heads, citation.rows)
    context = {
        "citation": citation,
        "heads": heads,
        "rows": rows,
        "reference": texts.reference(citation),
        "bibtex": texts.bibtex(citation),
        "embed": texts.embed(citation),
    }
    return render(request, "citation.html", context)


@xframe_options_exempt
@page
def embed(request: HttpRequest, name: str) -> HttpResponse:
    """Show only the figure, so that other sites can embed it in an iframe."""
    return render(request, "embed.html", {"citation": _read(request, name)})


def _read(request: HttpRequest, name: str) -> Citation:
    throttles.charge(request.META, "query")
    citation = Citation.objects.using(READER).filter(pk=name).first()
    if citation is None:
        raise Http404
    return citation


def _file(citation: Citation, file_format: str) -> HttpResponse:
    if file_format not in TYPES:
        raise BadQuery(f"format: {file_format[:40]!r} is unknown.", list(TYPES))
    response = HttpResponse(_content(citation, file_format), content_type=TYPES[file_format])
    response["Content-Disposition"] = f'inline; filename="airsense-{citation.name}.{file_format}"'
    response["Cache-Control"] = FOREVER
    return response


def _content(citation: Citation, file_format: str) -> str | bytes:
    if file_format == "svg":
        return citation.picture
    if file_format == "png":
        return picture.pixels(citation.picture)
    return csv_text(citation.heads, citation.rows)
