"""The two URLs of a sign-in by the provider: its start, and the provider's callback."""

from django.conf import settings
from django.contrib.auth import SESSION_KEY, login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from rest_framework.exceptions import PermissionDenied

from flights.access import throttles
from flights.errors.pages import page

from . import accounts, pages, provider, second_factor

NEXT = "sign_in_next"  # in the session
TIME_TO_SIGN_IN = 900  # seconds that the session of a started sign-in lasts


@never_cache
@page
def start(request: HttpRequest) -> HttpResponse:
    """Send the browser to the provider. Each start stores a session, so it is throttled."""
    throttles.charge_address(request.META)
    if SESSION_KEY not in request.session:
        request.session.set_expiry(TIME_TO_SIGN_IN)
    request.session[NEXT] = pages.next_page(request)
    callback = request.build_absolute_uri(reverse("oidc-callback"))
    return provider.redirect(request, callback)


@never_cache
@page
def callback(request: HttpRequest) -> HttpResponse:
    """Sign in the person whom the provider identified, as that person's user."""
    claims = provider.claims(request)
    user = accounts.user_of(claims)
    if not (user.is_active and user.is_staff):
        raise PermissionDenied(
            f"You are the user {user} here, who may not use the admin. Ask an administrator."
        )
    target = request.session.pop(NEXT, reverse("admin:index"))
    request.session.set_expiry(None)
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    if "mfa" in (claims.get("amr") or []):  # RFC 8176: the provider verified several factors
        request.session[second_factor.PROOF] = second_factor.PROVIDER
    return HttpResponseRedirect(target)
