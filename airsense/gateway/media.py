"""The Accept header in one spelling, so that clients who read the same share an answer."""

import re
from functools import lru_cache
from typing import Any

from drf_spectacular import renderers as described

from flights.exports.renderers import FILES
from flights.graphql.view import GraphQLJSON
from flights.renderers import JSON, Browsable

ANYTHING = "*/*"
NOTHING = "none/none"  # no form of ours
QUALITY = re.compile(r"q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")
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
    qualities: dict[str, float] = {}
    for part in header.lower().split(","):
        name, _, parameters = part.partition(";")
        if (name := name.strip()) in KNOWN:
            qualities[name] = max(_quality(parameters), qualities.get(name, 0.0))
    places = sorted({quality for quality in qualities.values() if quality}, reverse=True)
    spelled = [
        name + _spelled(places.index(quality) if quality else None)
        for name, quality in sorted(qualities.items())
    ]
    return ", ".join(spelled) or NOTHING


def _quality(parameters: str) -> float:
    """1 where a client gives none, or none that can be read."""
    stated = [QUALITY.fullmatch(parameter.strip()) for parameter in parameters.split(";")]
    return min((float(match[1]) for match in stated if match), default=1.0)


def _spelled(place: int | None) -> str:
    if place is None:
        return ";q=0"
    return f";q={1 - place / 100:.2f}" if place else ""
