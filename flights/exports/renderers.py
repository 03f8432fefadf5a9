"""Renderers with which REST framework negotiates a file format, by `format=` or Accept."""

from typing import Any

from rest_framework import renderers

from flights.web.renderers import JSON

from .formats import FORMATS

COST = 10  # requests that a file counts as for the rate limit: it can hold a whole table


class File(renderers.BaseRenderer):
    """A format of files. `flights.exports.respond` writes the rows, so this renders only errors."""

    throttle_scope = "export"
    throttle_cost = COST

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return JSON().render(data)


FILES = [
    type(name.title(), (File,), {"media_type": format_.media_type, "format": name})
    for name, format_ in FORMATS.items()
]
