"""Which part of a file a request wants (RFC 9110, section 14), and on which conditions (13)."""

import re
from typing import NamedTuple

from django.http import HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, parse_http_date_safe
from rest_framework import exceptions
from rest_framework.request import Request

# Python reads no longer numbers; the specification lets a server ignore a header.
ONE = re.compile(r"(\d{0,4000})-(\d{0,4000})", re.ASCII)


class PreconditionFailed(exceptions.APIException):
    status_code = 412
    default_detail = "The file is not the one that If-Match or If-Unmodified-Since names."


class Unsatisfiable(Exception):
    """No wanted byte is in the file; 416."""


class Whole(NamedTuple):
    """What validates a file: as a file never changes, both of its validators are strong."""

    size: int
    etag: str
    modified: int  # seconds since 1970


def unchanged(request: Request, whole: Whole) -> HttpResponse | None:
    """The 304 for a client that has the file; PreconditionFailed where it wants another one."""
    headers = {"ETag": whole.etag, "Last-Modified": http_date(whole.modified)}
    headers["Cache-Control"] = "private"
    response = get_conditional_response(
        request, whole.etag, whole.modified, HttpResponse(headers=headers)
    )
    assert response  # Django returns the one that it gets, where nothing else is due
    if response.status_code == PreconditionFailed.status_code:
        raise PreconditionFailed
    return response if response.status_code == 304 else None


def wanted(request: Request, whole: Whole) -> range | None:
    """The bytes to send; None for all of them.

    All are sent also where the header makes no sense, or names several parts: no program was found
    that needs several.
    """
    if request.method != "GET" or not _holds(request.headers.get("If-Range"), whole):
        return None
    unit, _, parts = request.headers.get("Range", "").partition("=")
    matches = [ONE.fullmatch(part.strip(" \t")) for part in parts.split(",")]
    if unit.lower() != "bytes" or None in matches:
        return None
    bounds = [(match[1], match[2]) for match in matches if match]
    if any(not _is_valid(*bound) for bound in bounds):
        return None
    found = [part for bound in bounds if (part := _part(*bound, whole.size))]
    if not found and whole.size:
        raise Unsatisfiable
    return found[0] if len(found) == 1 else None


def _holds(condition: str | None, whole: Whole) -> bool:
    """Whether an If-Range names this file. A weak tag (`W/...`) never does."""
    if condition is None or condition == whole.etag:
        return True
    return parse_http_date_safe(condition) == whole.modified


def _is_valid(first: str, last: str) -> bool:
    return bool(first or last) and not (first and last and int(first) > int(last))


def _part(first: str, last: str, size: int) -> range:
    """Empty where the file is shorter. `-5` means the last five bytes, `5-` all but the first."""
    if not first:
        return range(max(0, size - int(last)), size)
    return range(int(first), min(int(last) + 1, size) if last else size)
