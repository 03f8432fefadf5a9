"""Check the warehouse only for users who may cause a query that costs money.

Everybody else, and a page that updates itself, gets the result of the last contact.
"""

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from flights.access.tokens import AUTHENTICATION
from transfers import warehouse_contact

from . import status
from .status import State

LIGHTS = ("warehouse", "postgresql")
UPDATE = "X-Update"  # header of the requests of a page that updates itself


def state(request: HttpRequest) -> State:
    """Check the warehouse if the user may cause that, else return the last known state."""
    if not warehouse_contact.costs_money() or _may_check(request):
        return status.of("warehouse")
    return last_known()


def lights(request: HttpRequest) -> list[State]:
    """The states of the warehouse and of PostgreSQL, checked at the same time where possible."""
    if not warehouse_contact.costs_money():
        return status.states(LIGHTS)
    return [state(request), status.of("postgresql")]


def last_known() -> State:
    """The result of the last contact with the warehouse; `up` is None if there was none."""
    contact = warehouse_contact.last()
    if contact is None:
        return State("warehouse", None, "It has not been checked yet.")
    word = "It answered" if contact.up else "It did not answer"
    return State(
        "warehouse", contact.up, f"{word} at {contact.at:%Y-%m-%d %H:%M} UTC.", at=contact.at
    )


def _may_check(request: HttpRequest) -> bool:
    if UPDATE in request.headers or not (request.COOKIES or "Authorization" in request.headers):
        return False
    # Users are in PostgreSQL, which must not make this request wait.
    return bool(status.of("postgresql").up) and _user(request).has_perm("transfers.view_transfer")


def _user(request: HttpRequest) -> User | AnonymousUser:
    try:
        return Request(request, authenticators=[a() for a in AUTHENTICATION]).user
    except AuthenticationFailed:
        return AnonymousUser()
