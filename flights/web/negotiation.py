"""Choose the format of a response: `format=`, or the Accept header (RFC 9110, section 12.5.1)."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from rest_framework.exceptions import NotAcceptable, NotFound
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from . import quality

ANYTHING = "*/*"


class Negotiation(DefaultContentNegotiation):
    """Respect the q-values of Accept, which Django REST framework's own negotiation ignores."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        name = format_suffix or request.query_params.get("format")
        candidates = self.filter_renderers(renderers, name) if name else renderers
        types = tuple(renderer.media_type for renderer in candidates)
        best = choose(types, request.META.get("HTTP_ACCEPT", ANYTHING))
        if best is None:
            raise NotAcceptable(available_renderers=candidates)
        return candidates[best], types[best]

    def filter_renderers(self, renderers: Any, format: str) -> Any:
        known = [renderer.format for renderer in renderers if renderer.format]
        if format not in known:
            # Like `errors.BadQuery`, whose import would be circular: Django REST framework imports
            # this module.
            message = f"The format {format[:40]!r} is not available here."
            raise NotFound({"error": message, "allowed": known})
        return super().filter_renderers(renderers, format)


@lru_cache(1_024)
def choose(types: Sequence[str], accept: str) -> int | None:
    """Return the index of the media type that an Accept header prefers; None if it accepts none.

    The most specific media range that matches a type sets its quality. Between equal qualities the
    more specific range wins (`application/json, */*` prefers JSON), then the first type.
    """
    if accept.strip() in ("", ANYTHING):
        return 0
    ranges = quality.read(accept)
    ranked = [(*_quality(media_type, ranges), -index) for index, media_type in enumerate(types)]
    best, _, index = max(ranked)
    return -index if best else None


def _quality(media_type: str, ranges: dict[str, float]) -> tuple[float, int]:
    """The quality of a type, and the specificity (3 to 1) of the media range that sets it."""
    name = media_type.partition(";")[0].strip().lower()
    kind = name.partition("/")[0]
    for specificity, media_range in ((3, name), (2, f"{kind}/*"), (1, ANYTHING)):
        if media_range in ranges:
            return ranges[media_range], specificity
    return 0.0, 0
