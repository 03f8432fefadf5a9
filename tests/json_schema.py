"""Compare JSON with a JSON schema."""

from typing import Any

import jsonschema_rs


def violations(schema: Any, value: Any) -> list[str]:
    """List how a value violates a schema (draft 2020-12)."""
    validator = jsonschema_rs.Draft202012Validator(schema)
    return [error.message[:300] for error in validator.iter_errors(value)]
