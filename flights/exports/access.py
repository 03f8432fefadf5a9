"""Who may ask for exports: people whose groups may, and keys of the API with the scope `export`."""

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
    """`X-API-Key` instead of a user. Its requests are counted, as those with a wrong key are."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey] | None:
        secret = request.META.get(throttles.KEY, "")
        if not secret:
            return None
        # To ask for a file is worth what the file is; to look how far it is, is one request.
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
    """A key sees what it asked for; people who may export see all exports in the admin, too."""
    return not _by_key(request) or asker(request).exports().filter(pk=export.pk).exists()


def asker(request: Request) -> Asker:
    """Who asks, not saved. A key is named by its number: it was read from the reader's database."""
    if _by_key(request):
        return Asker(key_id=request.auth.pk)
    return Asker(user=request.user.get_username())


def _by_key(request: Request) -> bool:
    return isinstance(request.auth, ApiKey)
