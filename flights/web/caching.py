"""What every answer states: the versions that it is of, and an ETag of them and the query."""

import hashlib
from collections.abc import Callable, Iterable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from flights import versions
from flights.errors import NeverTransferred
from flights.models import TableVersion
from flights.tables import TABLES

type Page = Callable[[HttpRequest], HttpResponse]

SHARED = "public, no-cache"  # any cache may keep it, and has to ask whether it still holds


def headers(request: Request, of: Iterable[TableVersion], form: str = "") -> dict[str, str]:
    """`form` is what else the bytes depend on. A version's rows never change, so caches may ask."""
    there = list(of)
    names = ", ".join(map(str, there))
    digests = " ".join(version.digest for version in there)
    asked = f"{request.path}?{request.META.get('QUERY_STRING', '')}"
    wanted = f"{digests} {asked} {request.accepted_renderer.media_type} {form}"
    digest = hashlib.sha256(wanted.encode()).hexdigest()[:16]
    return {
        "ETag": f'"{names.replace(", ", "+")}/{digest}"',
        "X-AirSense-Version": names,
        "Cache-Control": SHARED,
    }


def unchanged(request: Request, told: dict[str, str]) -> bool:
    """Whether the client has this answer already."""
    return matches(told["ETag"], request.META.get("HTTP_IF_NONE_MATCH", ""))


def matches(etag: str, header: str) -> bool:
    """Whether If-None-Match names an ETag, or any by `*` (RFC 9110, section 13.1.2)."""
    return etag in header or header.strip() == "*"


def while_current(page: Page) -> Page:
    """Lets caches keep a page until a table is published: each says when one was last."""

    @wraps(page)
    def answered(request: HttpRequest) -> HttpResponse:
        before = _seen()
        response = page(request)
        # What was published while it was read may be in one part of the page and not in another.
        if before and before == _seen() and response.status_code == 200:
            digest = hashlib.sha256(response.content).hexdigest()[:16]
            response["ETag"] = f'"{digest}"'
            response["X-AirSense-Version"] = ", ".join(map(str, before))
            response["Cache-Control"] = SHARED
        return response

    return answered


def _seen() -> list[TableVersion]:
    """The published versions; none where a table lacks one."""
    try:
        return [versions.seen(model) for model in TABLES]
    except NeverTransferred:
        return []
