"""The caching headers of responses that name things."""

from rest_framework.request import Request

from flights.entities import directory
from flights.models.mirrored import PerformanceByFlight
from flights.web import caching

from .search import current_versions
from .table_matches import Model

# The tables that say which airlines, airports, flights and days exist.
SOURCES: list[Model] = [*directory.SOURCES, PerformanceByFlight]


def response_headers(request: Request, models: list[Model]) -> dict[str, str]:
    """The headers of a response that is read from the current versions of some tables."""
    every = list(dict.fromkeys(models))
    current = current_versions(every)
    url, media_type = caching.url(request.META), request.accepted_renderer.media_type
    headers = caching.headers(url, media_type, [version for _, version in current])
    if len(current) < len(every):
        # A first transfer would change the response, but not the versions in its ETag.
        headers["Cache-Control"] = "no-store"
    return headers
