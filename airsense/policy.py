"""The Content-Security-Policy of every answer: the settings' one, relaxed for the admin alone."""

from typing import Any

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest

ADMIN = "/admin/"
# Its look (django-unfold) evaluates the expressions of its pages, styles inline and has fonts.
RELAXED = {
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "font-src": [SELF],
}


class PolicyMiddleware(CSPMiddleware):
    def get_policy_parts(self, request: HttpRequest, *args: Any, **kwargs: Any) -> PolicyParts:
        parts = super().get_policy_parts(request, *args, **kwargs)
        if request.path_info.startswith(ADMIN):
            parts.replace = {**RELAXED, **(parts.replace or {})}
        return parts
