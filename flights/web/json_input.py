"""Parse JSON of clients strictly: whole Unicode text, finite numbers, bounded depth.

Python's `json` also accepts lone surrogates, NaN and infinity, which databases and JSON responses
cannot represent, and it fails for deep nesting and for numbers with very many digits. So orjson
validates the text. Then `json` parses it, because orjson rounds integers above 64 bits, and keeps
the last value of a name that occurs twice in an object.
"""

import json
from collections import Counter
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
    try:
        return json.loads(text, object_pairs_hook=_object)
    except RepeatedName as error:
        raise ParseError(f"{name} has the name {str(error)[:80]!r} twice in one object.") from None


class RepeatedName(ValueError):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object; a repeated name would hide a value that another parser may read."""
    values = dict(pairs)
    if len(values) < len(pairs):
        ((key, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise RepeatedName(key)
    return values


class JSON(JSONParser):
    """Parse the body of a request with `read`."""

    def parse(self, stream: Any, *args: Any, **kwargs: Any) -> Any:
        return read(stream.read())
