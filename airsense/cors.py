"""Let pages of every site read the public API (CORS, https://fetch.spec.whatwg.org/#cors-protocol).

All origins get the same header, `*`. django-cors-headers would add `Vary: Origin`, so the response
cache could not share a response. Pages of other sites can neither send a token nor change anything:
only reads are allowed, by GET and HEAD, and by POST for GraphQL.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

READS = ["GET", "HEAD"]
GRAPHQL = "/api/graphql"
REQUEST_HEADERS = "Accept, If-None-Match, Want-Repr-Digest, X-API-Key, X-Request-ID"
HEADERS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "*"}
type View = Callable[[HttpRequest], HttpResponseBase]


def reads_for_all_sites(get_response: View) -> View:
    """Middleware: answer preflight requests and add CORS headers to reads of the public API."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith("/api/") or request.path.startswith("/api/transfers/"):
            return get_response(request)
        methods = [*READS, "POST"] if request.path == GRAPHQL else READS
        preflight = (
            request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        )
        response = _preflight(methods) if preflight else get_response(request)
        if preflight or request.method in methods:
            for name, value in HEADERS.items():
                response[name] = value
        return response

    return middleware


def _preflight(methods: list[str]) -> HttpResponse:
    content_type = ", Content-Type" if "POST" in methods else ""
    return HttpResponse(
        status=204,
        headers={
            "Access-Control-Allow-Methods": ", ".join(methods),
            "Access-Control-Allow-Headers": f"{REQUEST_HEADERS}{content_type}",
            "Access-Control-Max-Age": "86400",
        },
    )
