"""Who tries passwords has to wait after a few, and nobody else has.

Failures are counted by address and user name together, so that nobody locks others out who come
from elsewhere, and more loosely by address, against one password that is tried on many names. Names
that nobody has are counted as those of users are: the answer does not say which are which.
"""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest

from flights.access.rate_limiter import Caller, RateLimiter
from flights.access.throttles import address
from flights.errors import TooMany

WINDOW = 900  # seconds
OF_A_NAME = 5  # failures a window: 480 guesses a day
OF_AN_ADDRESS = 50  # people of one office mistype, too
WHO = {"login": "by this name from", "logins": "from"}
# All web processes count together through Valkey. Where that does not answer each counts alone, so
# that a right password still opens the admin: then, above all, somebody has to look.
_limiter = RateLimiter()


class Passwords(ModelBackend):
    """Django's own check of a password; TooMany before it, where too many were wrong."""

    def authenticate(  # type: ignore[override]  # the names are those of a form's fields
        self, request: HttpRequest | None, **given: Any
    ) -> User | None:
        name = given.get("username")
        tried = _tried(request, name) if request and name else []
        # Before the check: of many that are sent at once, no more are checked than may be.
        for caller in tried:
            _charge(caller)
        user = super().authenticate(request, **given)
        for caller in tried if user else []:
            _limiter.give_back(caller)
        return user


def _tried(request: HttpRequest, username: str) -> list[Caller]:
    whence = address(request.META)
    return [
        Caller("login", f"{whence} {username.casefold()}", OF_A_NAME, WINDOW),
        Caller("logins", whence, OF_AN_ADDRESS, WINDOW),
    ]


def _charge(caller: Caller) -> None:
    standing = _limiter.charge(caller, 1)
    if not standing.allowed:
        minutes = -(-standing.resets // 60)
        raise TooMany(
            f"{caller.limit} logins {WHO[caller.kind]} your address failed within"
            f" {WINDOW // 60} minutes. Try again in {minutes} min.",
            standing.resets,
        )
