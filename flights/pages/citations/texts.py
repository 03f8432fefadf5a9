"""Texts to copy from a citation: a reference, a BibTeX entry, and HTML that embeds the figure."""

from html import escape

from django.conf import settings

from flights.models import Citation
from flights.pages import formatting

WIDTH, HEIGHT = 736, 560  # pixels of an embedded figure
# LaTeX interprets these characters, so a table's name such as `delays_by_day` would not compile.
LATEX = str.maketrans(
    {character: f"\\{character}" for character in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
)


def address(citation: Citation) -> str:
    return f"{settings.PUBLIC_URL}/citations/{citation.name}/"


def reference(citation: Citation) -> str:
    """A line for a list of references."""
    flights = (
        "" if citation.flights is None else f" {formatting.count(citation.flights, 'flight')}."
    )
    return (
        f"AirSense, “{citation.title}”, {formatting.day(citation.made_at.date())}."
        f" {citation.source}.{flights} {address(citation)}"
    )


def bibtex(citation: Citation) -> str:
    return (
        f"@misc{{airsense-{citation.name},\n"
        f"  title = {{{citation.title.translate(LATEX)}}},\n"
        "  author = {{AirSense}},\n"
        f"  year = {{{citation.made_at.year}}},\n"
        f"  note = {{{citation.source.translate(LATEX)}}},\n"
        f"  url = {{{address(citation)}}}\n"
        "}"
    )


def embed(citation: Citation) -> str:
    """HTML that shows the figure in another page."""
    return (
        f'<iframe src="{settings.PUBLIC_URL}/embed/{citation.name}" width="{WIDTH}"'
        f' height="{HEIGHT}" title="{escape(citation.title)}" loading="lazy"></iframe>'
    )
