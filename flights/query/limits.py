"""How much one request may ask for. What is more is refused with the number that is allowed."""

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
COLUMNS = 100  # to choose
SORTED = 10  # columns to sort by
GROUPED = 10  # columns to group by
COMPUTED = 20  # values of each group
SKIPPED = 1_000_000  # rows before a page

API = "/api/"  # its views name the parameter that has a NUL

# Where the web server leaves why it refuses a request that it has read in part.
REFUSAL = "airsense.refusal"

type View = Callable[[HttpRequest], HttpResponseBase]


class Refusal(NamedTuple):
    status: int
    message: str


def at_most(allowed: int, given: int, what: str, cure: str = "") -> None:
    """BadQuery where more is given."""
    if given > allowed:
        raise BadQuery(
            f"{what}: {given:,} are given, and at most {allowed:,} can be. {cure}".strip()
        )


def requests(answer: View) -> View:
    """Middleware: refuses what the web server found wrong, and addresses that cannot be read."""

    def answered(request: HttpRequest) -> HttpResponseBase:
        refusal = request.META.get(REFUSAL) or _address(request)
        return refuse(request, refusal.message, refusal.status) if refusal else answer(request)

    return answered


def _address(request: HttpRequest) -> Refusal | None:
    query = request.META.get("QUERY_STRING", "")
    length = len(query) + len(request.path_info)
    if length > ADDRESS:
        limit = f"The address has {length:,} bytes, and at most {ADDRESS:,} can be."
        return Refusal(414, f"{limit} Ask for less at once.")
    try:
        text = unquote_to_bytes(query.encode("latin-1")).decode()
    except UnicodeError:
        return Refusal(400, "The query of the address is not UTF-8. Write each parameter in UTF-8.")
    if "\0" in text and not request.path_info.startswith(API):
        return Refusal(400, "The query of the address has a NUL, which no text here can have.")
    return None
