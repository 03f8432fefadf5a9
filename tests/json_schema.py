"""Compare JSON with a JSON schema."""

from functools import cache
from typing import Any


def violations(schema: Any, value: Any) -> list[str]:
    """List how a value violates a schema."""
    return [error.message[:300] for error in _validators()(schema).iter_errors(value)]


@cache
def _validators() -> Any:
    """Import jsonschema when it is used: that takes 2 s of CPU, which most processes save."""
    from jsonschema import Draft202012Validator

    return Draft202012Validator
