"""Limits of one request. A request beyond a limit is refused, and the error states the limit."""

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from flights.errors import BadQuery
from flights.errors.pages import refuse

ADDRESS = 8_000  # bytes; Granian itself refuses 65,535 and more
PARAMETERS = 50
CONDITIONS = 50  # filters of a query, and conditions in one of them
VALUES = 500  # of `in`
COLUMNS = 100  # selected columns
SORTED = 10  # columns to sort by
GROUPED = 10  # columns to group by
COMPUTED = 20  # computed values of each group
SKIPPED = 1_000_000  # rows before a page, by offset

API = "/api/"  # these views name the parameter that contains a NUL

# Key in the WSGI environment: why the web server refuses a request that it has only read in part.
REFUSAL = "airsense.refusal"

type View = Callable[[HttpRequest], HttpResponseBase]


class Refusal(NamedTuple):
    status: int
    message: str


def at_most(limit: int, number: int, what: str, advice: str = "") -> None:
    """Raise BadQuery if a number exceeds its limit."""
    if number > limit:
        raise BadQuery(
            f"{number:,} {what} exceed the limit of {limit:,} in one request. {advice}".strip()
        )


def requests(get_response: View) -> View:
    """Middleware: refuse requests that the web server could not read, and unreadable addresses."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        refusal = request.META.get(REFUSAL) or _address(request)
        if refusal:
            return refuse(request, refusal.message, refusal.status)
        return get_response(request)

    return middleware


def _address(request: HttpRequest) -> Refusal | None:
    query = request.META.get("QUERY_STRING", "")
    length = len(query) + len(request.path_info)
    if length > ADDRESS:
        return Refusal(
            414,
            f"The address has {length:,} bytes; the limit is {ADDRESS:,}. Use a shorter query.",
        )
    try:
        text = unquote_to_bytes(query.encode("latin-1")).decode()
    except UnicodeError:
        return Refusal(400, "The query of the address is not UTF-8. Write each parameter in UTF-8.")
    if "\0" in text and not request.path_info.startswith(API):
        return Refusal(400, "The query of the address contains a NUL character.")
    return None
