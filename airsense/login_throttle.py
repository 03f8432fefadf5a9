"""Throttle failed logins without locking other people out.

Failures are counted per address and user name, so an attacker elsewhere cannot lock a user out.
They are also counted per address, with a higher limit, against an attacker who tries one password
with many names. Unknown names count like known ones, so a response does not reveal which exist.
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
# Wrong codes of a second factor per window and user, from all addresses together: otherwise an
# attacker with a stolen password and many addresses could guess the six digits.
PER_USER = 5
PER_ADDRESS = 50  # failures per window and address: people in one office mistype, too
FAILURES = {
    "login": "logins for this name from your address failed",
    "logins": "logins from your address failed",
    "code": "codes of this user were wrong",
}
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
            give_back(caller)
        return user


def charge_code(user: User) -> Caller:
    """Count a code of a second factor before its check. Raises TooMany.

    `give_back` subtracts a correct code again.
    """
    caller = Caller("code", str(user.pk), PER_USER, WINDOW)
    _charge(caller)
    return caller


def give_back(caller: Caller) -> None:
    _limiter.give_back(caller)


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
            f"{caller.limit} {FAILURES[caller.kind]} within {WINDOW // 60} minutes."
            f" Try again in {minutes} min.",
            standing.resets,
        )
