"""Each format for content negotiation: `format=csv`, or an Accept header."""

from typing import Any

from rest_framework import renderers

from flights.web.renderers import JSON

from .formats import FORMATS

COST = 10  # requests: a file can hold a whole table


class File(renderers.BaseRenderer):
    """Names a format; the rows are written elsewhere."""

    throttle_scope = "export"
    throttle_cost = COST

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return JSON().render(data)  # what is rendered here is an error


FILES = [
    type(name.title(), (File,), {"media_type": format_.media_type, "format": name})
    for name, format_ in FORMATS.items()
]
