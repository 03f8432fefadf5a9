"""The forms in which the query API answers."""

from decimal import Decimal
from typing import Any

import orjson
from rest_framework import renderers


class JSON(renderers.JSONRenderer):
    """JSON by orjson: four times as fast as the standard library, and dates in ISO 8601."""

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return b"" if data is None else orjson.dumps(data, default=_text)


def _text(value: Any) -> str:
    r"""Decimals as they are written, so that no digit is lost; bytes as `\x00ff`."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return f"\\x{bytes(value).hex()}" if isinstance(value, bytes | memoryview) else str(value)


class Browsable(renderers.BrowsableAPIRenderer):
    """The same answer for people, in a browser."""

    def get_default_renderer(self, view: Any) -> renderers.BaseRenderer:
        return IndentedJSON()

    def show_form_for_method(self, *args: Any) -> bool:
        return False  # nothing here can be written


class IndentedJSON(JSON):
    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return orjson.dumps(data, default=_text, option=orjson.OPT_INDENT_2)
