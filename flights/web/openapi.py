"""Parts of the OpenAPI description that all operations share."""

import json
from collections import Counter
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
    """Move what several operations have to `components`, and refer to it (a drf-spectacular hook).

    That is each error response, and each parameter that several operations describe in one way.
    """
    operations = [operation for path in result["paths"].values() for operation in path.values()]
    shared = {"responses": _share_errors(operations), "parameters": _share_parameters(operations)}
    return {**result, "components": {**result["components"], **shared}}


def _share_errors(operations: list[Any]) -> dict[str, Any]:
    shared: dict[str, Any] = {}
    for operation in operations:
        responses = operation["responses"]
        for status in [status for status in responses if status >= "400"]:
            responses[status] = _reference(shared, status, responses[status])
    return shared


def _share_parameters(operations: list[Any]) -> dict[str, Any]:
    lists = [operation["parameters"] for operation in operations if "parameters" in operation]
    times = Counter(json.dumps(parameter) for parameters in lists for parameter in parameters)
    names: dict[str, str] = {}  # of shared parameters, by their content
    for content in sorted(content for content, count in times.items() if count > 1):
        name = json.loads(content)["name"]
        alike = sum(other.partition(".")[0] == name for other in names.values())
        names[content] = f"{name}.{alike + 1}" if alike else name
    for parameters in lists:
        for index, parameter in enumerate(parameters):
            if name := names.get(json.dumps(parameter), ""):
                parameters[index] = {"$ref": f"#/components/parameters/{name}"}
    return {name: json.loads(content) for content, name in names.items()}


def _reference(shared: dict[str, Any], status: str, response: Any) -> Any:
    """Store a response under the names of its schemas and its status; returns a reference to it."""
    if status in ("429", "503"):
        response["headers"] = RETRY_HEADERS
    schemas = {body["schema"]["$ref"].rpartition("/")[2] for body in response["content"].values()}
    name = f"{'Or'.join(sorted(schemas))}{status}"
    assert shared.setdefault(name, response) == response, name
    return {"$ref": f"#/components/responses/{name}"}
