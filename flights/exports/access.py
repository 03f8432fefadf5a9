"""Who may export: users with the permission `flights.add_export`, and keys with scope `export`."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from flights.access import keys, throttles
from flights.errors import BadKey
from flights.models import ApiKey, Export, Requester

from .renderers import COST

SCOPE = "export"


class KeyAuthentication(BaseAuthentication):
    """Authenticate by the header `X-API-Key`; without it, other authenticators are tried.

    Counts each request for the rate limit, even with a wrong key. Raises BadKey (401), BadScope
    (403) if the key lacks the scope `export`, and TooMany (429) above the rate limit.
    """

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey] | None:
        secret = request.META.get(throttles.KEY, "")
        if not secret:
            return None
        # Requesting an export counts as much as a download; reading its progress counts as one.
        throttles.charge(request.META, SCOPE, COST if request.method == "POST" else 1)
        return AnonymousUser(), keys.find(secret, SCOPE)

    def authenticate_header(self, request: Request) -> str:
        return BadKey.auth_header


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describe `KeyAuthentication` in OpenAPI; drf-spectacular finds this class by itself."""

    target_class = KeyAuthentication
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "X-API-Key"}


class MayExport(BasePermission):
    """Allow API keys, and users with the permission `flights.add_export`."""

    message = "This user may not request exports."

    def has_permission(self, request: Request, view: Any) -> bool:
        return _by_key(request) or bool(request.user.has_perm("flights.add_export"))


def may_see(request: Request, export: Export) -> bool:
    """Whether the client may see an export: a key sees its own, a user sees all."""
    return not _by_key(request) or requester(request).exports().filter(pk=export.pk).exists()


def requester(request: Request) -> Requester:
    """The user or API key that sent the request, as an unsaved row.

    The key is set by its id, because it was read through another database alias.
    """
    if _by_key(request):
        return Requester(key_id=request.auth.pk)
    return Requester(user=request.user.get_username())


def _by_key(request: Request) -> bool:
    return isinstance(request.auth, ApiKey)
