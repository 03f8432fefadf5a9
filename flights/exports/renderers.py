"""Each format for content negotiation: `format=csv`, or an Accept header."""

from typing import Any

from rest_framework import renderers

from flights.renderers import JSON

from .formats import FORMATS


class File(renderers.BaseRenderer):
    """Names a format; the rows are written elsewhere."""

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return JSON().render(data)  # what is rendered here is an error


FILES = [
    type(name.title(), (File,), {"media_type": format_.media_type, "format": name})
    for name, format_ in FORMATS.items()
]
