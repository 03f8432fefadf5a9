"""Name requests in logs, metrics and traces by their URL pattern, so that names are few."""

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
    """Return one of METHODS, or "OTHER" for any other word that a client sends."""
    return name if name in METHODS else "OTHER"
