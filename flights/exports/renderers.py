"""Renderers that let content negotiation choose a file format, by `format=` or Accept."""

from typing import Any

from rest_framework import renderers

from flights.web.renderers import JSON

from .formats import FORMATS

COST = 10  # a file counts as so many requests, because it can hold a whole table


class File(renderers.BaseRenderer):
    """Names a format; `flights.exports.answer` writes the rows."""

    throttle_scope = "export"
    throttle_cost = COST

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return JSON().render(data)  # only errors are rendered here


FILES = [
    type(name.title(), (File,), {"media_type": format_.media_type, "format": name})
    for name, format_ in FORMATS.items()
]
