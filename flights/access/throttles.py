"""How many requests a minute somebody may ask of Django: by address, or by key.

What the response cache answers is free. `RateLimit` and `RateLimit-Policy` are those of the IETF's
draft-ietf-httpapi-ratelimit-headers.
"""

import ipaddress
import re
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from flights.errors import BadKey, TooMany
from flights.errors.pages import refuse
from flights.query.limits import View

from . import keys
from .rate_limiter import WINDOW, Caller, Standing, Windows

# Where the response cache looks for what an answer's client alone is told.
TOLD = "airsense.told"
# Set where anything has counted the request: whether it was allowed.
COUNTED = "airsense.counted"
KEY = "HTTP_X_API_KEY"
WITH_PORT = re.compile(r"\[(.+)\](?::\d+)?|([\d.]+):\d+")  # as some proxies write addresses
WHENCE = {
    "address": "from your address; with a key (X-API-Key) there can be more",
    "key": "with this key",
}

windows = Windows()


class Throttle(BaseThrottle):
    """Charges each request of a view. A key must have the `throttle_scope` of the view.

    A renderer can have a scope of its own, and a `throttle_cost` in requests.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        renderer = request.accepted_renderer
        scope = getattr(renderer, "throttle_scope", getattr(view, "throttle_scope", "query"))
        charge(request, scope, getattr(renderer, "throttle_cost", 1))
        return True


def charge(request: Request | HttpRequest, scope: str, cost: int = 1) -> None:
    """Count a request; TooMany where there were too many, BadKey or BadScope for its key."""
    given = request.META.get(KEY, "")
    try:
        caller = _by_key(given, scope) if given else _by_address(request.META)
    except BadKey:
        charge_address(request, cost)  # who tries keys is counted, too
        raise
    _count(request, caller, cost)


def charge_address(request: Request | HttpRequest, cost: int = 1) -> None:
    """Count a request by its address, whatever key it brought; TooMany as above."""
    _count(request, _by_address(request.META), cost)


def client_errors(answer: View) -> View:
    """Middleware: counts requests that are a client's error (4xx) and that nothing has counted.

    They cost what a query costs, and nothing else limits them.
    """

    def answered(request: HttpRequest) -> HttpResponseBase:
        response = answer(request)
        if not 400 <= response.status_code < 500 or COUNTED in request.META:
            return response
        try:
            charge_address(request)
        except TooMany as error:
            response.close()
            response = refuse(request, error.message, 429)
            response["Retry-After"] = str(error.wait)
        return response

    return answered


def _count(request: Request | HttpRequest, caller: Caller, cost: int) -> None:
    """Charge a caller and let the answer say how that left it."""
    standing = windows.charge(caller, cost)
    request.META[COUNTED] = standing.allowed
    _tell(request, caller, standing)
    if not standing.allowed:
        raise TooMany(
            f"More than {caller.limit:,} requests a minute came {WHENCE[caller.kind]}."
            f" Ask again in {standing.resets} s.",
            standing.resets,
        )


def _tell(request: Request | HttpRequest, caller: Caller, standing: Standing) -> None:
    if (told := request.META.get(TOLD)) is not None:
        told[:] = (  # the last charge counts: GraphQL charges a request twice
            ("ratelimit-policy", f'"{caller.kind}";q={caller.limit};w={WINDOW}'),
            ("ratelimit", f'"{caller.kind}";r={standing.left};t={standing.resets}'),
        )


def _by_key(secret: str, scope: str) -> Caller:
    key = keys.find(secret, scope)
    return Caller("key", str(key.pk), key.rate)


def _by_address(meta: dict[str, Any]) -> Caller:
    return Caller("address", address(meta), settings.THROTTLE_PER_MINUTE)


def address(meta: dict[str, Any]) -> str:
    """The address that the outermost trusted proxy saw; what is before it anybody can write."""
    seen: str = meta.get("REMOTE_ADDR", "")
    if proxies := settings.TRUSTED_PROXIES:
        hops = meta.get("HTTP_X_FORWARDED_FOR", seen).split(",")
        seen = hops[-min(proxies, len(hops))].strip()
    return _network(seen)


@lru_cache(4_096)
def _network(text: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one: a household has all addresses of that."""
    if written := WITH_PORT.fullmatch(text):
        text = written[1] or written[2]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text[:64]
    address = getattr(address, "ipv4_mapped", None) or address
    if address.version == 4:
        return str(address)
    return str(ipaddress.IPv6Network((int(address), 64), strict=False))
