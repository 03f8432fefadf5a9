"""The Content-Security-Policy of every page: the settings', relaxed for pages of others.

What is no page loads nothing, and says so.
"""

from typing import Any

from csp.constants import HEADER, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest
from django.http.response import HttpResponseBase

NOTHING = "default-src 'none'; frame-ancestors 'none'"
RELAXED = {
    # Its look (django-unfold) evaluates the expressions of its pages, styles inline and has fonts.
    "/admin/": {
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "font-src": [SELF],
    },
    # Swagger and Redoc style inline, and Redoc searches in a worker that it makes.
    "/api/docs": {"style-src": [SELF, UNSAFE_INLINE]},
    "/api/redoc": {"style-src": [SELF, UNSAFE_INLINE], "worker-src": ["blob:"]},
}


class PolicyMiddleware(CSPMiddleware):
    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if response.get("Content-Type", "").startswith("text/html"):
            return super().process_response(request, response)
        response[HEADER] = NOTHING
        return response

    def get_policy_parts(self, request: HttpRequest, *args: Any, **kwargs: Any) -> PolicyParts:
        parts = super().get_policy_parts(request, *args, **kwargs)
        for path, directives in RELAXED.items():
            if request.path_info.startswith(path):
                parts.replace = {**directives, **(parts.replace or {})}
        return parts
