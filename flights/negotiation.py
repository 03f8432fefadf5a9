"""In which form an answer is given: `format=`, or the Accept header."""

from collections.abc import Iterable
from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

ANYTHING = "*/*"


class Negotiation(DefaultContentNegotiation):
    """Programs that take anything, and most do, are not compared with every form there is."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        named = "format" in request.query_params
        if named or request.META.get("HTTP_ACCEPT", ANYTHING) != ANYTHING:
            return super().select_renderer(request, renderers, format_suffix)
        return renderers[0], renderers[0].media_type

    def filter_renderers(self, renderers: Iterable[BaseRenderer], format: str) -> Any:
        there = list(renderers)
        known = [renderer.format for renderer in there if renderer.format]
        if format not in known:
            # As `errors.BadQuery`, which cannot be imported: Django REST framework imports this.
            raise NotFound({"error": f"There is no format {format[:40]!r} here.", "allowed": known})
        return super().filter_renderers(there, format)
