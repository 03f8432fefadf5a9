"""Pages of all sites may read the API (CORS): what it answers to reads is the same for everybody.

The header is one for all, where django-cors-headers would have the answer vary by Origin, so that
the response cache could not keep it. No page of another site can send a token or change anything:
GraphQL is read by POST, too, but nothing else is.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

READS = ["GET", "HEAD"]
BY_POST = "/api/graphql"
SENT = "Accept, If-None-Match, Want-Repr-Digest, X-API-Key, X-Request-ID"
HEADERS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "*"}
type View = Callable[[HttpRequest], HttpResponseBase]


def reads_for_all_sites(answer: View) -> View:
    def answered(request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith("/api/") or request.path.startswith("/api/transfers/"):
            return answer(request)
        reads = [*READS, "POST"] if request.path == BY_POST else READS
        asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        response = _preflight(reads) if asks else answer(request)
        if asks or request.method in reads:
            for name, value in HEADERS.items():
                response[name] = value
        return response

    return answered


def _preflight(reads: list[str]) -> HttpResponse:
    return HttpResponse(
        status=204,
        headers={
            "Access-Control-Allow-Methods": ", ".join(reads),
            "Access-Control-Allow-Headers": f"{SENT}, Content-Type" if "POST" in reads else SENT,
            "Access-Control-Max-Age": "86400",
        },
    )
