"""Compare JSON with a JSON schema."""

from typing import Any

import jsonschema_rs


def violations(schema: Any, value: Any) -> list[str]:
    """What of a value does not agree with a schema (draft 2020-12)."""
    validator = jsonschema_rs.Draft202012Validator(schema)
    return [error.message[:300] for error in validator.iter_errors(value)]
