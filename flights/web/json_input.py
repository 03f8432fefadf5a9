"""JSON that clients send, read one way: whole Unicode text, finite numbers, bounded depth.

Python's own `json` also reads lone surrogates, NaN and infinity, which no database takes and no
answer can repeat, and fails at deep nesting and long numbers. So orjson checks a text, and `json`
reads it: orjson alone would round whole numbers of more than 64 bits.
"""

import json
from typing import Any

import orjson
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


def read(text: bytes | str, name: str = "The body") -> Any:
    """ParseError, with the place in the text, where it is not JSON."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ParseError(f"{name} is not JSON: {error}.") from None
    return json.loads(text)


class JSON(JSONParser):
    def parse(self, stream: Any, *args: Any, **kwargs: Any) -> Any:
        return read(stream.read())
