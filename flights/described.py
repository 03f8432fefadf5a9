"""What OpenAPI says of every address."""

from typing import Any

from drf_spectacular.openapi import AutoSchema


class Described(AutoSchema):
    view: Any

    def get_auth(self) -> list[dict[str, list[Any]]]:
        """What is public can be asked with a key; all else says who may."""
        public = not self.view.authentication_classes
        return [{}, {"key": []}] if public else super().get_auth()
