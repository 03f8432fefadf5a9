"""Pages of all sites may read the API (CORS): what it answers to reads is the same for everybody.

The header is one for all, where django-cors-headers would have the answer vary by Origin, so that
the response cache could not keep it. No page of another site can send a token or change anything.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

READS = ("GET", "HEAD")
TOLD = (
    "ETag, Retry-After, RateLimit, RateLimit-Policy, Content-Disposition, Repr-Digest,"
    " X-Request-ID, X-AirSense-Version, X-AirSense-Limit, X-AirSense-More, X-AirSense-Count,"
    " X-AirSense-Count-Is, X-AirSense-Rows"
)
PREFLIGHT = {
    "Access-Control-Allow-Methods": ", ".join(READS),
    "Access-Control-Allow-Headers": (
        "Accept, If-None-Match, Want-Repr-Digest, X-API-Key, X-Request-ID"
    ),
    "Access-Control-Max-Age": "86400",
}
type View = Callable[[HttpRequest], HttpResponseBase]


def reads_for_all_sites(answer: View) -> View:
    def answered(request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith("/api/") or request.path.startswith("/api/transfers/"):
            return answer(request)
        asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        response = HttpResponse(status=204, headers=PREFLIGHT) if asks else answer(request)
        if asks or request.method in READS:
            response["Access-Control-Allow-Origin"] = "*"
            response["Access-Control-Expose-Headers"] = TOLD
        return response

    return answered
