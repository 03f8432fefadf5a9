"""What OpenAPI says of errors: problem details (RFC 9457), or the shape of the first AirSense."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from flights.errors import responses
from flights.errors.responses import LEGACY, PROBLEM

from .openapi import Texts

type Responses = dict[tuple[int, str], OpenApiResponse]

# What each status means, and an example of it.
PROBLEMS: dict[int, tuple[str, dict[str, Any]]] = {
    400: (
        "Something unknown, or a value that does not fit its column.",
        {
            "detail": "delays_by_day has no column 'Town'.",
            "allowed": ["Day_of_Week", "Avg_Departure_Delay", "Avg_Arrival_Delay", "Total_Flights"],
        },
    ),
    401: (
        "No token, session or key, or one that is not valid.",
        {"detail": "The key airsense_X7d1hGq... is revoked since 2026-11-02 08:15 UTC."},
    ),
    403: (
        "This user may not do that, or the key is not for this.",
        {"detail": "The key airsense_X7d1hGq... is not for search.", "allowed": ["query"]},
    ),
    404: ("There is nothing of that name.", {"detail": "There is no table 'nowhere'."}),
    406: (
        "The Accept header takes none of the forms that there are.",
        {"detail": "Could not satisfy the request Accept header."},
    ),
    409: (
        "Not now: something else has to end before, or has ended.",
        {"detail": "transfer 7 of delays_by_day has ended already: succeeded."},
    ),
    410: (
        "The cursor's version is not kept any more.",
        {"detail": "Version 1 is not kept any more. Begin again with cursor="},
    ),
    412: (
        "The file is not the one that the request names.",
        {"detail": "The file is not the one that If-Match or If-Unmodified-Since names."},
    ),
    413: (
        "The body is too long.",
        {"detail": "The body has 100,001 bytes; the limit is 100,000."},
    ),
    414: (
        "The address is too long.",
        {"detail": "The address has 20,017 bytes, and at most 8,000 can be. Ask for less at once."},
    ),
    415: (
        "The body is of a type that is not read.",
        {"detail": 'Unsupported media type "text/plain" in request.'},
    ),
    416: (
        "The file has none of the bytes that the Range header names: see Content-Range.",
        {"detail": "The file has 1,024 bytes, and the Range header names none of them."},
    ),
    429: (
        "Too many requests a minute: see Retry-After.",
        {
            "detail": "More than 600 requests a minute came from your address; with a key"
            " (X-API-Key) there can be more. Ask again in 30 s."
        },
    ),
    500: (
        "The platform fails to do this.",
        {"detail": "The chat cannot answer yet."},
    ),
    503: (
        "Not transferred yet, took too long, or too much of it at once: see Retry-After.",
        {"detail": "delays_by_day has not been transferred from the warehouse yet."},
    ),
}
READING = (400, 401, 403, 404, 406, 410, 414, 429, 503)


class Problem(serializers.Serializer[Any]):
    """RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    allowed = Texts(required=False, help_text="What could be asked instead.")
    advice = serializers.CharField(required=False, help_text="What to do.")


class FirstError(serializers.Serializer[Any]):
    """An error of the addresses of the first AirSense: one text under three names."""

    error = serializers.CharField()
    message = serializers.CharField()
    detail = serializers.CharField()
    allowed = Texts(required=False)


def problems(*codes: int) -> Responses:
    return {
        (code, PROBLEM): OpenApiResponse(Problem, PROBLEMS[code][0], [_example(code)])
        for code in codes
    }


def first_errors(*codes: int) -> Responses:
    return {(code, LEGACY): OpenApiResponse(FirstError, PROBLEMS[code][0]) for code in codes}


def _example(code: int) -> OpenApiExample:
    meaning, said = PROBLEMS[code]
    return OpenApiExample(meaning, responses.problem(status=code, **said), status_codes=[str(code)])
