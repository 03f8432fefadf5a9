"""The base of API views that everybody may use."""

from typing import Any

from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

from flights.access.throttles import Throttle


class OpenView(APIView):
    """Needs no login: every client gets the same response, so that any cache may store it."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    throttle_classes = [Throttle]
