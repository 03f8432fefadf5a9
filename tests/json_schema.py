"""Compare JSON with a JSON schema."""

from functools import cache
from typing import Any


def violations(schema: Any, value: Any) -> list[str]:
    """What of a value does not agree with a schema."""
    return [error.message[:300] for error in _validators()(schema).iter_errors(value)]


@cache
def _validators() -> Any:
    """Imported by the first use: it takes 2 s of CPU, and each test process imports all files."""
    from jsonschema import Draft202012Validator

    return Draft202012Validator
