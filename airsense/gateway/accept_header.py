"""Normalize the Accept header, so that clients with equivalent headers share a cached response."""

from functools import lru_cache
from typing import Any

from drf_spectacular import renderers as spectacular

from flights.exports.renderers import FILES
from flights.graphql.view import GraphQLJSON
from flights.web import quality
from flights.web.renderers import JSON, Browsable

ANYTHING = "*/*"
NOTHING = "none/none"  # matches no renderer, so Django answers 406
OUR_RENDERERS: tuple[Any, ...] = (
    *(JSON, Browsable, GraphQLJSON, *FILES),
    *(spectacular.OpenApiYamlRenderer, spectacular.OpenApiYamlRenderer2),
    *(spectacular.OpenApiJsonRenderer, spectacular.OpenApiJsonRenderer2),
)
KNOWN = {ANYTHING, "text/*", "application/*"} | {
    renderer.media_type.partition(";")[0] for renderer in OUR_RENDERERS
}


@lru_cache(1_024)
def accepted(header: str) -> str:
    """Return the known media types of an Accept header, sorted by name.

    Unknown media types and all parameters except q are dropped. A q-value only expresses the rank:
    1.00 (omitted), 0.99, 0.98, ... and 0 for a refused type.
    """
    if header.strip() in ("", ANYTHING):
        return ANYTHING
    qualities = {name: q for name, q in quality.read(header).items() if name in KNOWN}
    ranks = sorted({q for q in qualities.values() if q}, reverse=True)
    parts = [name + _q(ranks.index(q) if q else None) for name, q in sorted(qualities.items())]
    return ", ".join(parts) or NOTHING


def _q(rank: int | None) -> str:
    if rank is None:
        return ";q=0"
    return f";q={1 - rank / 100:.2f}" if rank else ""
