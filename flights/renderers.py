"""The forms in which the query API answers."""

from typing import Any

import orjson
from rest_framework import renderers


class JSON(renderers.JSONRenderer):
    """JSON by orjson: four times as fast as the standard library, and dates in ISO 8601."""

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return b"" if data is None else orjson.dumps(data, default=str)


class Browsable(renderers.BrowsableAPIRenderer):
    """The same answer for people, in a browser."""

    def get_default_renderer(self, view: Any) -> renderers.BaseRenderer:
        return IndentedJSON()

    def show_form_for_method(self, *args: Any) -> bool:
        return False  # nothing here can be written


class IndentedJSON(JSON):
    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return orjson.dumps(data, default=str, option=orjson.OPT_INDENT_2)


class CSV(renderers.BaseRenderer):
    """Names the format for content negotiation; `flights.export` writes the rows."""

    media_type = "text/csv"
    format = "csv"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return JSON().render(data)  # what is rendered here is an error
