"""How much one request may ask for. What is more is refused with the number that is allowed."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from .errors import BadQuery, refused

ADDRESS = 8_000  # bytes; Granian itself refuses 65,535 and more
BODY = 100_000  # bytes; files are uploaded in the admin alone
PARAMETERS = 50
CONDITIONS = 50  # filters of a query, and conditions in one of them
VALUES = 500  # of `in`
COLUMNS = 100  # to choose
SORTED = 10  # columns to sort by
GROUPED = 10  # columns to group by
COMPUTED = 20  # values of each group
SKIPPED = 1_000_000  # rows before a page

type View = Callable[[HttpRequest], HttpResponseBase]


def at_most(allowed: int, given: int, what: str, cure: str = "") -> None:
    """BadQuery where more is given."""
    if given > allowed:
        raise BadQuery(
            f"{what}: {given:,} are given, and at most {allowed:,} can be. {cure}".strip()
        )


def requests(answer: View) -> View:
    """Middleware: refuses addresses and bodies that are too long, before anything reads them."""

    def answered(request: HttpRequest) -> HttpResponseBase:
        address = len(request.META.get("QUERY_STRING", "")) + len(request.path_info)
        if address > ADDRESS:
            said = f"The address has {address:,} bytes, and at most {ADDRESS:,} can be."
            return refused(request, f"{said} Ask for less at once.", 414)
        body = int(request.META.get("CONTENT_LENGTH") or 0)
        if body > BODY and not request.path_info.startswith("/admin/"):
            said = f"The body has {body:,} bytes, and at most {BODY:,} can be."
            return refused(request, said, 413)
        return answer(request)

    return answered
