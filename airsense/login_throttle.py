"""Throttle failed logins without locking other people out.

Failures are counted per address and user name, so an attacker elsewhere cannot lock a user out,
and with a higher limit per address, against one password tried with many names. Unknown names count
like known ones, so a response does not reveal which names exist.
"""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest

from flights.access.rate_limiter import Caller, RateLimiter
from flights.access.throttles import address
from flights.errors import TooMany

WINDOW = 900  # seconds
PER_NAME = 5  # failures per window, address and name: 480 guesses a day
PER_ADDRESS = 50  # failures per window and address: people in one office mistype, too
SUBJECTS = {"login": "for this name from", "logins": "from"}
# All web processes share these counters in Valkey. If Valkey does not answer, each process counts
# for itself, so that administrators can still sign in and repair it.
_limiter = RateLimiter()


class Passwords(ModelBackend):
    """Django's password backend; raises TooMany before it checks a throttled login."""

    def authenticate(  # type: ignore[override]  # Django passes the login form's fields by name
        self, request: HttpRequest | None, **credentials: Any
    ) -> User | None:
        name = credentials.get("username")
        callers = _callers(request, name) if request and name else []
        # Count before the check, so that simultaneous attempts cannot exceed the limit.
        for caller in callers:
            _charge(caller)
        user = super().authenticate(request, **credentials)
        for caller in callers if user else []:
            _limiter.give_back(caller)
        return user


def _callers(request: HttpRequest, username: str) -> list[Caller]:
    client = address(request.META)
    return [
        Caller("login", f"{client} {username.casefold()}", PER_NAME, WINDOW),
        Caller("logins", client, PER_ADDRESS, WINDOW),
    ]


def _charge(caller: Caller) -> None:
    standing = _limiter.charge(caller, 1)
    if not standing.allowed:
        minutes = -(-standing.resets // 60)
        raise TooMany(
            f"{caller.limit} logins {SUBJECTS[caller.kind]} your address failed within"
            f" {WINDOW // 60} minutes. Try again in {minutes} min.",
            standing.resets,
        )
