"""What OpenAPI says of every address."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers


class Texts(serializers.ListField):
    child = serializers.CharField()


LATER = {
    "Retry-After": {
        "schema": {"type": "integer"},
        "description": "Seconds until it makes sense to ask again.",
    }
}


class Described(AutoSchema):
    view: Any

    def get_auth(self) -> list[dict[str, list[Any]]]:
        """What is public can be asked with a key; all else says who may."""
        public = not self.view.authentication_classes
        return [{}, {"key": []}] if public else super().get_auth()


def share(result: Any, **_: Any) -> Any:
    """Spectacular's last step: each refusal is written once, and where it is given refers to it."""
    shared: dict[str, Any] = {}
    for operations in result["paths"].values():
        for operation in operations.values():
            answers = operation["responses"]
            for status in [status for status in answers if status >= "400"]:
                answers[status] = _shared(shared, status, answers[status])
    return {**result, "components": {**result["components"], "responses": shared}}


def _shared(shared: dict[str, Any], status: str, refusal: Any) -> Any:
    """A reference to a refusal, which is named for its status and the shape of its body."""
    if status in ("429", "503"):
        refusal["headers"] = LATER
    shapes = {body["schema"]["$ref"].rpartition("/")[2] for body in refusal["content"].values()}
    name = f"{'Or'.join(sorted(shapes))}{status}"
    assert shared.setdefault(name, refusal) == refusal, name
    return {"$ref": f"#/components/responses/{name}"}
