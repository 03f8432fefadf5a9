"""The JSON and HTML formats of API responses."""

from decimal import Decimal
from typing import Any

import orjson
from rest_framework import renderers


class JSON(renderers.JSONRenderer):
    """JSON by orjson, which is four times as fast as `json` and writes dates in ISO 8601."""

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return b"" if data is None else orjson.dumps(data, default=_text)


def _text(value: Any) -> str:
    r"""Write what orjson cannot: decimals as text with all digits, bytes like `\x00ff`."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return f"\\x{bytes(value).hex()}" if isinstance(value, bytes | memoryview) else str(value)


class Browsable(renderers.BrowsableAPIRenderer):
    """An HTML page that shows the JSON response to a person."""

    def get_default_renderer(self, view: Any) -> renderers.BaseRenderer:
        return IndentedJSON()

    def show_form_for_method(self, *args: Any) -> bool:
        return False  # the API is read-only


class IndentedJSON(JSON):
    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return orjson.dumps(data, default=_text, option=orjson.OPT_INDENT_2)
