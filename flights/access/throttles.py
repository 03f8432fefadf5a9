"""Limit the requests per minute that Django handles, by client address or by API key.

Cached responses are not counted; their clients need a valid API key, or none. The headers
`RateLimit` and `RateLimit-Policy` follow the IETF's draft-ietf-httpapi-ratelimit-headers.
"""

import ipaddress
import re
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from flights.errors import BadKey, TooMany
from flights.errors.pages import refuse
from flights.query.limits import View

from . import keys
from .rate_limiter import WINDOW, Caller, RateLimiter, Standing

type Environ = dict[str, Any]  # of WSGI; these are keys of it:
RATE_HEADERS = "airsense.rate_headers"  # a list that receives headers which are not cached
SCOPES = "airsense.scopes"  # a set that receives the scopes that a client's key needs
COUNTED = "airsense.counted"  # whether the request was allowed; set as soon as it is counted
KEY = "HTTP_X_API_KEY"
WITH_PORT = re.compile(r"\[(.+)\](?::\d+)?|([\d.]+):\d+")  # as some proxies write addresses
ORIGIN = {
    "address": "from your address; an API key (X-API-Key) can allow more",
    "key": "with this key",
}

limiter = RateLimiter()


class Throttle(BaseThrottle):
    """Count each request of a view. An API key must have the `throttle_scope` of the view.

    A renderer can have its own `throttle_scope`, and a `throttle_cost` in requests.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        renderer = request.accepted_renderer
        scope = getattr(renderer, "throttle_scope", getattr(view, "throttle_scope", "query"))
        charge(request.META, scope, getattr(renderer, "throttle_cost", 1))
        return True


def charge(environ: Environ, scope: str, cost: int = 1) -> None:
    """Count a request by its API key, or by its address if it has none.

    Raises TooMany (429) above the limit, BadKey (401) or BadScope (403) if the key is refused.
    """
    secret = environ.get(KEY, "")
    if SCOPES in environ:
        environ[SCOPES].add(scope)
    try:
        caller = _by_key(secret, scope) if secret else _by_address(environ)
    except BadKey:
        charge_address(environ, cost)  # limits guesses of keys
        raise
    _count(environ, caller, cost)


def admits(environ: Environ, scopes: frozenset[str]) -> bool:
    """Whether `charge` would accept the client's key, if it has one, for each of these scopes."""
    secret = environ.get(KEY, "")
    try:
        return not secret or all(keys.find(secret, scope) for scope in scopes)
    except (APIException, DatabaseError, InterfaceError):
        return False


def admits_at_once(environ: Environ, scopes: frozenset[str]) -> bool:
    """Like `admits`, but False if it would need a query."""
    secret = environ.get(KEY, "")
    return not (secret and scopes) or keys.is_known_valid(secret, scopes)


def charge_address(environ: Environ, cost: int = 1) -> None:
    """Count a request by its address and ignore its API key; raises TooMany above the limit."""
    _count(environ, _by_address(environ), cost)


def client_errors(get_response: View) -> View:
    """Middleware: count the responses 4xx that nothing has counted yet.

    They are as expensive as queries, and nothing else limits them.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if not 400 <= response.status_code < 500 or COUNTED in request.META:
            return response
        try:
            charge_address(request.META)
        except TooMany as error:
            response.close()
            response = refuse(request, error.message, 429)
            response["Retry-After"] = str(error.wait)
        return response

    return middleware


def _count(environ: Environ, caller: Caller, cost: int) -> None:
    """Charge a caller and set the rate headers of the response."""
    standing = limiter.charge(caller, cost)
    environ[COUNTED] = standing.allowed
    _set_headers(environ, caller, standing)
    if not standing.allowed:
        raise TooMany(
            f"More than {caller.limit:,} requests a minute came {ORIGIN[caller.kind]}."
            f" Try again in {standing.resets} s.",
            standing.resets,
        )


def _set_headers(environ: Environ, caller: Caller, standing: Standing) -> None:
    if (headers := environ.get(RATE_HEADERS)) is not None:
        headers[:] = (  # replaces the headers of an earlier charge: GraphQL charges twice
            ("ratelimit-policy", f'"{caller.kind}";q={caller.limit};w={WINDOW}'),
            ("ratelimit", f'"{caller.kind}";r={standing.left};t={standing.resets}'),
        )


def _by_key(secret: str, scope: str) -> Caller:
    key = keys.find(secret, scope)
    return Caller("key", str(key.pk), key.rate)


def _by_address(environ: Environ) -> Caller:
    return Caller("address", address(environ), settings.THROTTLE_PER_MINUTE)


def address(environ: Environ) -> str:
    """Return the client's address as the outermost trusted proxy saw it.

    A client can forge the entries of X-Forwarded-For before that one. An IPv6 address is returned
    as its /64 network.
    """
    client: str = environ.get("REMOTE_ADDR", "")
    if proxies := settings.TRUSTED_PROXIES:
        hops = environ.get("HTTP_X_FORWARDED_FOR", client).split(",")
        client = hops[-min(proxies, len(hops))].strip()
    return _network(client)


@lru_cache(4_096)
def _network(text: str) -> str:
    """An IPv4 address, or the /64 network of an IPv6 address: one household can use all of it."""
    if with_port := WITH_PORT.fullmatch(text):
        text = with_port[1] or with_port[2]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text[:64]
    address = getattr(address, "ipv4_mapped", None) or address
    if address.version == 4:
        return str(address)
    return str(ipaddress.IPv6Network((int(address), 64), strict=False))
