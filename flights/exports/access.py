"""Permission to export: users with the right, and API keys with the scope `export`."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from flights.access import keys, throttles
from flights.errors import BadKey
from flights.models import ApiKey, Asker, Export

from .renderers import COST

SCOPE = "export"


class KeyAuthentication(BaseAuthentication):
    """Authenticate by `X-API-Key`. Counts each request, even with a wrong key."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey] | None:
        secret = request.META.get(throttles.KEY, "")
        if not secret:
            return None
        # Requesting an export costs as much as a download; reading its progress is one request.
        throttles.charge(request, SCOPE, COST if request.method == "POST" else 1)
        return AnonymousUser(), keys.find(secret, SCOPE)

    def authenticate_header(self, request: Request) -> str:
        return BadKey.auth_header


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = KeyAuthentication
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "X-API-Key"}


class MayExport(BasePermission):
    message = "This user may not ask for exports."

    def has_permission(self, request: Request, view: Any) -> bool:
        return _by_key(request) or bool(request.user.has_perm("flights.add_export"))


def is_seen_by(request: Request, export: Export) -> bool:
    """A key sees its own exports; users who may export see all, as in the admin."""
    return not _by_key(request) or asker(request).exports().filter(pk=export.pk).exists()


def asker(request: Request) -> Asker:
    """The requesting user or key, not saved. By id, since the reader's database holds the key."""
    if _by_key(request):
        return Asker(key_id=request.auth.pk)
    return Asker(user=request.user.get_username())


def _by_key(request: Request) -> bool:
    return isinstance(request.auth, ApiKey)
