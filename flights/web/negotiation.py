"""In which form an answer is given: `format=`, or the Accept header (RFC 9110, section 12.5.1)."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from rest_framework.exceptions import NotAcceptable, NotFound
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from . import quality

ANYTHING = "*/*"


class Negotiation(DefaultContentNegotiation):
    """By the client's q-values, which Django REST framework's own negotiation ignores."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        wanted = format_suffix or request.query_params.get("format")
        among = self.filter_renderers(renderers, wanted) if wanted else renderers
        types = tuple(renderer.media_type for renderer in among)
        chosen = choose(types, request.META.get("HTTP_ACCEPT", ANYTHING))
        if chosen is None:
            raise NotAcceptable(available_renderers=among)
        return among[chosen], types[chosen]

    def filter_renderers(self, renderers: Any, format: str) -> Any:
        known = [renderer.format for renderer in renderers if renderer.format]
        if format not in known:
            # As `errors.BadQuery`, which cannot be imported: Django REST framework imports this.
            raise NotFound({"error": f"There is no format {format[:40]!r} here.", "allowed": known})
        return super().filter_renderers(renderers, format)


@lru_cache(1_024)
def choose(types: Sequence[str], accept: str) -> int | None:
    """The place of the media type that an Accept header wants most; None where it wants none.

    The most specific range that fits a type has its quality. Of equal qualities the more specific
    range wins, as `application/json, */*` asks for JSON, then the type that comes first.
    """
    if accept.strip() in ("", ANYTHING):
        return 0
    ranges = quality.read(accept)
    wanted = [(*_wanted(media_type, ranges), -place) for place, media_type in enumerate(types)]
    best, _, place = max(wanted)
    return -place if best else None


def _wanted(media_type: str, ranges: dict[str, float]) -> tuple[float, int]:
    """The quality of a type, and how specific the range is that says so."""
    name = media_type.partition(";")[0].strip().lower()
    kind = name.partition("/")[0]
    for specific, fitting in ((3, name), (2, f"{kind}/*"), (1, ANYTHING)):
        if fitting in ranges:
            return ranges[fitting], specific
    return 0.0, 0
