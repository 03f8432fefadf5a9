"""Read parameters from the URL and from JSON bodies of requests."""

from typing import Any

from django.http import QueryDict
from rest_framework.request import Request

from flights.errors import BadQuery
from flights.query.params import repeated


def single_values(query: QueryDict) -> dict[str, str]:
    """The parameters of a URL. Raises BadQuery if a parameter is repeated."""
    for name, values in query.lists():
        if len(values) > 1:
            raise repeated(name, len(values))
    return {str(name): str(value) for name, value in query.items()}


def required(request: Request, name: str) -> Any:
    """A value of a JSON body. Raises BadQuery if it is missing or empty."""
    body = request.data
    value = body.get(name) if isinstance(body, dict) else None
    if not value or not str(value).strip():
        raise BadQuery(f"Parameter '{name}' is required!")  # the text of the first AirSense
    return value
