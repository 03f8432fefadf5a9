"""HTTP caching: the ETag, X-AirSense-Version and Cache-Control headers of responses."""

import hashlib
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from flights import versions
from flights.errors import NeverTransferred
from flights.models import TableVersion
from flights.tables import TABLES

type Page = Callable[..., HttpResponse]

SHARED = "public, no-cache"  # shared caches may store it, and must revalidate it before each use


def headers(
    url: str, media_type: str, of: Iterable[TableVersion], variant: str = ""
) -> dict[str, str]:
    """Return the caching headers of a response that is read from some versions.

    The rows of a version never change. So the ETag depends only on the versions, the URL, the media
    type, and `variant`, which names anything else that changes the bytes, such as a compression.
    """
    table_versions = list(of)
    names = ", ".join(map(str, table_versions))
    digests = " ".join(version.digest for version in table_versions)
    content = f"{digests} {url} {media_type} {variant}"
    digest = hashlib.sha256(content.encode()).hexdigest()[:16]
    return {
        "ETag": f'"{names.replace(", ", "+")}/{digest}"',
        "X-AirSense-Version": names,
        "Cache-Control": SHARED,
    }


def url(environ: dict[str, Any]) -> str:
    """The path and the query of a request, from its WSGI environment."""
    return f"{environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}"


def unchanged(environ: dict[str, Any], headers: dict[str, str]) -> bool:
    """Whether the client already has the response with these headers, so that 304 is enough."""
    return matches(headers["ETag"], environ.get("HTTP_IF_NONE_MATCH", ""))


def matches(etag: str, if_none_match: str) -> bool:
    """Whether an If-None-Match header names an ETag, or every ETag by `*` (RFC 9110, 13.1.2)."""
    return etag in if_none_match or if_none_match.strip() == "*"


def while_current(page: Page) -> Page:
    """Decorator: let caches store a page until the next table is published.

    The page gets the same headers as responses of the API, with an ETag of its content.
    """

    @wraps(page)
    def view(request: HttpRequest, **parts: str) -> HttpResponse:
        before = _published()
        response = page(request, **parts)
        # A table published meanwhile may appear in only some parts of the page: do not store that.
        if before and before == _published() and response.status_code == 200:
            digest = hashlib.sha256(response.content).hexdigest()[:16]
            response["ETag"] = f'"{digest}"'
            response["X-AirSense-Version"] = ", ".join(map(str, before))
            response["Cache-Control"] = SHARED
        return response

    return view


def _published() -> list[TableVersion]:
    """The current version of every table; empty if a table has none."""
    try:
        return [versions.current_cached(model) for model in TABLES]
    except NeverTransferred:
        return []
