"""Parts of the OpenAPI description that all operations share."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers


class Texts(serializers.ListField):
    """A list of texts."""

    child = serializers.CharField()


RETRY_HEADERS = {
    "Retry-After": {
        "schema": {"type": "integer"},
        "description": "Seconds to wait before the next attempt.",
    }
}


class ApiSchema(AutoSchema):
    """Describe one operation."""

    view: Any

    def get_auth(self) -> list[dict[str, list[Any]]]:
        """Public operations accept an optional API key; others need what their view names."""
        public = not self.view.authentication_classes
        return [{}, {"key": []}] if public else super().get_auth()


def share(result: Any, **_: Any) -> Any:
    """Move each error response to `components`, and refer to it (a hook of drf-spectacular)."""
    shared: dict[str, Any] = {}
    for operations in result["paths"].values():
        for operation in operations.values():
            responses = operation["responses"]
            for status in [status for status in responses if status >= "400"]:
                responses[status] = _reference(shared, status, responses[status])
    return {**result, "components": {**result["components"], "responses": shared}}


def _reference(shared: dict[str, Any], status: str, response: Any) -> Any:
    """Store a response under the names of its schemas and its status; returns a reference to it."""
    if status in ("429", "503"):
        response["headers"] = RETRY_HEADERS
    schemas = {body["schema"]["$ref"].rpartition("/")[2] for body in response["content"].values()}
    name = f"{'Or'.join(sorted(schemas))}{status}"
    assert shared.setdefault(name, response) == response, name
    return {"$ref": f"#/components/responses/{name}"}
