"""The Content-Security-Policy of every answer: the settings', relaxed for pages of others."""

from typing import Any

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest

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
    def get_policy_parts(self, request: HttpRequest, *args: Any, **kwargs: Any) -> PolicyParts:
        parts = super().get_policy_parts(request, *args, **kwargs)
        for path, directives in RELAXED.items():
            if request.path_info.startswith(path):
                parts.replace = {**directives, **(parts.replace or {})}
        return parts
