"""Names of requests for logs, metrics and traces: there are few, and none contains a value."""

from functools import lru_cache

from django.urls import Resolver404, resolve

UNKNOWN = "unknown"
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


@lru_cache(4_096)
def of(path: str) -> str:
    """Return the pattern in urls.py, such as "/airports/<str:code>/"; UNKNOWN without a view."""
    try:
        return f"/{resolve(path).route}"
    except Resolver404:
        return UNKNOWN


def method(name: str) -> str:
    """Return a method that some view has, or "OTHER": a client can send any word."""
    return name if name in METHODS else "OTHER"
