"""Range requests and conditional requests for a file (RFC 9110, sections 13 and 14)."""

import re
from typing import NamedTuple

from django.http import HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, parse_http_date_safe
from rest_framework import exceptions
from rest_framework.request import Request

# Python converts numbers of up to 4,300 digits; a header with longer ones is invalid.
BYTE_RANGE = re.compile(r"(\d{0,4000})-(\d{0,4000})", re.ASCII)


class PreconditionFailed(exceptions.APIException):
    """The file does not meet the condition in If-Match or If-Unmodified-Since; 412."""

    status_code = 412
    default_detail = "The file does not match If-Match or If-Unmodified-Since."


class Unsatisfiable(Exception):
    """The requested range is outside the file; 416."""


class FileInfo(NamedTuple):
    """The size and the validators of a file. Both validators are strong: a file never changes."""

    size: int  # bytes
    etag: str
    modified: int  # seconds since 1970


def not_modified(request: Request, info: FileInfo) -> HttpResponse | None:
    """The response 304 if the client already has the file, else None (RFC 9110, section 13).

    Raises PreconditionFailed (412) if the file does not meet the client's condition.
    """
    headers = {"ETag": info.etag, "Last-Modified": http_date(info.modified)}
    headers["Cache-Control"] = "private"
    response = get_conditional_response(
        request, info.etag, info.modified, HttpResponse(headers=headers)
    )
    assert response  # Django returns None only if it gets no response
    if response.status_code == PreconditionFailed.status_code:
        raise PreconditionFailed
    return response if response.status_code == 304 else None


def requested(request: Request, info: FileInfo) -> range | None:
    """The byte positions that the Range header requests; None for the whole file.

    Returns None, too, if the header is invalid or names several ranges, as RFC 9110, section 14.2,
    allows. Raises Unsatisfiable if all ranges are outside the file.
    """
    if request.method != "GET" or not _if_range_matches(request.headers.get("If-Range"), info):
        return None
    unit, _, parts = request.headers.get("Range", "").partition("=")
    matches = [BYTE_RANGE.fullmatch(part.strip(" \t")) for part in parts.split(",")]
    if unit.lower() != "bytes" or None in matches:
        return None
    bounds = [(match[1], match[2]) for match in matches if match]
    if any(not _is_valid(*bound) for bound in bounds):
        return None
    ranges = [part for bound in bounds if (part := _positions(*bound, info.size))]
    if not ranges and info.size:
        raise Unsatisfiable
    return ranges[0] if len(ranges) == 1 else None


def _if_range_matches(condition: str | None, info: FileInfo) -> bool:
    """Whether If-Range is missing or matches this file. A weak ETag (`W/...`) never matches."""
    if condition is None or condition == info.etag:
        return True
    return parse_http_date_safe(condition) == info.modified


def _is_valid(first: str, last: str) -> bool:
    return bool(first or last) and not (first and last and int(first) > int(last))


def _positions(first: str, last: str, size: int) -> range:
    """The positions of a range in a file: `-5` means the last five bytes, `5-` all from byte 5.

    Empty if the range is outside the file.
    """
    if not first:
        return range(max(0, size - int(last)), size)
    return range(int(first), min(int(last) + 1, size) if last else size)
