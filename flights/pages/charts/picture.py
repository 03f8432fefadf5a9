"""A figure as a picture of its own: SVG and PNG with title, measure, flights and source."""

import textwrap
from functools import cache
from pathlib import Path

import resvg_py

from .chart import WIDE
from .figure import Figure
from .svg import Drawing

FOLDER = Path(__file__).parent
STYLE = FOLDER.parents[1] / "static" / "charts.css"
FONTS = sorted(map(str, (FOLDER / "fonts").glob("*.ttf")))
FAMILY = "Inter"
MARGIN = 28
LINE = 18  # height of a line of small text
LETTERS = 92  # in a line of small text
ZOOM = 2  # pixels of a PNG for each unit


def svg(figure: Figure) -> str:
    """An SVG document that needs nothing else."""
    chart = figure.chart.draw(WIDE)
    measure, notes = textwrap.wrap(figure.measure, LETTERS), textwrap.wrap(_notes(figure), LETTERS)
    top = MARGIN + 44 + LINE * len(measure)
    picture = Drawing(WIDE + 2 * MARGIN, top + chart.height + LINE * len(notes) + MARGIN + 12)
    picture.rect(0, 0, picture.width, picture.height, "paper")
    picture.text(MARGIN, MARGIN + 18, figure.title, "title")
    for number, line in enumerate(measure):
        picture.text(MARGIN, MARGIN + 42 + LINE * number, line, "measure")
    picture.append(chart.markup(f' x="{MARGIN}" y="{top}"'))
    for number, line in enumerate(notes):
        picture.text(MARGIN, top + chart.height + 24 + LINE * number, line, "tick")
    return picture.markup(' class="figure-chart"', f"<style>{_style()}</style>")


def png(figure: Figure) -> bytes:
    return pixels(svg(figure))


def pixels(document: str) -> bytes:
    """An SVG document as PNG."""
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=document,
            zoom=ZOOM,
            skip_system_fonts=True,
            font_files=FONTS,
            font_family=FAMILY,
            sans_serif_family=FAMILY,
        )
    )


def _notes(figure: Figure) -> str:
    return " ".join(f"{part}." for part in (figure.basis, figure.source) if part)


@cache
def _style() -> str:
    return STYLE.read_text()
