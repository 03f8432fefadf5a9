"""Send a Content-Security-Policy with every response.

HTML pages get the policy of the settings, which is relaxed for pages of third-party packages. All
other responses (JSON, CSV, ...) get NOTHING, which forbids loading anything; SVG pictures may
also apply their inline styles.
"""

from typing import Any

from csp.constants import HEADER, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest
from django.http.response import HttpResponseBase

NOTHING = "default-src 'none'; frame-ancestors 'none'"
PICTURE = f"{NOTHING}; style-src 'unsafe-inline'"  # an SVG document has its own style
RELAXED = {
    # django-unfold evaluates Alpine.js expressions, uses inline styles and loads fonts.
    "/admin/": {
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "font-src": [SELF],
    },
    # Swagger UI and Redoc use inline styles; Redoc's search runs in a worker from a blob.
    "/api/docs": {"style-src": [SELF, UNSAFE_INLINE]},
    # A citation may be framed by any page.
    "/embed/": {"frame-ancestors": ["*"]},
    "/api/redoc": {"style-src": [SELF, UNSAFE_INLINE], "worker-src": ["blob:"]},
}


class PolicyMiddleware(CSPMiddleware):
    """django-csp's middleware with NOTHING for non-HTML responses and RELAXED per path."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if response.get("Content-Type", "").startswith("text/html"):
            return super().process_response(request, response)
        is_svg = response.get("Content-Type") == "image/svg+xml"
        response[HEADER] = PICTURE if is_svg else NOTHING
        return response

    def get_policy_parts(self, request: HttpRequest, *args: Any, **kwargs: Any) -> PolicyParts:
        parts = super().get_policy_parts(request, *args, **kwargs)
        for path, directives in RELAXED.items():
            if request.path_info.startswith(path):
                parts.replace = {**directives, **(parts.replace or {})}
        return parts
