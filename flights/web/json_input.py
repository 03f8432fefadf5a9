"""Parse JSON of clients strictly: whole Unicode text, finite numbers, bounded depth.

Python's `json` also accepts lone surrogates, NaN and infinity, which databases and JSON responses
cannot represent, and it fails for deep nesting and for numbers with very many digits. So orjson
validates the text. Then `json` parses it, because orjson rounds integers above 64 bits.
"""

import json
from typing import Any

import orjson
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


def read(text: bytes | str, name: str = "The body") -> Any:
    """Parse a text; raises ParseError (400), which says where the text is not JSON."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ParseError(f"{name} is not JSON: {error}.") from None
    return json.loads(text)


class JSON(JSONParser):
    """Parse the body of a request with `read`."""

    def parse(self, stream: Any, *args: Any, **kwargs: Any) -> Any:
        return read(stream.read())
