"""`POST /api/chat`: always an error, because there is no chat yet.

Clients of the first AirSense call this URL, so its errors have the format of the first AirSense.
"""

from typing import Any

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from flights.access.throttles import Throttle
from flights.web.params import required
from flights.web.problems import first_errors, problems

FAILURE = "The chat cannot answer yet. /explorer and /api/search answer questions about the data."


class Chat(APIView):
    """POST {"message": "..."}. There is no chat yet, so the response is always an error."""

    first_shape = True
    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    throttle_classes = [Throttle]

    @extend_schema(
        operation_id="chat",
        tags=["First AirSense"],
        request=inline_serializer("ChatMessage", {"message": serializers.CharField()}),
        responses={
            **first_errors(400, 401, 403, 406, 415, 429, 500),
            **problems(413, 414),
        },
    )
    def post(self, request: Request) -> Response:
        required(request, "message")
        raise APIException(FAILURE)
