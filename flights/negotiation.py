"""In which form an answer is given: `format=`, or the Accept header."""

from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

ANYTHING = "*/*"


class Negotiation(DefaultContentNegotiation):
    """Programs that take anything, and most do, are not compared with every form there is."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        named = "format" in request.query_params
        if named or request.META.get("HTTP_ACCEPT", ANYTHING) != ANYTHING:
            return super().select_renderer(request, renderers, format_suffix)
        return renderers[0], renderers[0].media_type
