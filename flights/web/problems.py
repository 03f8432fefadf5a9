"""Describe error responses in OpenAPI: problem details (RFC 9457), or the first AirSense's form."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from flights.errors import responses
from flights.errors.responses import LEGACY, PROBLEM

from .openapi import Texts

type Responses = dict[tuple[int, str], OpenApiResponse]

# Meaning and an example of each status.
PROBLEMS: dict[int, tuple[str, dict[str, Any]]] = {
    400: (
        "A name is unknown, or a value does not fit its column.",
        {
            "detail": "delays_by_day has no column 'Town'.",
            "allowed": ["Day_of_Week", "Avg_Departure_Delay", "Avg_Arrival_Delay", "Total_Flights"],
        },
    ),
    401: (
        "A token, session or API key is missing or not valid.",
        {"detail": "The key airsense_X7d1hGq... was revoked at 2026-11-02 08:15 UTC."},
    ),
    403: (
        "The user lacks the permission, or the API key lacks the scope.",
        {"detail": "The key airsense_X7d1hGq... is not for search.", "allowed": ["query"]},
    ),
    404: (
        "The resource does not exist.",
        {"detail": "There is no table 'nowhere'."},
    ),
    406: (
        "The requested format is not available.",
        {"detail": "Could not satisfy the request Accept header."},
    ),
    409: (
        "The state of the resource does not allow this now.",
        {"detail": "transfer 7 of delays_by_day has ended already: succeeded."},
    ),
    410: (
        "The version of the cursor has been deleted.",
        {"detail": "Version 1 is not available. Start again with an empty cursor="},
    ),
    412: (
        "The file has changed: it does not meet the condition of the request.",
        {"detail": "The file does not match If-Match or If-Unmodified-Since."},
    ),
    413: (
        "The body is too long.",
        {"detail": "The body has 100,001 bytes; the limit is 100,000."},
    ),
    414: (
        "The address is too long.",
        {"detail": "The address has 20,017 bytes; the limit is 8,000. Use a shorter query."},
    ),
    415: (
        "The media type of the body is not supported.",
        {"detail": 'Unsupported media type "text/plain" in request.'},
    ),
    416: (
        "The Range header is outside the file: see Content-Range.",
        {"detail": "The file has 1,024 bytes, and the requested range is outside it."},
    ),
    429: (
        "Too many requests: see Retry-After.",
        {
            "detail": "More than 600 requests a minute came from your address; an API key"
            " (X-API-Key) can allow more. Try again in 30 s."
        },
    ),
    500: (
        "The server failed.",
        {"detail": "The chat cannot answer yet."},
    ),
    503: (
        "The table is not published yet, the query took too long, or the server is busy: see"
        " Retry-After.",
        {"detail": "delays_by_day has not been transferred from the warehouse yet."},
    ),
}
READING = (400, 401, 403, 404, 406, 410, 414, 429, 503)


class Problem(serializers.Serializer[Any]):
    """An error, as problem details (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    allowed = Texts(required=False, help_text="Valid names or values.")
    advice = serializers.CharField(required=False, help_text="How to fix it.")


class FirstError(serializers.Serializer[Any]):
    """An error of the first AirSense's URLs: the same text under three names."""

    error = serializers.CharField()
    message = serializers.CharField()
    detail = serializers.CharField()
    allowed = Texts(required=False)


def problems(*codes: int) -> Responses:
    """Describe statuses whose body is a `Problem`, with an example of each."""
    return {
        (code, PROBLEM): OpenApiResponse(Problem, PROBLEMS[code][0], [_example(code)])
        for code in codes
    }


def first_errors(*codes: int) -> Responses:
    """Describe statuses whose body is a `FirstError`."""
    return {(code, LEGACY): OpenApiResponse(FirstError, PROBLEMS[code][0]) for code in codes}


def _example(code: int) -> OpenApiExample:
    meaning, details = PROBLEMS[code]
    problem = responses.problem(status=code, **details)
    return OpenApiExample(meaning, problem, status_codes=[str(code)])
