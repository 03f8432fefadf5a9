"""Range requests and conditional requests for a file (RFC 9110, sections 13 and 14)."""

import re
from typing import NamedTuple

from django.http import HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, parse_http_date_safe
from rest_framework import exceptions
from rest_framework.request import Request

# Python converts no longer numbers; a server may ignore the header.
ONE = re.compile(r"(\d{0,4000})-(\d{0,4000})", re.ASCII)


class PreconditionFailed(exceptions.APIException):
    status_code = 412
    default_detail = "The file is not the one that If-Match or If-Unmodified-Since names."


class Unsatisfiable(Exception):
    """The file has none of the requested bytes; 416."""


class Whole(NamedTuple):
    """Size and validators of a file; both are strong, because the file never changes."""

    size: int
    etag: str
    modified: int  # seconds since 1970


def unchanged(request: Request, whole: Whole) -> HttpResponse | None:
    """304 if the client has the file, else None; PreconditionFailed if it requires another."""
    headers = {"ETag": whole.etag, "Last-Modified": http_date(whole.modified)}
    headers["Cache-Control"] = "private"
    response = get_conditional_response(
        request, whole.etag, whole.modified, HttpResponse(headers=headers)
    )
    assert response  # Django returns None only without a response
    if response.status_code == PreconditionFailed.status_code:
        raise PreconditionFailed
    return response if response.status_code == 304 else None


def wanted(request: Request, whole: Whole) -> range | None:
    """The range of bytes to send; None for the whole file.

    Sends the whole file if the header is invalid or names several ranges, as RFC 9110 allows.
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
    ranges = [part for bound in bounds if (part := _part(*bound, whole.size))]
    if not ranges and whole.size:
        raise Unsatisfiable
    return ranges[0] if len(ranges) == 1 else None


def _holds(condition: str | None, whole: Whole) -> bool:
    """Whether an If-Range names this file. A weak tag (`W/...`) never does."""
    if condition is None or condition == whole.etag:
        return True
    return parse_http_date_safe(condition) == whole.modified


def _is_valid(first: str, last: str) -> bool:
    return bool(first or last) and not (first and last and int(first) > int(last))


def _part(first: str, last: str, size: int) -> range:
    """`-5` is the last five bytes, `5-` all from byte 5 on. Empty if the file is shorter."""
    if not first:
        return range(max(0, size - int(last)), size)
    return range(int(first), min(int(last) + 1, size) if last else size)
