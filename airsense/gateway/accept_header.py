"""The Accept header in one spelling, so that clients who read the same share an answer."""

from functools import lru_cache
from typing import Any

from drf_spectacular import renderers as described

from flights.exports.renderers import FILES
from flights.graphql.view import GraphQLJSON
from flights.web import quality
from flights.web.renderers import JSON, Browsable

ANYTHING = "*/*"
NOTHING = "none/none"  # no form of ours
OUR_RENDERERS: tuple[Any, ...] = (
    *(JSON, Browsable, GraphQLJSON, *FILES),
    *(described.OpenApiYamlRenderer, described.OpenApiYamlRenderer2),
    *(described.OpenApiJsonRenderer, described.OpenApiJsonRenderer2),
)
KNOWN = {ANYTHING, "text/*", "application/*"} | {
    renderer.media_type.partition(";")[0] for renderer in OUR_RENDERERS
}


@lru_cache(1_024)
def accepted(header: str) -> str:
    """The forms of ours that a client reads, sorted by name, with the order of their qualities.

    Forms that nothing here has are left out, and so are all parameters but q.
    """
    if header.strip() in ("", ANYTHING):
        return ANYTHING
    qualities = {name: q for name, q in quality.read(header).items() if name in KNOWN}
    places = sorted({q for q in qualities.values() if q}, reverse=True)
    spelled = [
        name + _spelled(places.index(q) if q else None) for name, q in sorted(qualities.items())
    ]
    return ", ".join(spelled) or NOTHING


def _spelled(place: int | None) -> str:
    if place is None:
        return ";q=0"
    return f";q={1 - place / 100:.2f}" if place else ""
